//! The redirect URI.

use gmail_operator::api::ProfileCondition::{
    Accepted, CredentialsAccepted, Ready, RedirectRegistered,
};
use gmail_operator::api::Reason::{
    self, InDownloadedFile, NotChecked, NotInDownloadedFile, NotVerifiable, ProfileReady,
    RedirectHostRefused, RedirectMismatch,
};
use serde_json::json;

use super::place::Place;
use super::{Draft, Row, Says, no, row, unknown, yes};

fn not_in_file(words: &'static [&'static str]) -> [Says; 2] {
    [
        unknown(RedirectRegistered, NotInDownloadedFile, words),
        yes(Ready, ProfileReady),
    ]
}

/// The file has another redirect URI.
fn listed(draft: &mut Draft, uri: &str) {
    draft.edit(|file| file["web"]["redirect_uris"] = json!([uri]));
}

pub fn rows() -> Vec<Row> {
    let mut rows = near_misses();
    rows.extend([
        row(
            "in-the-file",
            |_| (),
            [yes(RedirectRegistered, InDownloadedFile)],
        ),
        row(
            "no-redirect-in-file",
            |draft| {
                draft.edit(|file| drop(file["web"]["redirect_uris"].take()));
            },
            not_in_file(&["add the line {uri}"]),
        ),
        row(
            "id-and-secret-alone",
            |draft| {
                let (id, secret) = (draft.id.clone(), draft.client_secret.clone());
                draft.pair(&id, secret);
            },
            [
                unknown(RedirectRegistered, NotVerifiable, &["add the line {uri}"]),
                yes(Ready, ProfileReady),
            ],
        ),
        row(
            "before-the-secret",
            |draft| draft.secret = None,
            [unknown(RedirectRegistered, NotChecked, &["{uri}"])],
        ),
        row(
            "redirect-not-registered",
            |draft| draft.answer(400, "redirect_uri_mismatch", "Bad Request"),
            [
                no(RedirectRegistered, RedirectMismatch, &["add the line {uri}"]),
                yes(CredentialsAccepted, Reason::CredentialsAccepted),
                yes(Ready, ProfileReady),
            ],
        )
        // It was added in Google's console.
        .then(
            |draft| draft.fault = None,
            [yes(RedirectRegistered, InDownloadedFile)],
        ),
        row(
            "cluster-name",
            |draft| {
                draft.secret = None;
                draft.of_google();
            },
            [
                no(
                    RedirectRegistered,
                    RedirectHostRefused,
                    &[
                        "{uri}: its host is a name that only the cluster or the local network knows",
                        "--public-url",
                    ],
                ),
                yes(Accepted, Reason::Accepted),
            ],
        )
        .at(Place::ClusterUrl),
        // A stand-in has its own rules.
        row(
            "cluster-name-at-a-stand-in",
            |_| (),
            [
                yes(RedirectRegistered, InDownloadedFile),
                yes(Ready, ProfileReady),
            ],
        )
        .at(Place::ClusterUrl),
        // Through a port-forward people sign in all the same, on a localhost that Google takes.
        row(
            "no-public-url",
            |draft| listed(draft, "https://gmail.example.com/oauth2/callback"),
            [
                unknown(
                    RedirectRegistered,
                    NotInDownloadedFile,
                    &["add the line http://localhost:8425/oauth2/callback"],
                ),
                yes(Ready, ProfileReady),
            ],
        )
        .then(
            |draft| listed(draft, "http://localhost:8425/oauth2/callback"),
            [yes(RedirectRegistered, InDownloadedFile)],
        )
        .at(Place::NoUrl),
    ]);
    rows
}

fn near_misses() -> Vec<Row> {
    vec![
        row(
            "slash-at-the-end",
            |draft| {
                let uri = format!("{}/", draft.uri);
                listed(draft, &uri);
            },
            not_in_file(&["add the line {uri};", "differs only by a slash at its end"]),
        ),
        row(
            "https-for-http",
            |draft| {
                let uri = draft.uri.replace("http:", "https:");
                listed(draft, &uri);
            },
            not_in_file(&["differs only in http and https"]),
        ),
        row(
            "another-port",
            |draft| listed(draft, "http://localhost:9/oauth2/callback"),
            not_in_file(&[
                "the file has http://localhost:9/oauth2/callback, which differs only in its port",
            ]),
        ),
        row(
            "upper-case",
            |draft| {
                let uri = draft.uri.replace("oauth2", "OAuth2");
                listed(draft, &uri);
            },
            not_in_file(&["differs only in upper and lower case"]),
        ),
        row(
            "another-path",
            |draft| {
                let uri = draft.uri.replace("/oauth2/callback", "/callback");
                listed(draft, &uri);
            },
            not_in_file(&["differs only in its path"]),
        ),
        row(
            "another-app",
            |draft| listed(draft, "https://oauth.pstmn.io/v1/callback"),
            not_in_file(&["add the line {uri}. Platform admin"]),
        ),
    ]
}
