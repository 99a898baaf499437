//! Whether a form was sent from our own page.

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

/// Whether there is one `Origin`, and it is `origin`. Browsers send it with every form.
pub(super) fn is_ours(headers: &HeaderMap, origin: &str) -> bool {
    let mut sent = headers.get_all(ORIGIN).iter();
    matches!((sent.next(), sent.next()), (Some(sent), None) if sent.as_bytes() == origin.as_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_of_another_site_begins_nothing() {
        let ours = "https://mail.example.com";
        for (sent, yes) in [
            (vec![], false),
            (vec!["null"], false),
            (vec!["https://mail.example.com.evil.com"], false),
            (vec!["http://mail.example.com"], false),
            (vec!["https://mail.example.com:8443"], false),
            (vec!["https://mail.example.com", "https://evil.com"], false),
            (vec!["https://mail.example.com"], true),
        ] {
            let mut headers = HeaderMap::new();
            for origin in &sent {
                headers.append(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_ours(&headers, ours), yes, "{sent:?}");
        }
    }
}
