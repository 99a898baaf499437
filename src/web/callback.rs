//! The way back from Google: nothing is believed that does not fit the sign-in in the cookie.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::Web;
use super::answer::{Answer, Outcome as Answered};
use super::cookies::Cookies;
use super::flow::{Flow, Purpose};
use super::link::Link;
use super::mailbox::{Found, Service};
use super::outcome::{News, Outcome};
use super::session::Session;
use super::stopped::{NoSignIn, Refused, Stopped};
use crate::api::Reason;
use crate::domain::grant::known_end;
use crate::domain::secret::AuthorizationCode;
use crate::google::{Exchanged, Identity};
use crate::grant::{Accepted, Consent, ProfileClient};
use crate::telemetry::sign_ins::SignInResult;

/// `GET` of the redirect URI.
pub(super) async fn callback(
    State(web): State<Arc<Web>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(answer) = Answer::parse(query.as_deref().unwrap_or_default()) else {
        return Stopped::NoSignIn(NoSignIn::NotAnAnswer)
            .page()
            .into_response();
    };
    let cookies = web.cookies(&headers);
    let (flow, link) = match web.flow(&cookies, &answer.state).await {
        Ok(found) => found,
        Err(stopped) => {
            web.count_failed(&stopped);
            return stopped.page().into_response();
        }
    };
    let came_back = web.metrics.came_back();
    let came = web.complete(&flow, &link, &answer, Timestamp::now()).await;
    let is_in = matches!(came, Ok(Came::In(_)));
    let ended = web.conclude(cookies, &flow, &link, came).await;
    came_back.ended(match &ended {
        Err(stopped) if stopped.is_passing() => SignInResult::Failed,
        _ if is_in => SignInResult::Ok,
        _ => SignInResult::Refused,
    });
    ended.unwrap_or_else(|stopped| {
        stopped
            .page_with(Some(&web.page_url(&link)))
            .into_response()
    })
}

/// How a sign-in ended that was gone through.
enum Came {
    /// Its owner may do more on the page.
    In(Session),
    /// It was refused.
    Out(Refused),
}

impl Web {
    /// The sign-in with `state` that this browser began.
    async fn flow(&self, cookies: &Cookies, state: &str) -> Result<(Flow, Link), Stopped> {
        let kept: Option<Flow> = self.kept(cookies, state).await?;
        let why = match (cookies.has::<Flow>(state), cookies.has_any::<Flow>()) {
            (true, _) => NoSignIn::Unreadable,
            (false, true) => NoSignIn::OfAnother,
            (false, false) => NoSignIn::NoCookie,
        };
        let found = kept.and_then(|flow| flow.link().map(|link| (flow, link)));
        found.ok_or(Stopped::NoSignIn(why))
    }

