//! What is kept in the browser: sealed with the keys of `keys`, and told apart by name from those of
//! other kinds, other Mailboxes and other installations on the same host.

use std::convert::Infallible;

use axum::http::HeaderMap;
use axum::response::{IntoResponseParts, ResponseParts};
use axum_extra::extract::cookie::{Cookie, CookieJar, PrivateCookieJar};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Web;
use super::keys::{CookieKeys, KeyError};
use crate::domain::console::PublicUrl;
use crate::domain::schedule::digest;

/// How many of a kind one browser keeps: a page in several tabs works, and the `Cookie` header stays
/// below what proxies accept (8 KiB).
const MOST: usize = 4;
/// The most cookies that are dropped at once.
const MOST_DROPPED: usize = 20;

/// What a cookie may hold. There is no `Debug`: what is sealed is not printed.
pub(super) trait Kept: Serialize + DeserializeOwned {
    /// The kind, in the cookie's name.
    const KIND: &'static str;
    /// How long browsers keep it, in seconds. Until when it counts is written in it, and shorter
    /// where it is to be told that it came too late.
    const MAX_AGE: i64;

    /// What tells it from others of its kind; a digest of it is in the name.
    fn id(&self) -> &str;
    /// Until when it counts, in milliseconds since 1970. Browsers keep to `Max-Age`, others need not.
    fn expires_at(&self) -> i64;
}

/// Whether a time, in milliseconds since 1970, is still to come and at most `longest` seconds away:
/// more is left where a clock was wrong, or the cookie is not of this version.
pub(super) fn is_left(expires_at: i64, longest: i64, now: Timestamp) -> bool {
    let left = expires_at.saturating_sub(now.as_millisecond());
    (1..=longest.saturating_mul(1000)).contains(&left)
}

/// The cookies of one request, and what its answer makes of them.
pub(super) struct Cookies {
    jar: CookieJar,
    sealed: Vec<PrivateCookieJar>,
    names: Names,
}

/// How the cookies of this installation are called.
#[derive(Clone)]
struct Names {
    https: bool,
    installation: String,
}

impl Cookies {
    /// Those of a request to the installation at `url`.
    pub fn new(headers: &HeaderMap, url: &PublicUrl) -> Self {
        Self {
            jar: CookieJar::from_headers(headers),
            sealed: Vec::new(),
            names: Names {
                https: url.secure_cookies(),
                installation: digest(&[&url.to_string()]),
            },
        }
    }

    /// Whether the browser sent the one called `id`, whatever is in it.
    pub fn has<T: Kept>(&self, id: &str) -> bool {
        self.jar.get(&self.names.of::<T>(id)).is_some()
    }

    /// Whether the browser sent any of the kind.
    pub fn has_any<T: Kept>(&self) -> bool {
        let prefix = self.names.prefix::<T>();
        self.jar.iter().any(|c| c.name().starts_with(&prefix))
    }

    /// The one called `id`; `None` also for one that none of `keys` opens.
    pub fn open<T: Kept>(&self, id: &str, keys: &CookieKeys) -> Option<T> {
        let found: T = read(self.jar.get(&self.names.of::<T>(id))?, keys)?;
        (found.id() == id).then_some(found)
    }

    /// Has the browser keep `what`, and drop the oldest of the kind where there would be too many.
    ///
    /// # Errors
    /// Where it cannot be written down.
    pub fn keep<T: Kept>(
        mut self,
        what: &T,
        keys: &CookieKeys,
        now: Timestamp,
    ) -> serde_json::Result<Self> {
        let name = self.names.of::<T>(what.id());
        let prefix = self.names.prefix::<T>();
        let mut others: Vec<(i64, String)> = self
            .jar
            .iter()
            .filter(|cookie| cookie.name().starts_with(&prefix) && cookie.name() != name)
            .map(|cookie| {
                let ends = read::<T>(cookie, keys).map_or(0, |kept| kept.expires_at());
                (ends, cookie.name().to_owned())
            })
            .collect();
        others.sort_by(|a, b| b.cmp(a));
        let alive = others
            .iter()
            .filter(|(ends, _)| *ends > now.as_millisecond());
        let stay = alive.count().min(MOST - 1);
        for (_, name) in others.into_iter().skip(stay).take(MOST_DROPPED) {
            self.jar = self.jar.remove(self.names.cookie::<T>(&name));
        }
        let mut cookie = self.names.cookie::<T>(&name);
        cookie.set_value(serde_json::to_string(what)?);
        self.sealed
            .push(PrivateCookieJar::new(keys.current.clone()).add(cookie));
        Ok(self)
    }

    /// Has the browser drop the one called `id`.
    pub fn drop<T: Kept>(mut self, id: &str) -> Self {
        let cookie = self.names.cookie::<T>(&self.names.of::<T>(id));
        self.jar = self.jar.remove(cookie);
        self
    }
}

impl IntoResponseParts for Cookies {
    type Error = Infallible;

    fn into_response_parts(self, response: ResponseParts) -> Result<ResponseParts, Infallible> {
        let response = self.jar.into_response_parts(response)?;
        self.sealed
            .into_iter()
            .try_fold(response, |response, jar| jar.into_response_parts(response))
    }
}

impl Names {
    /// `__Host-` keeps another host of the same domain from setting it (RFC 6265bis section 4.1.3.2).
    /// Browsers take it with `Secure` alone, and that over https alone. With it the path is `/`, so
    /// the name has to tell installations on one host apart.
    fn prefix<T: Kept>(&self) -> String {
        let host = if self.https { "__Host-" } else { "" };
        format!("{host}gmail-operator-{}-{}-", self.installation, T::KIND)
    }

    fn of<T: Kept>(&self, id: &str) -> String {
        format!("{}{}", self.prefix::<T>(), digest(&[id]))
    }

    /// A cookie without its value. `Lax`, since the way back from Google is a link from another site.
    fn cookie<T: Kept>(&self, name: &str) -> Cookie<'static> {
        let secure = if self.https { "; Secure" } else { "" };
        let age = T::MAX_AGE;
        let text = format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
        Cookie::parse(text).unwrap_or_else(|_| Cookie::from(name.to_owned()))
    }
}

fn read<T: Kept>(cookie: &Cookie<'static>, keys: &CookieKeys) -> Option<T> {
    let keys = std::iter::once(&keys.current).chain(&keys.previous);
    let mut opened = keys.filter_map(|key| {
        let jar: PrivateCookieJar = PrivateCookieJar::new(key.clone());
        jar.decrypt(cookie.clone())
    });
    serde_json::from_str(opened.next()?.value()).ok()
}

impl Web {
    /// The cookies of a request.
    pub(super) fn cookies(&self, headers: &HeaderMap) -> Cookies {
        Cookies::new(headers, &self.settings.public_url)
    }

    /// What the browser keeps under `id`. A cookie that does not open is tried with newer keys, where
    /// another replica may have made some.
    pub(super) async fn kept<T: Kept>(
        &self,
        cookies: &Cookies,
        id: &str,
    ) -> Result<Option<T>, KeyError> {
        if !cookies.has::<T>(id) {
            return Ok(None);
        }
        let keys = self.keys.get().await?;
        if let Some(kept) = cookies.open(id, &keys) {
            return Ok(Some(kept));
        }
        let newer = self.keys.newer().await?;
        Ok(newer.and_then(|keys| cookies.open(id, &keys)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
