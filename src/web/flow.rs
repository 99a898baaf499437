//! One sign-in that is going on, kept in an encrypted cookie of the browser that began it. That
//! binds the way back from Google to that browser and to that Mailbox.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, Key, PrivateCookieJar};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::keys::CookieKeys;
use super::link::Link;
use crate::domain::schedule::digest;
use crate::domain::secret::{CodeVerifier, SignInNonce};

/// How long a person may take at Google, in seconds.
const LIFE: i64 = 600;
/// How many sign-ins one browser may have open: a page in several tabs works, and the `Cookie`
/// header stays below what proxies accept (8 KiB).
const MAX_FLOWS: usize = 5;
/// The most cookies that are dropped at once.
const MAX_DROPPED: usize = 20;

/// What must be the same on the way back. Sealed in the cookie; there is no `Debug`, since `state`,
/// `nonce` and `verifier` protect the sign-in.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Flow {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub issuer: String,
    pub token_endpoint: String,
    pub state: String,
    nonce: String,
    verifier: String,
    /// Milliseconds since 1970. Browsers keep to `Max-Age`, others need not.
    expires_at: i64,
}

/// The secrets of a sign-in.
pub(super) struct FlowSecrets<'a> {
    pub state: String,
    pub nonce: &'a str,
    pub verifier: &'a str,
}

/// With what a sign-in is bound.
pub(super) struct Binding<'a> {
    pub link: &'a Link,
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub issuer: &'a str,
    pub token_endpoint: &'a str,
}

impl Flow {
    pub fn new(binding: &Binding<'_>, secrets: FlowSecrets<'_>, now: Timestamp) -> Self {
        Self {
            namespace: binding.link.mailbox.namespace.clone(),
            name: binding.link.mailbox.name.clone(),
            uid: binding.link.uid.clone(),
            client_id: binding.client_id.to_owned(),
            redirect_uri: binding.redirect_uri.to_owned(),
            issuer: binding.issuer.to_owned(),
            token_endpoint: binding.token_endpoint.to_owned(),
            state: secrets.state,
            nonce: secrets.nonce.to_owned(),
            verifier: secrets.verifier.to_owned(),
            expires_at: now.as_millisecond().saturating_add(LIFE * 1000),
        }
    }

    /// The Mailbox that it is for.
    pub fn link(&self) -> Option<Link> {
        Link::new(&self.namespace, &self.name, &self.uid)
    }

    pub fn nonce(&self) -> SignInNonce {
        SignInNonce::new(self.nonce.as_str())
    }

    pub fn verifier(&self) -> CodeVerifier {
        CodeVerifier::new(self.verifier.as_str())
    }

    /// Whether an answer with `state` that comes `now` belongs to it.
    pub fn fits(&self, state: &str, now: Timestamp) -> bool {
        let left = self.expires_at.saturating_sub(now.as_millisecond());
        // More than a life is left where a clock was wrong, or the cookie is not of this version.
        (1..=LIFE * 1000).contains(&left) && same(&self.state, state)
    }
}

/// Compares in a time that does not tell where the texts differ.
fn same(a: &str, b: &str) -> bool {
    let differs = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && std::hint::black_box(differs) == 0
}

/// The cookies of one request, as far as they are sign-ins.
pub(super) struct FlowCookies {
    jar: CookieJar,
    https: bool,
}

impl FlowCookies {
    /// `https`: whether cookies are to be `Secure`.
    pub fn new(headers: &HeaderMap, https: bool) -> Self {
        Self {
            jar: CookieJar::from_headers(headers),
            https,
        }
    }

    /// The sign-in with `state`; `None` also for a cookie that none of `keys` opens.
    pub fn open(&self, state: &str, keys: &CookieKeys) -> Option<Flow> {
        read(self.jar.get(&self.name(state))?, keys)
    }

    /// Whether the browser sent a cookie for `state` at all.
    pub fn has(&self, state: &str) -> bool {
        self.jar.get(&self.name(state)).is_some()
    }

    /// Adds `flow`, and drops the oldest where there would be too many.
    pub fn begin(
        self,
        flow: &Flow,
        keys: &CookieKeys,
        now: Timestamp,
    ) -> serde_json::Result<(CookieJar, PrivateCookieJar)> {
        let mut open: Vec<(i64, String)> = self
            .jar
            .iter()
            .filter(|cookie| cookie.name().starts_with(prefix(self.https)))
            .map(|cookie| {
                let ends = read(cookie, keys).map_or(0, |flow| flow.expires_at);
                (ends, cookie.name().to_owned())
            })
            .collect();
        open.sort_by(|a, b| b.cmp(a));
        let alive = open.iter().filter(|(ends, _)| *ends > now.as_millisecond());
        let kept = alive.count().min(MAX_FLOWS - 1);
        let dropped = open.into_iter().skip(kept).take(MAX_DROPPED);
        let name = self.name(&flow.state);
        let https = self.https;
        let jar = dropped.fold(self.jar, |jar, (_, name)| jar.remove(cookie(&name, https)));
        let mut sealed = cookie(&name, https);
        sealed.set_value(serde_json::to_string(flow)?);
        let key: Key = keys.current.clone();
        Ok((jar, PrivateCookieJar::new(key).add(sealed)))
    }

    /// Drops the sign-in with `state`: it is over.
    pub fn end(self, state: &str) -> CookieJar {
        let name = self.name(state);
        self.jar.remove(cookie(&name, self.https))
    }

    /// The name tells two sign-ins of a browser apart, and nothing of their `state`.
    fn name(&self, state: &str) -> String {
        format!("{}{}", prefix(self.https), digest(&[state]))
    }
}

/// `__Host-` keeps another host of the same domain from setting it (RFC 6265bis section 4.1.3.2).
/// Browsers take it with `Secure` alone, and that over https alone.
fn prefix(https: bool) -> &'static str {
    match https {
        true => "__Host-gmail-operator-signin-",
        false => "gmail-operator-signin-",
    }
}

/// A cookie without its value. `Lax`, since the way back from Google is a link from another site.
fn cookie(name: &str, https: bool) -> Cookie<'static> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age={LIFE}{secure}");
    Cookie::parse(text).unwrap_or_else(|_| Cookie::from(name.to_owned()))
}

fn read(cookie: &Cookie<'static>, keys: &CookieKeys) -> Option<Flow> {
    let keys = std::iter::once(&keys.current).chain(&keys.previous);
    let mut opened = keys.filter_map(|key| {
        let jar: PrivateCookieJar = PrivateCookieJar::new(key.clone());
        jar.decrypt(cookie.clone())
    });
    serde_json::from_str(opened.next()?.value()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
