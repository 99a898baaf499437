//! The way back from Google: nothing is believed that does not fit the sign-in in the cookie.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::Web;
use super::answer::{Answer, Outcome};
use super::flow::{Flow, FlowCookies};
use super::mailbox::{Found, Service};
use super::stopped::Stopped;
use crate::api::Reason;
use crate::domain::grant::known_end;
use crate::domain::secret::AuthorizationCode;
use crate::grant::{Consent, ProfileClient};

/// `GET` of the redirect URI.
pub(super) async fn callback(
    State(web): State<Arc<Web>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let now = Timestamp::now();
    let Some(answer) = Answer::parse(query.as_deref().unwrap_or_default()) else {
        return Stopped::LinkInvalid.page().into_response();
    };
    let cookies = FlowCookies::new(&headers, web.settings.public_url.secure_cookies());
    let flow = match web.flow(&cookies, &answer.state).await {
        Ok(flow) => flow,
        Err(stopped) => return stopped.page().into_response(),
    };
    let page = flow.as_ref().and_then(Flow::link);
    let page = page.map(|link| web.page_url(&link));
    let result = match flow.filter(|flow| flow.fits(&answer.state, now)) {
        Some(flow) => web.complete(&flow, &answer, now).await,
        None => Err(Stopped::LinkInvalid),
    };
    match result {
        Ok(response) => (cookies.end(&answer.state), response).into_response(),
        Err(stopped) => {
            let response = stopped.page_with(page.as_ref()).into_response();
            match stopped.is_passing() {
                // The answer may be as good as before when the page is loaded again.
                true => response,
                false => (cookies.end(&answer.state), response).into_response(),
            }
        }
    }
}

impl Web {
    /// The sign-in with `state` that this browser began.
    async fn flow(&self, cookies: &FlowCookies, state: &str) -> Result<Option<Flow>, Stopped> {
        if !cookies.has(state) {
            return Ok(None);
        }
        let keys = self.keys.get().await?;
        if let Some(flow) = cookies.open(state, &keys) {
            return Ok(Some(flow));
        }
        let newer = self.keys.newer().await?;
        Ok(newer.and_then(|keys| cookies.open(state, &keys)))
    }

    /// Makes a grant of `answer`, or says on a page and in status why not.
    async fn complete(
        &self,
        flow: &Flow,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Response, Stopped> {
        let link = flow.link().ok_or(Stopped::LinkInvalid)?;
        let found = self.find(&link).await?;
        match self.accept(&found, flow, answer, now).await {
            Ok(()) => {
                tracing::info!(mailbox = %link.mailbox, "signed in");
                Ok(Redirect::to(self.page_url(&link).as_str()).into_response())
            }
            Err(Stopped::Refused(refused)) => {
                tracing::info!(mailbox = %link.mailbox, reason = %refused.reason, "sign-in refused");
                self.note(&found.mailbox, refused.reason, now).await;
                Ok(self.refusal(&found, &refused).into_response())
            }
            Err(other) => Err(other),
        }
    }

    async fn accept(
        &self,
        found: &Found,
        flow: &Flow,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<(), Stopped> {
        let service = match &found.service {
            Ok(service) => service,
            Err(reason) => return Err(Stopped::refused(*reason)),
        };
        let client = self.client_of(found).await?;
        let code = checked(service, &client, flow, answer)?;
        let redirect_uri = self.settings.public_url.redirect_uri();
        if redirect_uri.as_str() != flow.redirect_uri {
            return Err(Stopped::refused(Reason::ConsentLinkInvalid));
        }
        let google = &client.google;
        let exchanged = google
            .exchange(&client.client, &redirect_uri, code, &flow.verifier())
            .await?;
        let identity = google
            .verify(&exchanged, &client.client.id, &flow.nonce())
            .await?;
        let (spec, profile) = (&service.spec, &service.profile);
        let created = found.mailbox.metadata.creation_timestamp.as_ref();
        let consent = Consent {
            mailbox: found.link.mailbox.clone(),
            mailbox_uid: found.link.uid.clone(),
            email_address: spec.address.clone(),
            account: spec.account.clone(),
            deletion_policy: spec.deletion_policy,
            exchanged: &exchanged,
            redirect_uri: &redirect_uri,
            identity: &identity,
            ends: known_end(&profile.audience, now, exchanged.refresh_token_expires_in),
            start_from: profile
                .processing
                .start_from(spec.process_emails_from, created.map_or(now, |time| time.0)),
        };
        match self.keeper.accept(consent, &client, now).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Stopped::accepting(error, &identity)),
        }
    }
}

/// The code, if the answer is of the server and for the client that the person was sent to.
fn checked<'a>(
    service: &Service,
    client: &ProfileClient,
    flow: &Flow,
    answer: &'a Answer,
) -> Result<&'a AuthorizationCode, Stopped> {
    if flow.client_id != client.client.id {
        return Err(Stopped::refused(Reason::ClientChanged));
    }
    let iss = answer.iss.as_deref();
    let endpoints = &service.profile.endpoints;
    // The issuer is only what a profile says of its server: the code goes to the token endpoint.
    let same_server =
        flow.issuer == endpoints.issuer_text() && flow.token_endpoint == endpoints.token.as_str();
    match &answer.outcome {
        // A code is sent to no other server than that which gave it (RFC 9207).
        Outcome::Code(code) if same_server && client.google.check_issuer(iss) => Ok(code),
        // Google's documents show refusals without `iss`; a false one does no harm.
        Outcome::Error(error) if iss.is_none() || client.google.check_issuer(iss) => {
            Err(Stopped::said(error))
        }
        _ => Err(Stopped::refused(Reason::ConsentLinkInvalid)),
    }
}
