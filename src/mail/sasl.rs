//! The two ways to log in with an access token: XOAUTH2 and OAUTHBEARER.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::authentication::{Credentials, Mechanism as LettreMechanism};
use lettre::transport::smtp::commands::Auth;
use serde::Deserialize;
use serde_json::Value;

use super::MailAccount;
use crate::domain::failure::server_reply;
use crate::domain::secret::{AccessToken, ExposeSecret, SecretString};
use crate::domain::server::Endpoint;

/// The scope that Gmail's challenges name
/// (developers.google.com/workspace/gmail/imap/xoauth2-protocol).
const MAIL_SCOPE: &str = "https://mail.google.com/";

/// The longest challenge that is read, in characters of base64. Gmail's have about a hundred.
const MAX_CHALLENGE: usize = 2048;

/// A SASL mechanism.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mechanism {
    /// Google's own, which it documents best: preferred.
    Xoauth2,
    /// RFC 7628.
    OauthBearer,
}

impl Mechanism {
    /// As it stands on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Mechanism::Xoauth2 => "XOAUTH2",
            Mechanism::OauthBearer => "OAUTHBEARER",
        }
    }

    /// What is sent to the challenge of a refused login, in base64, so that the refusal follows:
    /// nothing (Google's page), or one 0x01 (RFC 7628 section 3.2.3).
    pub(super) fn resignation(self) -> &'static str {
        match self {
            Mechanism::Xoauth2 => "",
            Mechanism::OauthBearer => "AQ==",
        }
    }
}

/// What a server told of the mechanisms that it takes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Offer {
    /// That it told any.
    pub(super) told: bool,
    xoauth2: bool,
    oauth_bearer: bool,
}

impl Offer {
    /// Notes one mechanism.
    pub(super) fn add(&mut self, name: &str) {
        self.told = true;
        self.xoauth2 |= name.eq_ignore_ascii_case(Mechanism::Xoauth2.name());
        self.oauth_bearer |= name.eq_ignore_ascii_case(Mechanism::OauthBearer.name());
    }

    /// The mechanism to log in with. A server that tells none may have all.
    pub(super) fn choice(self) -> Option<Mechanism> {
        match self {
            Self { told: false, .. } | Self { xoauth2: true, .. } => Some(Mechanism::Xoauth2),
            Self { oauth_bearer, .. } => oauth_bearer.then_some(Mechanism::OauthBearer),
        }
    }
}

/// A login with XOAUTH2: `user=…\x01auth=Bearer …\x01\x01` in base64, as each protocol takes it
/// (developers.google.com/workspace/gmail/imap/xoauth2-protocol). It is as good as the token, so
/// it cannot be printed either.
#[derive(Clone, Debug)]
pub struct Xoauth2(SecretString);

impl Xoauth2 {
    /// The login of `account`.
    pub fn new(account: MailAccount<'_>) -> Self {
        let token = account.token.expose_secret().to_owned();
        let credentials = Credentials::new(account.user.to_owned(), token);
        // lettre knows the mechanism; without a challenge there is nothing in it that can fail.
        let command = Auth::new(LettreMechanism::Xoauth2, credentials, None)
            .map(|command| command.to_string())
            .unwrap_or_default();
        let initial_response = command.trim_start_matches("AUTH XOAUTH2 ").trim_end();
        Self(SecretString::from(initial_response))
    }
}

impl ExposeSecret<str> for Xoauth2 {
    /// The base64 text that goes on the wire.
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The login of one account at one server, in either form.
#[derive(Clone, Debug)]
pub(super) struct Login {
    xoauth2: Xoauth2,
    oauth_bearer: SecretString,
    token: AccessToken,
}

impl Login {
    /// The login of `account` at `server`.
    pub(super) fn new(account: MailAccount<'_>, server: &Endpoint) -> Self {
        Self {
            xoauth2: Xoauth2::new(account),
            oauth_bearer: oauth_bearer(account, server),
            token: account.token.clone(),
        }
    }

    /// What is sent to the server's invitation, in base64.
    pub(super) fn response(&self, mechanism: Mechanism) -> &str {
        match mechanism {
            Mechanism::Xoauth2 => self.xoauth2.expose_secret(),
            Mechanism::OauthBearer => self.oauth_bearer.expose_secret(),
        }
    }

    /// A server's words with neither the token nor a login in them: a hostile one may say back what
    /// it was told.
    pub(super) fn safe_reply(&self, raw: &str) -> Option<String> {
        let secrets = [
            self.xoauth2.expose_secret(),
            self.oauth_bearer.expose_secret(),
            self.token.expose_secret(),
        ];
        server_reply(raw, &secrets)
    }

