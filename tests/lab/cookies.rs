//! What the operator seals into a browser's cookies, opened with its own key: as whoever holds the key could.

use anyhow::{Context, Result};
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar};
use serde_json::Value;
use url::Url;

use super::operator::Site;
use super::person::Person;

/// Changes what is in the cookie of `person` whose name has `kind` in it.
pub async fn change(
    site: &Site,
    person: &Person,
    kind: &str,
    change: impl FnOnce(&mut Value),
) -> Result<()> {
    let url = Url::parse(&site.public_url)?;
    let secret = site.own_secrets().get("gmail-operator-web-key").await?;
    let key = Key::from(&secret.data.context("no keys")?["current"].0);
    let mut cookies = person.cookies(&url)?.into_iter();
    let (name, value) = cookies
        .rfind(|(name, _)| name.contains(kind))
        .context("no such cookie")?;
    let sealed = Cookie::parse_encoded(format!("{name}={value}"))?.into_owned();
    let jar: PrivateCookieJar = PrivateCookieJar::new(key);
    let opened = jar.decrypt(sealed).context("another key")?;
    let mut kept: Value = serde_json::from_str(opened.value())?;
    change(&mut kept);
    let jar = jar.add(Cookie::new(name.clone(), kept.to_string()));
    let response = axum::response::IntoResponse::into_response((jar, ()));
    let line = response.headers()["set-cookie"].to_str()?;
    let sealed = line.split(';').next().and_then(|pair| pair.split_once('='));
    person.set_cookie(&url, &name, sealed.context("no cookie")?.1);
    Ok(())
}
