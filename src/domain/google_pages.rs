//! What a person may see at Google instead of a way back. We never hear of it, so it is told before: on
//! the sign-in page, and in the mail that leads there.

/// A page of Google's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GooglePage {
    /// What stands on it.
    pub says: &'static str,
    /// What it means and what to do, in sentences.
    pub means: String,
}

/// The pages that Google is known to show
/// (support.google.com/accounts/answer/12917337, developers.google.com/identity/protocols/oauth2/web-server#authorization-errors).
/// `account` signs in, `contact` is whom to tell, and `client_id` is what a Google Workspace admin looks
/// for.
pub fn google_pages(account: &str, contact: &str, client_id: Option<&str>) -> [GooglePage; 7] {
    let client = client_id.map(|id| format!(" (client ID {id})"));
    [
        GooglePage {
            says: "\"has not completed the Google verification process\" (Error 403: access_denied)",
            means: format!(
                "The app is in testing, and {account} is not among its test users. Tell {contact}."
            ),
        },
        GooglePage {
            says: "Error 403: org_internal",
            means: format!(
                "The app is for accounts of another organisation. Choose {account}; if it was that one, tell {contact}."
            ),
        },
        GooglePage {
            says: "Error 400: admin_policy_enforced, or access_not_configured",
            means: format!(
                "Your organisation has to allow the app{}. Ask its Google Workspace admin.",
                client.unwrap_or_default()
            ),
        },
        GooglePage {
            says: "Error 400: redirect_uri_mismatch, or Error 401 (invalid_client, deleted_client, disabled_client)",
            means: format!(
                "The app is not set up completely at Google, or was not a moment ago. Tell {contact}."
            ),
        },
        GooglePage {
            says: "\"Sign in with Google temporarily disabled for this app\"",
            means: format!("No more accounts may use the app. Tell {contact}."),
        },
        GooglePage {
            says: "Error 403: rate_limit_exceeded",
            means: "Too many people sign in at once. Try again in an hour.".to_owned(),
        },
        GooglePage {
            says: "Error 403: disallowed_useragent",
            means: "Open the page in a browser such as Chrome, Firefox or Safari, not inside another app."
                .to_owned(),
        },
    ]
}