    /// What the challenge of a refused login says: JSON in base64, with a status and the scope that
    /// is needed (RFC 7628 section 3.2.2; Gmail's XOAUTH2 has the same). Empty where it says nothing.
    pub(super) fn challenge_words(&self, challenge: &str) -> String {
        #[derive(Deserialize)]
        struct Challenge {
            status: Option<Value>,
            scope: Option<String>,
        }
        let challenge = challenge.trim();
        let read = (challenge.len() <= MAX_CHALLENGE)
            .then(|| STANDARD.decode(challenge).ok())
            .flatten()
            .and_then(|json| serde_json::from_slice::<Challenge>(&json).ok());
        let Some(Challenge { status, scope }) = read else {
            return String::new();
        };
        let status = match status {
            Some(Value::String(status)) => self.safe_reply(&status),
            Some(Value::Number(status)) => self.safe_reply(&status.to_string()),
            _ => None,
        };
        let scope = scope.and_then(|scope| match scope.trim() {
            // It looks like a link, and is known to be none.
            MAIL_SCOPE => Some(MAIL_SCOPE.to_owned()),
            other => self.safe_reply(other),
        });
        let said = [("status", status), ("scope", scope)];
        let said: Vec<_> = (said.into_iter())
            .filter_map(|(name, value)| Some(format!("{name} {}", value?)))
            .collect();
        match said.is_empty() {
            true => String::new(),
            false => format!("its challenge says {}", said.join(", ")),
        }
    }
}

/// RFC 7628 section 3.1, with the address escaped as RFC 5801 section 4 has it.
fn oauth_bearer(account: MailAccount<'_>, server: &Endpoint) -> SecretString {
    let user = account.user.replace('=', "=3D").replace(',', "=2C");
    let Endpoint { host, port } = server;
    let token = account.token.expose_secret();
    let message =
        format!("n,a={user},\u{1}host={host}\u{1}port={port}\u{1}auth=Bearer {token}\u{1}\u{1}");
    SecretString::from(STANDARD.encode(message))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn login(user: &str, token: &AccessToken) -> Login {
        Login::new(
            MailAccount { user, token },
            &Endpoint::new("imap.gmail.com", 993),
        )
    }

    #[test]
    fn is_what_google_documents_and_cannot_be_printed() {
        let token = AccessToken::new("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
        let login = login("someuser@example.com", &token);
        // The example of Google's page.
        let documented = "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==";
        assert_eq!(login.response(Mechanism::Xoauth2), documented);
        let printed = format!("{login:?}");
        assert!(
            !printed.contains("dXNl") && !printed.contains("ya29"),
            "{printed}"
        );
        let bearer = login.response(Mechanism::OauthBearer);
        let echoed = format!("{documented} and {} or {bearer}", token.expose_secret());
        assert_eq!(login.safe_reply(&echoed).as_deref(), Some("… and … or …"));
    }

    #[test]
    fn oauthbearer_is_what_the_rfc_says() {
        let token = AccessToken::new("ya29.TEST");
        let login = login("a=b,c@example.com", &token);
        let sent = STANDARD
            .decode(login.response(Mechanism::OauthBearer))
            .unwrap();
        assert_eq!(
            String::from_utf8(sent).unwrap(),
            "n,a=a=3Db=2Cc@example.com,\u{1}host=imap.gmail.com\u{1}port=993\u{1}auth=Bearer ya29.TEST\u{1}\u{1}"
        );
        assert_eq!(
            STANDARD
                .decode(Mechanism::OauthBearer.resignation())
                .unwrap(),
            [1]
        );
    }

    #[test]
    fn xoauth2_is_preferred() {
        let offered = |names: &[&str]| {
            let mut offer = Offer::default();
            names.iter().for_each(|name| offer.add(name));
            offer.choice()
        };
        assert_eq!(offered(&[]), Some(Mechanism::Xoauth2));
        assert_eq!(offered(&["PLAIN"]), None);
        assert_eq!(
            offered(&["PLAIN", "oauthbearer"]),
            Some(Mechanism::OauthBearer)
        );
        assert_eq!(
            offered(&["OAUTHBEARER", "xoauth2"]),
            Some(Mechanism::Xoauth2)
        );
    }

    #[test]
    fn challenges_are_read() {
        let token = AccessToken::new("ya29.a0AfH6SMBnotARealToken");
        let login = login("ann@example.com", &token);
        for (json, words) in [
            (
                r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#,
                "its challenge says status 400, scope https://mail.google.com/",
            ),
            (
                r#"{"status":"invalid_request","scope":"https://mail.google.com/"}"#,
                "its challenge says status invalid_request, scope https://mail.google.com/",
            ),
            (r#"{"status":401}"#, "its challenge says status 401"),
            (
                r#"{"status":"ya29.a0AfH6SMBnotARealToken","scope":"https://evil.example/?x"}"#,
                "its challenge says status …, scope (URL)",
            ),
            (r#"{"status":{},"scope":""}"#, ""),
            ("[[[[", ""),
        ] {
            assert_eq!(
                login.challenge_words(&STANDARD.encode(json)),
                words,
                "{json}"
            );
        }
        assert_eq!(login.challenge_words("%%%"), "");
        let long = format!(r#"{{"status":"{}"}}"#, "x".repeat(MAX_CHALLENGE));
        assert_eq!(login.challenge_words(&STANDARD.encode(long)), "");
    }
}
