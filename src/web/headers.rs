//! What a browser gets: a page, and on every answer the headers that fence it in.

use std::sync::LazyLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::Markup;
use sha2::{Digest, Sha256};
use url::Url;

use super::page::{Changes, SCRIPT, STYLE, layout};

/// A whole page.
pub(super) struct Page {
    status: StatusCode,
    markup: Markup,
    changes: Changes,
    form_to: Option<String>,
}

impl Page {
    pub fn new(status: StatusCode, title: &str, changes: Changes, body: Markup) -> Self {
        Self {
            status,
            markup: layout(title, changes, body),
            changes,
            form_to: None,
        }
    }

    /// With forms, the answer to one of which sends the browser on to `url`.
    pub fn with_form_to(mut self, url: &Url) -> Self {
        self.form_to = Some(form_sources(url));
        self
    }

    /// With forms that stay here.
    pub fn with_form_here(mut self) -> Self {
        self.form_to = Some("'self'".to_owned());
        self
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.markup).into_response();
        if let Some(form_to) = &self.form_to {
            let headers = response.headers_mut();
            if let Ok(policy) = HeaderValue::from_str(&policy(form_to, self.changes)) {
                headers.insert(CONTENT_SECURITY_POLICY, policy);
            }
            // With `no-referrer` browsers send `Origin: null` with a form, and the POST could not
            // be told from another site's (fetch.spec.whatwg.org, "append a request Origin
            // header"). This one tells other sites nothing either, and no page with a form has a
            // secret in its URL's query.
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        }
        response
    }
}

/// Puts on what every answer has. `no-store` keeps pages out of shared computers' caches. There is
/// no `Strict-Transport-Security`: the host may serve others, and that is for its admin to say.
pub(super) fn secure(mut response: Response) -> Response {
    const FIXED: [(HeaderName, &str); 3] = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert_with(|| PLAIN_POLICY.clone());
    response
}

static PLAIN_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    HeaderValue::from_str(&policy("'none'", Changes::No))
        .unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| hash_source(STYLE));
static SCRIPT_SOURCE: LazyLock<String> = LazyLock::new(|| hash_source(SCRIPT));

/// What is in a page itself, as CSP allows it.
fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// Content Security Policy level 3: one stylesheet, no frame, nothing from elsewhere; one script, on
/// a page that changes, which may load that page.
fn policy(form_action: &str, changes: Changes) -> String {
    let script = match changes {
        Changes::No => String::new(),
        Changes::Live => format!("script-src {}; connect-src 'self'; ", *SCRIPT_SOURCE),
    };
    format!(
        "default-src 'none'; style-src {}; {script}form-action {form_action}; \
         frame-ancestors 'none'; base-uri 'none'",
        *STYLE_SOURCE
    )
}

/// Chromium holds a form to `form-action` through all redirects (github.com/w3c/webappsec-csp/issues/8):
/// without the OAuth server its button would do nothing.
fn form_sources(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    // A host may hold characters that end a directive.
    let safe = |b: u8| b.is_ascii_alphanumeric() || b".:/-[]_".contains(&b);
    match origin.bytes().all(safe) {
        true => format!("'self' {origin}"),
        false => "'self'".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use maud::html;

    use super::*;

    fn headers(page: Page) -> Vec<(String, String)> {
        let response = secure(page.into_response());
        let headers = response.headers().iter();
        headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    fn value<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
        let found: Vec<_> = headers.iter().filter(|(n, _)| n == name).collect();
        assert_eq!(found.len(), 1, "{name} in {headers:?}");
        &found[0].1
    }

    #[test]
    fn every_answer_is_fenced_in() {
        let plain = headers(Page::new(StatusCode::OK, "x", Changes::No, html! {}));
        assert_eq!(value(&plain, "cache-control"), "no-store");
        assert_eq!(value(&plain, "x-content-type-options"), "nosniff");
        assert_eq!(value(&plain, "x-robots-tag"), "noindex");
        assert_eq!(value(&plain, "referrer-policy"), "no-referrer");
        assert!(
            plain
                .iter()
                .all(|(name, _)| name != "strict-transport-security")
        );
        let policy = value(&plain, "content-security-policy");
        for part in [
            "default-src 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|p| p == part), "{part} in {policy}");
        }
        let style = policy
            .split("; ")
            .find(|p| p.starts_with("style-src"))
            .unwrap();
        assert_eq!(style.len(), "style-src 'sha256-'".len() + 44, "{style}");
    }

    #[test]
    fn a_form_may_lead_to_the_oauth_server_and_says_where_it_is() {
        for (url, sources) in [
            (
                "https://accounts.google.com/o/oauth2/v2/auth",
                "'self' https://accounts.google.com",
            ),
            (
                "https://localhost:8443/auth",
                "'self' https://localhost:8443",
            ),
            ("https://[::1]:8443/auth", "'self' https://[::1]:8443"),
            ("https://evil.com;sandbox/auth", "'self'"),
            ("https://evil.com,x/auth", "'self'"),
        ] {
            let page = Page::new(StatusCode::OK, "x", Changes::No, html! {});
            let got = headers(page.with_form_to(&url.parse().unwrap()));
            let policy = value(&got, "content-security-policy");
            let part = format!("form-action {sources}");
            assert!(policy.split("; ").any(|p| p == part), "{url}: {policy}");
            assert_eq!(value(&got, "referrer-policy"), "same-origin");
        }
    }
}
