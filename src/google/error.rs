use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use oauth2::ErrorResponse;
use oauth2::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::domain::circuit::Health;
use crate::domain::egress::NotAllowed;
use crate::domain::failure::server_reply;
use crate::domain::refusal::Refusal;
use crate::domain::server::Endpoint;
use crate::net::http::HttpError;

/// The longest error code that is taken for one, in characters. Google's longest is
/// `unsupported_grant_type`.
const MAX_CODE: usize = 64;

/// The longest description that is kept, in characters.
const MAX_DESCRIPTION: usize = 200;

/// The shortest text that is looked for as a secret. What is shorter guards nothing, and removing
/// it would tear words apart.
const MIN_SECRET: usize = 8;

/// Codes that say "not now": Chromium's google_apis/gaia/oauth2_access_token_fetcher_impl.cc and
/// google-auth's google/oauth2/_client.py retry on them.
const NOT_NOW: [&str; 4] = [
    "rate_limit_exceeded",
    "internal_failure",
    "server_error",
    "temporarily_unavailable",
];

/// Why an OAuth request has no result.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OAuthError {
    /// The server said no, in OAuth's own words. Nothing else ends a grant.
    #[error("{}", .0.words())]
    Refused(Refusal),
    /// The server could not be asked, or cannot answer now: nothing is known.
    #[error("{doing}: {detail}")]
    Unavailable {
        /// What was being done: "renewing the access token".
        doing: &'static str,
        /// What went wrong, without a full stop.
        detail: String,
        /// Of which kind that is.
        kind: Trouble,
        /// How long the server asks to be left alone: its `Retry-After`, at most an hour.
        pause: Option<Duration>,
    },
    /// The egress policy forbids the connection.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
}

/// What keeps an answer away, as far as it differs in who must act. None of it ends anything: a
/// captive portal, an inspecting proxy or a wrong setting may be put right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// No answer, or one of a server that fails (5xx): the network or the server, which mend
    /// themselves or not.
    Down,
    /// The server is there and says "not now".
    Busy,
    /// The server's certificate is not trusted, or TLS is not spoken.
    NotTrusted,
    /// The proxy on the way is not there, or is none.
    ProxyDown,
    /// The proxy on the way says no.
    ProxyRefused,
    /// What answered does not speak OAuth.
    NotOAuth,
}

impl OAuthError {
    pub(super) fn trouble(kind: Trouble, doing: &'static str, detail: impl Into<String>) -> Self {
        Self::Unavailable {
            doing,
            detail: detail.into(),
            kind,
            pause: None,
        }
    }

    /// What it says of the server's health. A refusal is an answer like any other.
    pub fn health(&self) -> Health {
        match self {
            Self::Refused(_) => Health::Sound,
            Self::NotAllowed(_) => Health::Unclear,
            Self::Unavailable { kind, .. } => match kind {
                Trouble::Down
                | Trouble::NotTrusted
                | Trouble::ProxyDown
                | Trouble::ProxyRefused => Health::Failing,
                Trouble::Busy | Trouble::NotOAuth => Health::Unclear,
            },
        }
    }

    /// How long nothing may be sent, where the server said so: at most an hour.
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { pause, .. } => *pause,
            Self::Refused(_) | Self::NotAllowed(_) => None,
        }
    }
}

/// Why a request has no answer in OAuth's words.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// No answer at all.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer of a server that fails or is busy.
    #[error("{host} answered HTTP {}", status.as_u16())]
    NotNow {
        host: Endpoint,
        status: StatusCode,
        pause: Option<Duration>,
    },
    /// An answer of somebody else, such as a proxy, a load balancer or a web site.
    #[error("{host} answered HTTP {}{}, not as an OAuth server does", status.as_u16(), .with.words())]
    NotOAuth {
        host: Endpoint,
        status: StatusCode,
        with: Foreign,
    },
}

/// What an answer is that is not OAuth's. Nothing of it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Foreign {
    Redirect,
    WebPage,
    Unknown,
}

impl Foreign {
    fn words(self) -> &'static str {
        match self {
            Self::Redirect => " with a redirect, which is not followed",
            Self::WebPage => " with a web page",
            Self::Unknown => "",
        }
    }
}

impl NoAnswer {
    pub(super) fn while_doing(self, doing: &'static str) -> OAuthError {
        let detail = self.to_string();
        let (kind, pause) = match self {
            Self::Http(HttpError::NotAllowed(not_allowed)) => {
                return OAuthError::NotAllowed(not_allowed);
            }
            Self::Http(HttpError::Tls { .. }) => (Trouble::NotTrusted, None),
            Self::Http(HttpError::ProxyUnavailable { .. }) => (Trouble::ProxyDown, None),
            Self::Http(HttpError::ProxyRefused { .. }) => (Trouble::ProxyRefused, None),
            Self::Http(_) => (Trouble::Down, None),
            Self::NotNow { status, pause, .. } => match status.is_server_error() {
                true => (Trouble::Down, pause),
                false => (Trouble::Busy, pause),
            },
            Self::NotOAuth { .. } => (Trouble::NotOAuth, None),
        };
        OAuthError::Unavailable {
            doing,
            detail,
            kind,
            pause,
        }
    }
}

