//! A [`Grant`] as a Secret, and back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;

use crate::domain::endpoints::OAuthEndpoints;
use crate::domain::grant::{Access, Account, EndCause, Grant, GrantEnd, KnownEnd, Messages};
use crate::domain::name::ObjectName;
use crate::domain::schedule::digest;
use crate::domain::secret::{AccessToken, ExposeSecret, RefreshToken};

/// The Secret's type; the admission policy lets the operator write only its own types.
pub const GRANT_TYPE: &str = "gmail-operator.dev/grant";
/// The label with the Mailbox's uid; its presence selects the grants.
pub const UID_LABEL: &str = "gmail-operator.dev/mailbox-uid";
/// The label with the Mailbox's namespace.
pub const NAMESPACE_LABEL: &str = "gmail-operator.dev/mailbox-namespace";
/// The label with the Mailbox's name.
pub const NAME_LABEL: &str = "gmail-operator.dev/mailbox-name";
/// The label with [`account_label`]: it finds the grants of one Google account.
pub const ACCOUNT_LABEL: &str = "gmail-operator.dev/account";

const CLIENT_ID: &str = "client-id";
const REDIRECT_URI: &str = "redirect-uri";

/// Whether a Secret has a grant to the OAuth client `client_id` whose sign-in came back to
/// `redirect_uri`. Looks at no other key.
pub fn proves_redirect(secret: &Secret, client_id: &str, redirect_uri: &str) -> bool {
    let has = |key: &str, value: &str| {
        let data = secret.data.as_ref();
        data.and_then(|data| data.get(key))
            .is_some_and(|found| found.0 == value.as_bytes())
    };
    has(CLIENT_ID, client_id) && has(REDIRECT_URI, redirect_uri)
}

/// The name of the Secret with the grant of the Mailbox `uid`.
pub fn name(uid: &str) -> String {
    format!("grant-{uid}")
}

/// A digest of an account's identity (`iss`, `sub`), as a label may have it: labels are shown where
/// a Secret's contents are not.
pub fn account_label(account: &Account) -> String {
    digest(&[&account.issuer, &account.subject])
}

/// A Secret that is not a grant. Says which key is wrong, nothing of its value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the key {0} is missing or not readable")]
pub struct BadGrant(&'static str);

/// The Mailbox that a grant belongs to, by its labels.
pub fn mailbox(secret: &Secret) -> Option<(ObjectName, String)> {
    let labels = secret.metadata.labels.as_ref()?;
    let get = |label: &str| labels.get(label).cloned();
    Some((
        ObjectName::new(get(NAMESPACE_LABEL)?, get(NAME_LABEL)?),
        get(UID_LABEL)?,
    ))
}

/// Reads a grant.
///
/// # Errors
/// [`BadGrant`] names the first key that is missing or not readable.
pub fn parse(secret: &Secret) -> Result<Grant, BadGrant> {
    let (mailbox, mailbox_uid) = mailbox(secret).ok_or(BadGrant("labels"))?;
    let keys = Keys(secret.data.as_ref());
    let (profile_namespace, profile_name) = keys
        .text("profile")?
        .split_once('/')
        .ok_or(BadGrant("profile"))?;
    Ok(Grant {
        mailbox,
        mailbox_uid,
        email_address: keys.parse("email-address")?,
        account: Account {
            issuer: keys.text("iss")?.to_owned(),
            subject: keys.text("sub")?.to_owned(),
            email: keys.parse("email")?,
        },
        scopes: keys
            .text("scopes")?
            .split(' ')
            .map(str::to_owned)
            .collect::<BTreeSet<_>>(),
        client_id: keys.text(CLIENT_ID)?.to_owned(),
        redirect_uri: keys.text(REDIRECT_URI).ok().map(str::to_owned),
        // Google's were stored without it.
        token_endpoint: keys
            .optional("token-endpoint")?
            .unwrap_or_else(|| OAuthEndpoints::google().token),
        profile: ObjectName::new(profile_namespace, profile_name),
        refresh_token: RefreshToken::new(keys.text("refresh-token")?),
        access: Access {
            token: AccessToken::new(keys.text("access-token")?),
            issued_at: keys.parse("access-token-issued-at")?,
            expires_at: keys.parse("access-token-expires-at")?,
        },
        signed_in_at: keys.parse("signed-in-at")?,
        ends: match keys.optional("expires-at")? {
            Some(at) => Some(KnownEnd {
                at,
                cause: keys
                    .optional("expires-because")?
                    .unwrap_or(EndCause::TimeLimit),
            }),
            None => None,
        },
        start_from: keys.parse("start-from")?,
        ended: match keys.optional("ended-reason")? {
            Some(reason) => Some(GrantEnd {
                reason,
                at: keys.parse("ended-at")?,
            }),
            None => None,
        },
        messages: Messages {
            newest: keys.text("message-sent-by").ok().map(str::to_owned),
            receipt: keys.text("receipt-sent-by").ok().map(str::to_owned),
            sent_at: keys.times("messages-sent-at")?,
        },
        place_taken_at: keys.optional("place-taken-at")?,
        reminded_for: keys.optional("reminded-for")?,
        test_requested_at: keys.optional("test-requested-at")?,
        signed_out_at: keys.optional("signed-out-at")?,
        move_asked_at: keys.optional("move-asked-at")?,
        workload_secret: keys.text("workload-secret").ok().map(str::to_owned),
        deletion_policy: keys.optional("deletion-policy")?.unwrap_or_default(),
        orphaned_at: keys.optional("orphaned-at")?,
    })
}

struct Keys<'a>(Option<&'a BTreeMap<String, ByteString>>);

