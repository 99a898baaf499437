//! What happens to a profile after it was right, and how it comes back.

use gmail_operator::api::ProfileCondition::{Accepted, CredentialsAccepted, Ready};
use gmail_operator::api::Reason::{
    self, ClientDeleted, ClientSecretInvalid, ClientSecretMissing, ClientSecretRejected,
    GoogleUnavailable, InvalidSpec, NotATokenEndpoint, ProfileReady, ProfileReadyInTesting,
    ProfileSuspended,
};
use serde_json::json;

use super::{Registered, Row, Says, no, row, says, unknown, yes};

fn ready() -> [Says; 2] {
    [
        yes(Ready, ProfileReady),
        yes(CredentialsAccepted, Reason::CredentialsAccepted),
    ]
}

pub fn rows() -> Vec<Row> {
    let mut rows = the_secret();
    rows.extend(google());
    rows.extend([
        row("suspended-later", |_| (), ready())
            .then(
                |draft| draft.spec()["suspend"] = json!(true),
                [
                    no(Ready, ProfileSuspended, &[]),
                    yes(CredentialsAccepted, Reason::CredentialsAccepted),
                ],
            )
            .then(|draft| draft.spec()["suspend"] = json!(false), ready()),
        row(
            "published-later",
            |draft| {
                draft.spec()["oauthClient"]["consentScreen"] =
                    json!({ "userType": "External", "publishingStatus": "Testing" });
            },
            [says(
                Ready,
                "True",
                ProfileReadyInTesting,
                &[
                    "ends each sign-in after 7 days",
                    "Platform admin: Publish the app",
                ],
            )],
        )
        .then(
            |draft| {
                draft.spec()["oauthClient"]["consentScreen"]["publishingStatus"] =
                    json!("InProduction");
            },
            ready(),
        ),
        row("spoilt-later", |_| (), ready())
            .then(
                |draft| {
                    draft.spec()["servers"]["imap"] =
                        json!({ "host": "imap.gmail.com", "port": 143 });
                },
                [no(Accepted, InvalidSpec, &[])],
            )
            .then(
                |draft| drop(draft.spec()["servers"]["imap"].take()),
                ready(),
            ),
    ]);
    rows
}

fn the_secret() -> Vec<Row> {
    vec![
        row(
            "secret-comes-later",
            |draft| draft.secret = None,
            [no(CredentialsAccepted, ClientSecretMissing, &[])],
        )
        .then(|draft| draft.put(draft.file().to_string()), ready()),
        row("secret-goes-and-comes-back", |_| (), ready())
            .then(
                |draft| draft.secret = None,
                [
                    no(
                        CredentialsAccepted,
                        ClientSecretMissing,
                        &["there is no Secret {namespace}/{name}"],
                    ),
                    no(Ready, ClientSecretMissing, &[]),
                ],
            )
            .then(|draft| draft.put(draft.file().to_string()), ready()),
        row("secret-is-spoilt-later", |_| (), ready())
            .then(
                |draft| draft.put("{"),
                [no(CredentialsAccepted, ClientSecretInvalid, &["cut off"])],
            )
            .then(|draft| draft.put(draft.file().to_string()), ready()),
        // Google's console has a new secret; the Secret follows.
        row("rotated", |_| (), ready())
            .then(
                |draft| draft.edit(|file| file["web"]["client_secret"] = json!("GOCSPX-too-early")),
                [no(CredentialsAccepted, ClientSecretRejected, &[])],
            )
            .then(
                |draft| {
                    draft.client_secret = "GOCSPX-rotated-lab-secret-2".to_owned();
                    draft.put(draft.file().to_string());
                },
                ready(),
            ),
    ]
}

fn google() -> Vec<Row> {
    vec![
        row(
            "google-comes-back",
            |draft| draft.fault = Some((503, json!("down"))),
            [unknown(
                CredentialsAccepted,
                GoogleUnavailable,
                &["HTTP 503"],
            )],
        )
        .then(|draft| draft.fault = None, ready()),
        row(
            "client-is-restored",
            |draft| draft.client = Registered::Deleted,
            [no(CredentialsAccepted, ClientDeleted, &[])],
        )
        .then(|draft| draft.client = Registered::Well, ready()),
        // What another server said of the client is worth nothing.
        row("endpoint-is-spoilt-later", |_| (), ready())
            .then(
                |draft| {
                    let url = format!("{}/oauth2/tokens", draft.google);
                    draft.oauth()["endpoints"]["token"] = json!(url);
                },
                [unknown(
                    CredentialsAccepted,
                    NotATokenEndpoint,
                    &["HTTP 404"],
                )],
            )
            .then(
                |draft| {
                    let url = format!("{}/token", draft.google);
                    draft.oauth()["endpoints"]["token"] = json!(url);
                },
                ready(),
            ),
    ]
}