/// An error as the server wrote it (RFC 6749 section 5.2, RFC 7009 section 2.2.1, and Google's
/// `error_subtype`). Not to be shown: only what [`Said::judge`] makes of it is.
#[derive(Deserialize, Serialize)]
pub(super) struct Said {
    error: String,
    error_description: Option<String>,
    error_subtype: Option<String>,
}

impl ErrorResponse for Said {}

/// The `oauth2` crate asks for it; the server's words may hold a secret, so they are not in it.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said").finish_non_exhaustive()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an OAuth error")
    }
}

impl Said {
    /// Whether a body is an error in OAuth's words.
    pub(super) fn is_in(body: &[u8]) -> bool {
        serde_json::from_slice::<Self>(body).is_ok()
    }

    /// What the server said, made safe to show: bounded, printable, on one line, without the
    /// `secrets` of the request, which a server may repeat.
    pub(super) fn judge(self, doing: &'static str, secrets: &[&str]) -> OAuthError {
        let Some(error) = code(&self.error, secrets) else {
            let words = "the answer has no error code that can be read";
            return OAuthError::trouble(Trouble::NotOAuth, doing, words);
        };
        let refusal = Refusal {
            error,
            description: description(&self.error_description.unwrap_or_default(), secrets),
            subtype: code(&self.error_subtype.unwrap_or_default(), secrets).unwrap_or_default(),
        };
        if NOT_NOW.contains(&refusal.error.as_str()) {
            return OAuthError::trouble(Trouble::Busy, doing, refusal.words());
        }
        OAuthError::Refused(refusal)
    }
}

fn code(said: &str, secrets: &[&str]) -> Option<String> {
    let is_code = (1..=MAX_CODE).contains(&said.len())
        && said.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        && !spellings(secrets).any(|secret| said.contains(secret.as_ref()));
    is_code.then(|| said.to_owned())
}

fn description(said: &str, secrets: &[&str]) -> String {
    // RFC 6749 allows printable ASCII alone. Made so first, since a secret with a character in it
    // that disappears later would not be found.
    let printable: String = said
        .chars()
        .map(|c| match c {
            ' '..='~' => c,
            c if c.is_whitespace() => ' ',
            _ => '?',
        })
        .collect();
    let spellings: Vec<_> = spellings(secrets).collect();
    let secrets: Vec<&str> = spellings.iter().map(Cow::as_ref).collect();
    let clean = server_reply(&printable, &secrets).unwrap_or_default();
    clean.chars().take(MAX_DESCRIPTION).collect()
}

/// The secrets that are long enough to be looked for, as they are and as a form has them.
fn spellings<'a>(secrets: &'a [&str]) -> impl Iterator<Item = Cow<'a, str>> {
    secrets
        .iter()
        .filter(|secret| secret.len() >= MIN_SECRET)
        .flat_map(|secret| {
            let in_a_form: String =
                url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            [Cow::Borrowed(*secret), Cow::Owned(in_a_form)]
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SECRET: &str = "4/0Acode+code";

    fn judged(json: &str) -> OAuthError {
        let said: Said = serde_json::from_str(json).unwrap();
        said.judge("testing", &[SECRET, "a"])
    }

    fn refusal(error: &str, description: &str, subtype: &str) -> OAuthError {
        OAuthError::Refused(Refusal {
            error: error.into(),
            description: description.into(),
            subtype: subtype.into(),
        })
    }

    #[test]
    fn a_refusal_in_oauth_words() {
        assert_eq!(
            judged(
                r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_subtype":"invalid_rapt","error_uri":"https://x"}"#
            ),
            refusal(
                "invalid_grant",
                "reauth related error (invalid_rapt)",
                "invalid_rapt"
            ),
        );
        assert_eq!(judged(r#"{"error":"x"}"#), refusal("x", "", ""));
    }

    #[test]
    fn not_now_is_no_refusal() {
        for code in NOT_NOW {
            let error = judged(&format!(r#"{{"error":"{code}"}}"#));
            assert_eq!(error, OAuthError::trouble(Trouble::Busy, "testing", code));
        }
    }

    #[test]
    fn hostile_words_are_made_safe() {
        let long = "x".repeat(1000);
        let said = |description: &str| {
            let json = serde_json::json!({"error": "e", "error_description": description});
            match judged(&json.to_string()) {
                OAuthError::Refused(refusal) => refusal.description,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(said(&long).len(), MAX_DESCRIPTION);
        assert_eq!(said("one\r\ntwo\u{1b}[31m\u{202e}"), "one two?[31m?");
        assert_eq!(said("bad 4/0Acode+code."), "bad ….");
        assert_eq!(said("bad 4%2F0Acode%2Bcode."), "bad ….");
        for code in ["", &long, "two\nlines", "ä", "bad 4/0Acode+code"] {
            let json = serde_json::json!({"error": code});
            let error = judged(&json.to_string());
            assert!(matches!(error, OAuthError::Unavailable { .. }), "{code:?}");
        }
    }

    #[test]
    fn other_json_is_not_oauth() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"error":{"code":403,"message":"Forbidden"}}"#,
            "<html>",
        ] {
            assert!(!Said::is_in(body.as_bytes()), "{body}");
        }
    }
}
