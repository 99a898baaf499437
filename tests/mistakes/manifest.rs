//! What the schema lets through.

use gmail_operator::api::ProfileCondition::{
    Accepted, CapacityAvailable, CredentialsAccepted, MailboxesHealthy, Ready,
};
use gmail_operator::api::Reason::{
    self, CaBundleInvalid, CapacityLeft, EndpointNotAllowed, InvalidSpec, NotChecked, ProfileReady,
    ProfileSuspended, SharingNotPermitted,
};
use serde_json::json;

use super::{Row, Says, no, row, says, unknown, yes};

fn invalid(words: &'static [&'static str]) -> [Says; 2] {
    [
        no(Accepted, InvalidSpec, words),
        no(Ready, InvalidSpec, words),
    ]
}

fn noted(words: &'static [&'static str]) -> [Says; 2] {
    [
        says(Accepted, "True", Reason::Accepted, words),
        yes(Ready, ProfileReady),
    ]
}

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "nothing-is-wrong",
            |_| (),
            [
                yes(Ready, ProfileReady),
                yes(Accepted, Reason::Accepted),
                yes(CredentialsAccepted, Reason::CredentialsAccepted),
                yes(CapacityAvailable, CapacityLeft),
                yes(MailboxesHealthy, Reason::MailboxesHealthy),
            ],
        ),
        row(
            "suspended-from-the-start",
            |draft| draft.spec()["suspend"] = json!(true),
            [
                no(Ready, ProfileSuspended, &["spec.suspend"]),
                unknown(CredentialsAccepted, NotChecked, &[]),
            ],
        )
        .then(
            |draft| draft.spec()["suspend"] = json!(false),
            [yes(Ready, ProfileReady)],
        ),
        row(
            "server-not-allowed",
            |draft| {
                draft.spec()["servers"]["imap"] =
                    json!({ "host": "imap.evil.example", "port": 993 });
            },
            [no(
                Accepted,
                EndpointNotAllowed,
                &["imap.evil.example:993", "--allow-endpoint"],
            )],
        ),
        row(
            "token-endpoint-not-allowed",
            |draft| draft.oauth()["endpoints"]["token"] = json!("https://evil.example/token"),
            [no(Accepted, EndpointNotAllowed, &["evil.example:443"])],
        ),
        row(
            "imap-without-tls",
            |draft| {
                draft.spec()["servers"]["imap"] = json!({ "host": "imap.gmail.com", "port": 143 });
            },
            invalid(&[
                "spec.servers.imap is imap.gmail.com:143, but Gmail's is imap.gmail.com:993",
            ]),
        ),
        row(
            "smtp-for-imap",
            |draft| {
                draft.spec()["servers"]["imap"] = json!({ "host": "smtp.gmail.com", "port": 465 });
            },
            invalid(&["spec.servers.imap is smtp.gmail.com:465"]),
        ),
        row(
            "pop3-for-pop",
            |draft| {
                draft.spec()["servers"]["pop3"] = json!({ "host": "pop3.gmail.com", "port": 995 });
            },
            invalid(&["Gmail's is pop.gmail.com:995"]),
        ),
        row(
            "smtp-on-port-25",
            |draft| {
                draft.spec()["servers"]["smtp"] =
                    json!({ "host": "smtp.gmail.com", "port": 25, "security": "STARTTLS" });
            },
            invalid(&["Gmail's is smtp.gmail.com:465 or smtp.gmail.com:587"]),
        ),
        row(
            "broken-ca-bundle",
            |draft| {
                draft.spec()["caBundle"] =
                    json!("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n");
            },
            [no(
                Accepted,
                CaBundleInvalid,
                &[
                    "spec.caBundle",
                    "Platform admin: Put one or more whole certificates",
                ],
            )],
        ),
        row(
            "shared-without-label",
            |draft| draft.spec()["allowedNamespaces"] = json!({ "from": "All" }),
            [no(
                Accepted,
                SharingNotPermitted,
                &[
                    "it serves its own namespace only",
                    "gmail-operator.dev/shares-profiles=true",
                ],
            )],
        ),
        row(
            "mail-from-the-future",
            |draft| {
                draft.spec()["processing"]["processEmailsFrom"] = json!("2099-01-01T00:00:00Z");
            },
            noted(&["spec.processing.processEmailsFrom is 2099-01-01T00:00:00Z, which is to come"]),
        ),
        row(
            "internal-and-gmail",
            |draft| {
                draft.spec()["allowedEmailAddresses"] = json!(["*@example.com", "*@gmail.com"]);
            },
            noted(&[
                "spec.allowedEmailAddresses names gmail.com, but consentScreen.userType is Internal",
            ]),
        ),
        row(
            "others-wait-for-it",
            |draft| {
                let of = format!("{}-others", draft.namespace);
                draft.beside = vec![
                    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": of } }),
                    json!({
                        "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
                        "metadata": { "name": "waits", "namespace": of },
                        "spec": {
                            "emailAddress": "waits@example.com",
                            "profileRef": { "name": draft.name, "namespace": draft.namespace },
                        },
                    }),
                ];
            },
            noted(&[
                "Mailboxes in {namespace}-others name this profile",
                "spec.allowedNamespaces",
            ]),
        ),
    ]
}