    /// Makes a grant or a proof of `answer`. What stops it for now leaves the sign-in open: the same
    /// answer may be as good as before when the page is loaded again.
    async fn complete(
        &self,
        flow: &Flow,
        link: &Link,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Came, Stopped> {
        let found = self.find(link).await?;
        let ended = match flow.is_in_time(now) {
            true => self.accept(&found, flow, answer, now).await,
            false => Err(Stopped::refused(Reason::SignInTimedOut)),
        };
        match ended {
            Ok(identity) => {
                tracing::info!(mailbox = %link.mailbox, purpose = ?flow.purpose, "signed in");
                Ok(Came::In(Session::new(&link.uid, &identity, now)))
            }
            Err(Stopped::Refused(refused)) => {
                tracing::info!(mailbox = %link.mailbox, purpose = ?flow.purpose, reason = %refused.reason, "sign-in refused");
                if flow.purpose == Purpose::Consent {
                    self.note(&found.mailbox, refused.reason, now).await;
                }
                Ok(Came::Out(refused))
            }
            Err(other) => Err(other),
        }
    }

    /// Sends the browser to the clean page, which tells how it ended.
    async fn conclude(
        &self,
        cookies: Cookies,
        flow: &Flow,
        link: &Link,
        came: Result<Came, Stopped>,
    ) -> Result<Response, Stopped> {
        let now = Timestamp::now();
        let cookies = match came {
            Err(stopped) if stopped.is_passing() => return Err(stopped),
            Err(stopped) => {
                let page = stopped.page().into_response();
                return Ok((cookies.drop::<Flow>(&flow.state), page).into_response());
            }
            Ok(came) => {
                let keys = self.keys.get().await?;
                match came {
                    Came::In(session) => cookies.keep(&session, &keys, now),
                    Came::Out(refused) => {
                        let outcome = Outcome::new(&link.uid, News::Refused(refused), now);
                        cookies.keep(&outcome, &keys, now)
                    }
                }
            }
        };
        let cookies =
            cookies.map_err(|_| Stopped::cluster("the sign-in cannot be written down"))?;
        let page = Redirect::to(self.page_url(link).as_str());
        Ok((cookies.drop::<Flow>(&flow.state), page).into_response())
    }

    /// Who signed in, once all that they gave is proved and, for a consent, stored.
    async fn accept(
        &self,
        found: &Found,
        flow: &Flow,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Identity, Stopped> {
        let service = found.service.as_ref().map_err(|r| Stopped::refused(*r))?;
        let client = self.client_of(found).await?;
        let code = checked(service, &client, flow, answer)?;
        let redirect_uri = self.settings.public_url.redirect_uri();
        if redirect_uri.as_str() != flow.redirect_uri {
            return Err(Stopped::refused(Reason::ConsentLinkInvalid));
        }
        let exchanged = client
            .exchange(&redirect_uri, code, &flow.verifier())
            .await?;
        let identity = client
            .google
            .verify(&exchanged, &client.client.id, &flow.nonce())
            .await?;
        let signed_in = SignedIn {
            exchanged: &exchanged,
            identity: &identity,
            now,
        };
        match flow.purpose {
            Purpose::Consent => self.grant(found, service, &client, &signed_in).await?,
            Purpose::Proof => self.prove(found, &identity).await?,
        }
        Ok(identity)
    }

    async fn grant(
        &self,
        found: &Found,
        service: &Service,
        client: &ProfileClient,
        signed_in: &SignedIn<'_>,
    ) -> Result<(), Stopped> {
        let (spec, profile) = (&service.spec, &service.profile);
        let SignedIn {
            exchanged,
            identity,
            now,
        } = *signed_in;
        let created = found.mailbox.metadata.creation_timestamp.as_ref();
        let redirect_uri = self.settings.public_url.redirect_uri();
        let consent = Consent {
            mailbox: found.link.mailbox.clone(),
            mailbox_uid: found.link.uid.clone(),
            email_address: spec.address.clone(),
            account: spec.account.clone(),
            deletion_policy: spec.deletion_policy,
            exchanged,
            redirect_uri: &redirect_uri,
            identity,
            ends: known_end(&profile.audience, now, exchanged.refresh_token_expires_in),
            start_from: profile
                .processing
                .start_from(spec.process_emails_from, created.map_or(now, |time| time.0)),
        };
        match self.keeper.accept(consent, client, now).await {
            Ok(Accepted::InUse | Accepted::AsksToMove) => Ok(()),
            Err(error) => Err(Stopped::accepting(error, identity)),
        }
    }

    /// Only the owner of the grant is let in: whoever else signs in learns that they are not.
    async fn prove(&self, found: &Found, identity: &Identity) -> Result<(), Stopped> {
        let stored = self.stored(found).await?;
        let owns = stored.is_some_and(|stored| {
            let account = &stored.grant.account;
            (&account.issuer, &account.subject) == (&identity.issuer, &identity.subject)
        });
        match owns {
            true => Ok(()),
            false => Err(Stopped::Refused(Refused::wrong_account(identity))),
        }
    }
}

/// What came of the code.
struct SignedIn<'a> {
    exchanged: &'a Exchanged,
    identity: &'a Identity,
    now: Timestamp,
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
        Answered::Code(code) if same_server && client.google.check_issuer(iss) => Ok(code),
        // Google's documents show refusals without `iss`; a false one does no harm.
        Answered::Error(error) if iss.is_none() || client.google.check_issuer(iss) => {
            Err(Stopped::said(error))
        }
        _ => Err(Stopped::refused(Reason::AnswerOfAnotherServer)),
    }
}