impl<'a> Keys<'a> {
    fn text(&self, key: &'static str) -> Result<&'a str, BadGrant> {
        let value = self
            .0
            .and_then(|data| data.get(key))
            .and_then(|value| std::str::from_utf8(&value.0).ok());
        value.filter(|value| !value.is_empty()).ok_or(BadGrant(key))
    }

    fn parse<T: std::str::FromStr>(&self, key: &'static str) -> Result<T, BadGrant> {
        self.text(key)?.parse().map_err(|_| BadGrant(key))
    }

    fn optional<T: std::str::FromStr>(&self, key: &'static str) -> Result<Option<T>, BadGrant> {
        match self.text(key) {
            Ok(text) => text.parse().map(Some).map_err(|_| BadGrant(key)),
            Err(_) => Ok(None),
        }
    }

    /// Times with spaces between them; none where the key is missing.
    fn times(&self, key: &'static str) -> Result<Vec<Timestamp>, BadGrant> {
        let words = self.text(key).unwrap_or_default().split(' ');
        words
            .filter(|word| !word.is_empty())
            .map(|word| word.parse().map_err(|_| BadGrant(key)))
            .collect()
    }
}

/// As [`Keys::times`] reads them.
fn times(times: &[Timestamp]) -> Option<String> {
    let words: Vec<String> = times.iter().map(Timestamp::to_string).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Writes a grant. `resource_version` guards a replacement; `None` creates.
pub fn secret(grant: &Grant, namespace: &str, resource_version: Option<String>) -> Secret {
    let time = |time: Timestamp| time.to_string();
    let some = |key: &'static str, value: Option<String>| value.map(|value| (key, value));
    let keys = [
        some(
            "refresh-token",
            Some(grant.refresh_token.expose_secret().to_owned()),
        ),
        some(
            "access-token",
            Some(grant.access.token.expose_secret().to_owned()),
        ),
        some("access-token-issued-at", Some(time(grant.access.issued_at))),
        some(
            "access-token-expires-at",
            Some(time(grant.access.expires_at)),
        ),
        some("iss", Some(grant.account.issuer.clone())),
        some("sub", Some(grant.account.subject.clone())),
        some("email", Some(grant.account.email.to_string())),
        some("email-address", Some(grant.email_address.to_string())),
        some(
            "scopes",
            Some(grant.scopes.iter().cloned().collect::<Vec<_>>().join(" ")),
        ),
        some(CLIENT_ID, Some(grant.client_id.clone())),
        some(REDIRECT_URI, grant.redirect_uri.clone()),
        some("token-endpoint", Some(grant.token_endpoint.to_string())),
        some("profile", Some(grant.profile.to_string())),
        some("signed-in-at", Some(time(grant.signed_in_at))),
        some("expires-at", grant.ends.map(|end| time(end.at))),
        some(
            "expires-because",
            grant.ends.map(|end| end.cause.to_string()),
        ),
        some("start-from", Some(time(grant.start_from))),
        some(
            "ended-reason",
            grant.ended.map(|end| end.reason.to_string()),
        ),
        some("ended-at", grant.ended.map(|end| time(end.at))),
        some("message-sent-by", grant.messages.newest.clone()),
        some("receipt-sent-by", grant.messages.receipt.clone()),
        some("messages-sent-at", times(&grant.messages.sent_at)),
        some("place-taken-at", grant.place_taken_at.map(time)),
        some("reminded-for", grant.reminded_for.map(time)),
        some("test-requested-at", grant.test_requested_at.map(time)),
        some("signed-out-at", grant.signed_out_at.map(time)),
        some("move-asked-at", grant.move_asked_at.map(time)),
        some("workload-secret", grant.workload_secret.clone()),
        some("deletion-policy", Some(grant.deletion_policy.to_string())),
        some("orphaned-at", grant.orphaned_at.map(time)),
    ];
    Secret {
        metadata: ObjectMeta {
            name: Some(name(&grant.mailbox_uid)),
            namespace: Some(namespace.to_owned()),
            resource_version,
            labels: Some(BTreeMap::from([
                (UID_LABEL.to_owned(), grant.mailbox_uid.clone()),
                (NAMESPACE_LABEL.to_owned(), grant.mailbox.namespace.clone()),
                (NAME_LABEL.to_owned(), grant.mailbox.name.clone()),
                (ACCOUNT_LABEL.to_owned(), account_label(&grant.account)),
                (
                    "app.kubernetes.io/managed-by".to_owned(),
                    "gmail-operator".to_owned(),
                ),
            ])),
            ..ObjectMeta::default()
        },
        type_: Some(GRANT_TYPE.to_owned()),
        data: Some(
            keys.into_iter()
                .flatten()
                .map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes())))
                .collect(),
        ),
        ..Secret::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{DeletionPolicy, Reason};

