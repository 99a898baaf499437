//! The buttons that lead to Google: a sign-in begins.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::Web;
use super::flow::{Binding, Flow, FlowSecrets, Purpose};
use super::mailbox::{Found, Service};
use super::origin::is_ours;
use super::show::{LinkPath, link_of};
use super::stopped::Stopped;
use crate::domain::secret::ExposeSecret;

/// `POST` to a sign-in link.
pub(super) async fn begin(
    State(web): State<Arc<Web>>,
    path: LinkPath,
    headers: HeaderMap,
) -> Response {
    match web.begin(path, &headers, Purpose::Consent).await {
        Ok(response) => response,
        Err(stopped) => {
            web.count_failed(&stopped);
            stopped.page().into_response()
        }
    }
}

impl Web {
    async fn begin(
        &self,
        path: LinkPath,
        headers: &HeaderMap,
        purpose: Purpose,
    ) -> Result<Response, Stopped> {
        // A click on our own page, and not a form of another site that sends people to Google.
        if !is_ours(headers, &self.settings.public_url.origin()) {
            return Err(Stopped::OtherOrigin);
        }
        let found = self.find(&link_of(path)?).await?;
        self.to_google(&found, headers, purpose).await
    }

    /// Sends the browser to Google, or shows the page without its button where that is closed.
    pub(super) async fn to_google(
        &self,
        found: &Found,
        headers: &HeaderMap,
        purpose: Purpose,
    ) -> Result<Response, Stopped> {
        let begun = match &found.service {
            Ok(service) => self.redirect(found, service, headers, purpose).await,
            Err(reason) => Err(Stopped::refused(*reason)),
        };
        match begun {
            Err(Stopped::Refused(refused)) => {
                let page = self.closed_page(found, refused.reason, StatusCode::CONFLICT);
                Ok(page.await?.into_response())
            }
            other => other,
        }
    }

    async fn redirect(
        &self,
        found: &Found,
        service: &Service,
        headers: &HeaderMap,
        purpose: Purpose,
    ) -> Result<Response, Stopped> {
        let client = self.client_of(found).await?;
        let keys = self.keys.get().await?;
        let redirect_uri = self.settings.public_url.redirect_uri();
        let (id, account) = (&client.client.id, service.spec.account.as_str());
        let begun = match purpose {
            Purpose::Consent => client.google.begin(id, &redirect_uri, account),
            Purpose::Proof => client.google.begin_proof(id, &redirect_uri, account),
        };
        let binding = Binding {
            purpose,
            link: &found.link,
            client_id: id,
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
        let cookies = self.cookies(headers).keep(&flow, &keys, now);
        let cookies =
            cookies.map_err(|_| Stopped::cluster("the sign-in cannot be written down"))?;
        tracing::info!(mailbox = %found.link.mailbox, ?purpose, "sign-in begins");
        Ok((cookies, Redirect::to(begun.url.as_str())).into_response())
    }
}
