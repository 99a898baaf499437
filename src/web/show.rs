//! The sign-in page.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::Web;
use super::headers::Page;
use super::link::Link;
use super::mailbox::Found;
use super::outcome::{News, Outcome};
use super::page::{Asks, Landing, Owner, Stage};
use super::progress::progress;
use super::stopped::Stopped;
use super::words;
use crate::api::Reason;
use crate::cluster::grants::StoredGrant;
use crate::domain::address::EmailAddress;
use crate::domain::mail_use::uses;

/// The three names in a sign-in link. A rejection, of what is not UTF-8, is no link either.
pub(super) type LinkPath = Result<Path<(String, String, String)>, PathRejection>;

/// The Mailbox that a path names.
pub(super) fn link_of(path: LinkPath) -> Result<Link, Stopped> {
    let Path((namespace, name, uid)) = path.map_err(|_| Stopped::NotFound)?;
    Link::new(&namespace, &name, &uid).ok_or(Stopped::NotFound)
}

/// `GET` of a sign-in link.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    path: LinkPath,
    headers: HeaderMap,
) -> Response {
    match web.show(path, &headers).await {
        Ok(response) => response,
        Err(stopped) => stopped.page().into_response(),
    }
}

/// What is shown beside what a link alone shows.
#[derive(Default)]
struct Shown {
    /// Why there is no button.
    closed: Option<Reason>,
    /// What came of the last request.
    news: Option<News>,
    /// The grant, where its owner asks.
    owned: Option<StoredGrant>,
}

impl Web {
    async fn show(&self, path: LinkPath, headers: &HeaderMap) -> Result<Response, Stopped> {
        let found = self.find(&link_of(path)?).await?;
        let (now, cookies) = (Timestamp::now(), self.cookies(headers));
        let told: Option<Outcome> = self.kept(&cookies, &found.link.uid).await?;
        let shown = Shown {
            closed: found.service.as_ref().err().copied(),
            owned: self.owned(&found, headers, now).await?,
            news: told.and_then(|outcome| outcome.news(now)),
        };
        let page = self.page(&found, shown, StatusCode::OK).await?;
        Ok((cookies.drop::<Outcome>(&found.link.uid), page).into_response())
    }

    /// The page of `found` without its button.
    pub(super) async fn closed_page(
        &self,
        found: &Found,
        why: Reason,
        status: StatusCode,
    ) -> Result<Page, Stopped> {
        let shown = Shown {
            closed: Some(why),
            ..Shown::default()
        };
        self.page(found, shown, status).await
    }

    async fn page(&self, found: &Found, shown: Shown, status: StatusCode) -> Result<Page, Stopped> {
        let Shown {
            closed,
            news,
            owned,
        } = shown;
        let spec = &found.mailbox.spec;
        let profile = found.profile.as_ref().map(|profile| &profile.spec);
        let screen = profile.and_then(|p| p.oauth_client.as_ref()?.consent_screen.as_ref());
        let account = spec.google_account.as_deref();
        let url = self.page_url(&found.link);
        let stage = match &owned {
            Some(owned) if owned.grant.move_asked_at.is_some() => {
                Stage::AskedToMove(owned.grant.account.email.as_str())
            }
            Some(owned) if owned.grant.serves() => Stage::Owner(Owner {
                account: owned.grant.account.email.as_str(),
                progress: progress(&found.mailbox, &owned.grant),
            }),
            _ => match self.connected(found).await? {
                true => Stage::Connected,
                false => Stage::Open,
            },
        };
        let landing = Landing {
            asks: Asks {
                cluster: self.settings.cluster_name.as_deref(),
                namespace: &found.link.mailbox.namespace,
                name: &found.link.mailbox.name,
                address: &spec.email_address,
                account: account.filter(|account| *account != spec.email_address),
                purpose: spec.purpose.as_deref(),
                app_name: screen.and_then(|screen| screen.app_name.as_deref()),
                contact: profile.and_then(|profile| profile.contact.as_deref()),
                uses: uses(spec),
            },
            link: url.path(),
            closed: closed.map(words::of),
            outsider: found.outsider(),
            news,
            stage,
        };
        let page = landing.page(status);
        Ok(match &found.service {
            Ok(service) if closed.is_none() => {
                page.with_form_to(&service.profile.endpoints.authorization)
            }
            _ => page.with_form_here(),
        })
    }

    /// The grant of `found` that is stored, unless its owner has signed out.
    pub(super) async fn stored(&self, found: &Found) -> Result<Option<StoredGrant>, Stopped> {
        let stored = self.keeper.stored().get(&found.link.uid).await?;
        Ok(stored
            .and_then(Result::ok)
            .filter(|stored| stored.grant.signed_out_at.is_none()))
    }

    /// Whether there is a grant that can be used. The grant is asked, not the condition: this page
    /// is shown right after a sign-in, before the controller has said anything.
    async fn connected(&self, found: &Found) -> Result<bool, Stopped> {
        let spec = &found.mailbox.spec;
        let account = spec.google_account.as_ref().unwrap_or(&spec.email_address);
        let Ok(account) = account.parse::<EmailAddress>() else {
            return Ok(false);
        };
        let Some(StoredGrant { grant, .. }) = self.stored(found).await? else {
            return Ok(false);
        };
        // Where the page is closed the client is not known, and the grant waits all the same.
        let client = found.service.as_ref().map(|service| &service.client_id);
        Ok(grant.serves()
            && grant.account.email.is_same_account(&account)
            && client.map_or(true, |id| *id == grant.client_id))
    }
}