    fn grant() -> Grant {
        let address = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text}"));
        let time = |second| Timestamp::from_second(second).unwrap_or_default();
        Grant {
            mailbox: ObjectName::new("crm", "support"),
            mailbox_uid: "u-1".into(),
            email_address: address("support@example.com"),
            account: Account {
                issuer: "https://accounts.google.com".into(),
                subject: "42".into(),
                email: address("ann@example.com"),
            },
            scopes: ["openid".to_owned(), "https://mail.google.com/".to_owned()].into(),
            client_id: "1-a".into(),
            redirect_uri: Some("https://mail.example.com/oauth2/callback".into()),
            token_endpoint: "https://oauth.lab:8443/token"
                .parse()
                .unwrap_or_else(|_| unreachable!()),
            profile: ObjectName::new("mail", "google"),
            refresh_token: RefreshToken::new("1//r"),
            access: Access {
                token: AccessToken::new("ya29.a"),
                issued_at: time(10),
                expires_at: time(3609),
            },
            signed_in_at: time(5),
            ends: Some(KnownEnd {
                at: time(9_000),
                cause: EndCause::Testing,
            }),
            start_from: time(5),
            ended: Some(GrantEnd {
                reason: Reason::ConsentExpired,
                at: time(77),
            }),
            messages: Messages {
                newest: Some("abc".into()),
                receipt: Some("aa".into()),
                sent_at: vec![time(1_800_000_000), time(1_800_000_060)],
            },
            place_taken_at: Some(time(150)),
            reminded_for: Some(time(9_000)),
            test_requested_at: Some(time(200)),
            signed_out_at: Some(time(300)),
            move_asked_at: Some(time(400)),
            workload_secret: Some("support-gmail".into()),
            deletion_policy: DeletionPolicy::Retain,
            orphaned_at: Some(time(99)),
        }
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        let bare = Grant {
            redirect_uri: None,
            ends: None,
            reminded_for: None,
            test_requested_at: None,
            signed_out_at: None,
            move_asked_at: None,
            workload_secret: None,
            ended: None,
            messages: Messages::default(),
            place_taken_at: None,
            orphaned_at: None,
            ..grant()
        };
        for grant in [grant(), bare] {
            assert_eq!(parse(&secret(&grant, "gmail-operator", None)), Ok(grant));
        }
    }

    #[test]
    fn a_grant_that_names_no_server_is_of_google() {
        let mut secret = secret(&grant(), "gmail-operator", None);
        secret.data.get_or_insert_default().remove("token-endpoint");
        let google = OAuthEndpoints::google().token;
        assert_eq!(parse(&secret).map(|grant| grant.token_endpoint), Ok(google));
    }

    #[test]
    fn a_missing_or_spoilt_key_is_named() {
        for key in [
            "refresh-token",
            "access-token-expires-at",
            "email",
            "profile",
            "ended-at",
        ] {
            for spoilt in [None, Some(vec![0xff])] {
                let mut secret = secret(&grant(), "gmail-operator", None);
                let data = secret.data.get_or_insert_default();
                data.remove(key);
                data.extend(spoilt.map(|bytes| (key.to_owned(), ByteString(bytes))));
                assert_eq!(parse(&secret), Err(BadGrant(key)));
            }
        }
    }

    #[test]
    fn a_redirect_is_proved_for_one_client_and_one_uri() {
        let uri = "https://mail.example.com/oauth2/callback";
        let proves = |grant: &Grant, client_id, uri| {
            proves_redirect(&secret(grant, "gmail-operator", None), client_id, uri)
        };
        assert!(proves(&grant(), "1-a", uri));
        assert!(!proves(&grant(), "1-b", uri));
        assert!(!proves(
            &grant(),
            "1-a",
            "https://mail.example.com/oauth2/callback/"
        ));
        let older = Grant {
            redirect_uri: None,
            ..grant()
        };
        assert!(!proves(&older, "1-a", uri));
    }

    #[test]
    fn tokens_are_not_printed() {
        let text = format!("{:?}", grant());
        assert!(!text.contains("1//r") && !text.contains("ya29.a"), "{text}");
    }
}
