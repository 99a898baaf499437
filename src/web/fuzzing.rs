//! For `tests/fuzz`: what reads a browser's query and cookies, without a cluster.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::IntoResponse;
use axum_extra::extract::cookie::Key;
use jiff::Timestamp;
use serde_json::Value;

use super::answer::{Answer, Outcome as Answered};
use super::cookies::{Cookies, Kept};
use super::flow::{Binding, Flow, FlowSecrets, Purpose};
use super::keys::CookieKeys;
use super::link::Link;
use super::outcome::{News, Outcome};
use super::session::Session;
use super::stopped::Stopped;
use crate::domain::console::PublicUrl;
use crate::domain::secret::ExposeSecret;
use crate::google::Identity;

/// A callback's query that was read.
pub struct Read {
    pub state: String,
    pub iss: Option<String>,
    pub code: Option<String>,
    pub error: Option<String>,
    /// All that a log could get of it.
    pub told: String,
}

/// Reads the query of a callback.
pub fn read(query: &str) -> Option<Read> {
    let answer = Answer::parse(query)?;
    let (code, error) = match &answer.outcome {
        Answered::Code(code) => (Some(code.expose_secret().to_owned()), None),
        Answered::Error(error) => (None, Some(error.clone())),
    };
    let mut told = format!("{:?}", answer.outcome);
    if let Some(error) = &error {
        told = format!("{:?}", Stopped::said(error));
    }
    Some(Read {
        state: answer.state,
        iss: answer.iss,
        code,
        error,
        told,
    })
}

const UID: &str = "0b6f2d6e-4f0e-4b0a-9f57-2b8f3c1d9e10";
const STATE: &str = "state-of-this-sign-in";

/// An installation that seals cookies, one of each kind.
pub struct Installation {
    keys: CookieKeys,
    url: PublicUrl,
    now: Timestamp,
}

/// One cookie as a browser would send it, and what is in it.
pub struct Sealed {
    pub name: String,
    pub value: String,
    pub inside: Value,
}

impl Installation {
    /// With a key of 64 bytes.
    pub fn new(key: &[u8; 64]) -> Option<Self> {
        Some(Self {
            keys: CookieKeys {
                current: Key::from(key),
                previous: None,
            },
            url: "http://localhost:8080".parse().ok()?,
            now: Timestamp::now(),
        })
    }

    /// A sign-in, a session and an outcome, in this order.
    pub fn sealed(&self) -> Option<[Sealed; 3]> {
        let link = Link::new("crm", "support", UID)?;
        let binding = Binding {
            purpose: Purpose::Consent,
            link: &link,
            client_id: "1-a",
            redirect_uri: "http://localhost:8080/oauth2/callback",
            issuer: "https://accounts.google.com",
            token_endpoint: "https://oauth2.googleapis.com/token",
        };
        let secrets = FlowSecrets {
            state: STATE.to_owned(),
            nonce: "nonce",
            verifier: "verifier",
        };
        let identity = Identity {
            issuer: "https://accounts.google.com".to_owned(),
            subject: "1".to_owned(),
            email: "ann@example.com".to_owned(),
            email_verified: true,
            hosted_domain: None,
        };
        Some([
            self.seal(&Flow::new(&binding, secrets, self.now))?,
            self.seal(&Session::new(UID, &identity, self.now))?,
            self.seal(&Outcome::new(UID, News::SignedOut, self.now))?,
        ])
    }

    /// What opens of a `Cookie` header, in the same order.
    pub fn opened(&self, header: &str) -> [Option<Value>; 3] {
        let cookies = self.cookies(header);
        [
            self.open::<Flow>(&cookies, STATE),
            self.open::<Session>(&cookies, UID),
            self.open::<Outcome>(&cookies, UID),
        ]
    }

    /// The `Set-Cookie` headers of an answer that keeps one more outcome.
    pub fn kept(&self, header: &str) -> Vec<String> {
        let outcome = Outcome::new(UID, News::SignedOut, self.now);
        let kept = self.cookies(header).keep(&outcome, &self.keys, self.now);
        kept.map(set_cookies).unwrap_or_default()
    }

    fn cookies(&self, header: &str) -> Cookies {
        let mut headers = HeaderMap::new();
        if let Ok(header) = header.parse() {
            headers.insert(COOKIE, header);
        }
        Cookies::new(&headers, &self.url)
    }

    fn open<T: Kept>(&self, cookies: &Cookies, id: &str) -> Option<Value> {
        serde_json::to_value(cookies.open::<T>(id, &self.keys)?).ok()
    }

    fn seal<T: Kept>(&self, what: &T) -> Option<Sealed> {
        let kept = self.cookies("").keep(what, &self.keys, self.now).ok()?;
        let set = set_cookies(kept).into_iter().next()?;
        let (name, value) = set.split(';').next()?.split_once('=')?;
        Some(Sealed {
            name: name.to_owned(),
            value: value.to_owned(),
            inside: serde_json::to_value(what).ok()?,
        })
    }
}

fn set_cookies(cookies: Cookies) -> Vec<String> {
    let response = (cookies, ()).into_response();
    let set = response.headers().get_all(SET_COOKIE).iter();
    set.filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect()
}
