//! The button: a sign-in begins, and the browser goes to Google.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::Web;
use super::flow::{Binding, Flow, FlowCookies, FlowSecrets};
use super::mailbox::{Found, Service};
use super::show::{LinkPath, link_of};
use super::stopped::Stopped;
use crate::domain::secret::ExposeSecret;

/// `POST` to a sign-in link.
pub(super) async fn begin(
    State(web): State<Arc<Web>>,
    path: LinkPath,
    headers: HeaderMap,
) -> Response {
    match web.begin(path, &headers).await {
        Ok(response) => response,
        Err(stopped) => stopped.page().into_response(),
    }
}

impl Web {
    async fn begin(&self, path: LinkPath, headers: &HeaderMap) -> Result<Response, Stopped> {
        // A click on our own page, and not a form of another site that sends people to Google.
        if !is_ours(headers, &self.settings.public_url.origin()) {
            return Err(Stopped::OtherOrigin);
        }
        let found = self.find(&link_of(path)?).await?;
        let begun = match &found.service {
            Ok(service) => self.to_google(&found, service, headers).await,
            Err(reason) => Err(Stopped::refused(*reason)),
        };
        match begun {
            Err(Stopped::Refused(refused)) => {
                let page = self.sign_in_page(&found, Some(refused.reason), StatusCode::CONFLICT);
                Ok(page.await?.into_response())
            }
            other => other,
        }
    }

    async fn to_google(
        &self,
        found: &Found,
        service: &Service,
        headers: &HeaderMap,
    ) -> Result<Response, Stopped> {
        let client = self.client_of(found).await?;
        let keys = self.keys.get().await?;
        let redirect_uri = self.settings.public_url.redirect_uri();
        let account = service.spec.account.as_str();
        let begun = client
            .google
            .begin(&client.client.id, &redirect_uri, account);
        let binding = Binding {
            link: &found.link,
            client_id: &client.client.id,
            redirect_uri: redirect_uri.as_str(),
            issuer: service.profile.endpoints.issuer_text(),
            token_endpoint: service.profile.endpoints.token.as_str(),
        };
        let secrets = FlowSecrets {
            state: begun.state,
            nonce: begun.nonce.expose_secret(),
            verifier: begun.verifier.expose_secret(),
        };
        let now = Timestamp::now();
        let flow = Flow::new(&binding, secrets, now);
        let cookies = FlowCookies::new(headers, self.settings.public_url.secure_cookies());
        let cookies = cookies
            .begin(&flow, &keys, now)
            .map_err(|_| Stopped::cluster("the sign-in cannot be written down"))?;
        tracing::info!(mailbox = %found.link.mailbox, "sign-in begins");
        Ok((cookies, Redirect::to(begun.url.as_str())).into_response())
    }
}

/// Whether there is one `Origin`, and it is `origin`. Browsers send it with every form.
fn is_ours(headers: &HeaderMap, origin: &str) -> bool {
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
