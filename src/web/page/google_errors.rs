//! What a person may see at Google instead of a way back: we never hear of it, so it is told before.

use maud::{Markup, html};

/// What Google's page says, and what it means
/// (support.google.com/accounts/answer/12917337, developers.google.com/identity/protocols/oauth2/web-server#authorization-errors).
const PAGES: [(&str, &str); 7] = [
    (
        "has not completed the Google verification process",
        "The app is in Testing and your account is not among its test users. The contact above can add it.",
    ),
    (
        "org_internal",
        "The app is only for accounts of its own organisation. Sign in with such an account.",
    ),
    (
        "admin_policy_enforced or access_not_configured",
        "Your organisation has not allowed this app. Its Google Workspace admin can trust it.",
    ),
    (
        "redirect_uri_mismatch",
        "The address of this page is not registered with Google yet, or was a moment ago. The contact above can put that right.",
    ),
    (
        "invalid_client, deleted_client or disabled_client",
        "The app is not set up rightly at Google. The contact above can put that right.",
    ),
    (
        "disallowed_useragent",
        "Open this page in an ordinary browser, not inside another app.",
    ),
    (
        "Sign in with Google temporarily disabled for this app",
        "The app has no place for another account. The contact above can have it verified.",
    ),
];

/// The list, folded up.
pub(super) fn list() -> Markup {
    html! {
        details {
            summary { "If Google shows an error" }
            dl.errors { @for (says, means) in PAGES { dt { (says) } dd { (means) } } }
        }
    }
}
