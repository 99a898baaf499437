//! What Google's token endpoint says of the client, and what keeps it from answering.

use gmail_operator::api::ProfileCondition::{Accepted, CredentialsAccepted, Ready};
use gmail_operator::api::Reason::{
    self, BlockedByWorkspacePolicy, ClientDeleted, ClientDisabled, ClientIdNotFound,
    ClientIncomplete, ClientNotAuthorized, ClientRefused, ClientRestricted, ClientSecretRejected,
    EndpointNotAllowed, GoogleUnavailable, GrantTypeRefused, MailScopeRefused, NotATokenEndpoint,
    OutsideOrganization, TlsVerificationFailed,
};
use serde_json::json;

use super::place::NOTHING_LISTENS;
use super::{Registered, Row, Says, no, row, unknown, yes};

fn refused(reason: Reason, words: &'static [&'static str]) -> [Says; 2] {
    [
        no(CredentialsAccepted, reason, words),
        no(Ready, reason, words),
    ]
}

fn not_asked(reason: Reason, words: &'static [&'static str]) -> [Says; 3] {
    [
        unknown(CredentialsAccepted, reason, words),
        no(Ready, reason, words),
        yes(Accepted, Reason::Accepted),
    ]
}

pub fn rows() -> Vec<Row> {
    let mut rows = refusals();
    rows.extend(no_answers());
    rows
}

fn refusals() -> Vec<Row> {
    vec![
        row(
            "unknown-client",
            |draft| draft.client = Registered::Never,
            refused(
                ClientIdNotFound,
                &[
                    "invalid_client (The OAuth client was not found.)",
                    "read from the key client_secret.json of the Secret {namespace}/{name}",
                ],
            ),
        ),
        row(
            "wrong-secret",
            |draft| draft.edit(|file| file["web"]["client_secret"] = json!("GOCSPX-of-last-year")),
            refused(
                ClientSecretRejected,
                &["The provided client secret is invalid"],
            ),
        ),
        row(
            "deleted-client",
            |draft| draft.client = Registered::Deleted,
            refused(ClientDeleted, &["deleted_client", "within 30 days"]),
        ),
        row(
            "disabled-client",
            |draft| draft.answer(401, "disabled_client", "The OAuth client was disabled."),
            refused(ClientDisabled, &["disabled_client"]),
        ),
        row(
            "incomplete-client",
            |draft| draft.answer(400, "invalid_request", "client_secret is missing."),
            refused(ClientIncomplete, &["client_secret is missing"]),
        ),
        row(
            "unauthorized-client",
            |draft| draft.answer(401, "unauthorized_client", "Unauthorized"),
            refused(ClientNotAuthorized, &["unauthorized_client"]),
        ),
        row(
            "restricted-client",
            |draft| draft.answer(403, "restricted_client", ""),
            refused(ClientRestricted, &["restricted_client"]),
        ),
        row(
            "internal-client",
            |draft| {
                draft.answer(
                    403,
                    "org_internal",
                    "This client is restricted to users within its organization.",
                )
            },
            refused(OutsideOrganization, &["within its organization"]),
        ),
        row(
            "scope-not-added",
            |draft| draft.answer(400, "invalid_scope", "Some requested scopes were invalid."),
            refused(MailScopeRefused, &["invalid_scope", "enable the Gmail API"]),
        ),
        row(
            "other-grant-types",
            |draft| {
                draft.answer(
                    400,
                    "unsupported_grant_type",
                    "Invalid grant_type: authorization_code",
                )
            },
            refused(GrantTypeRefused, &["spec.oauthClient.endpoints.token"]),
        ),
        row(
            "workspace-policy",
            |draft| draft.answer(400, "admin_policy_enforced", ""),
            refused(BlockedByWorkspacePolicy, &["Google Workspace admin: "]),
        ),
        row(
            "account-restricted",
            |draft| draft.answer(403, "access_denied", "Account restricted"),
            refused(BlockedByWorkspacePolicy, &["Account restricted"]),
        ),
        row(
            "words-of-tomorrow",
            |draft| draft.answer(400, "quantum_client", "Un\u{1b}[31mentangled."),
            refused(ClientRefused, &["quantum_client (Un?[31mentangled.)"]),
        ),
    ]
}

fn no_answers() -> Vec<Row> {
    vec![
        row(
            "google-is-down",
            |draft| draft.fault = Some((503, json!("down"))),
            not_asked(
                GoogleUnavailable,
                &["checking the OAuth client: {google} answered HTTP 503"],
            ),
        ),
        row(
            "too-many-requests",
            |draft| draft.answer(403, "rate_limit_exceeded", ""),
            not_asked(GoogleUnavailable, &["rate_limit_exceeded"]),
        ),
        row(
            "internal-failure",
            |draft| draft.answer(400, "internal_failure", "Backend Error"),
            not_asked(GoogleUnavailable, &["internal_failure (Backend Error)"]),
        ),
        row(
            "nothing-listens",
            |draft| {
                draft.oauth()["endpoints"]["token"] =
                    json!(format!("https://{NOTHING_LISTENS}/token"))
            },
            not_asked(GoogleUnavailable, &["nothing-listens.localhost"]),
        ),
        row(
            "private-address",
            |draft| draft.oauth()["endpoints"]["token"] = json!("https://10.1.2.3/token"),
            not_asked(EndpointNotAllowed, &["10.1.2.3", "--allow-cidr"]),
        ),
        row(
            "no-ca-bundle",
            |draft| drop(draft.spec()["caBundle"].take()),
            not_asked(TlsVerificationFailed, &["TLS with {google}", "caBundle"]),
        ),
        row(
            "wrong-path",
            |draft| {
                let url = format!("{}/oauth2/tokens", draft.google);
                draft.oauth()["endpoints"]["token"] = json!(url);
            },
            not_asked(
                NotATokenEndpoint,
                &[
                    "{google} answered HTTP 404",
                    "spec.oauthClient.endpoints.token",
                ],
            ),
        ),
        row(
            "a-web-page",
            |draft| draft.fault = Some((200, json!("<html>Welcome to Acme</html>"))),
            not_asked(NotATokenEndpoint, &["not a token response"]),
        ),
        row(
            "a-forbidden-web-page",
            |draft| draft.fault = Some((403, json!("<html>Blocked by Acme's proxy</html>"))),
            not_asked(NotATokenEndpoint, &["HTTP 403 with a web page"]),
        ),
        row(
            "a-redirect",
            |draft| draft.fault = Some((302, json!("moved"))),
            not_asked(
                NotATokenEndpoint,
                &["HTTP 302 with a redirect, which is not followed"],
            ),
        ),
    ]
}
