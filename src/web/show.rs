//! The sign-in page.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Web;
use super::headers::Page;
use super::link::Link;
use super::mailbox::Found;
use super::page::SignIn;
use super::stopped::Stopped;
use super::words;
use crate::api::Reason;
use crate::domain::address::EmailAddress;

/// The three names in a sign-in link. A rejection, of what is not UTF-8, is no link either.
pub(super) type LinkPath = Result<Path<(String, String, String)>, PathRejection>;

/// The Mailbox that a path names.
pub(super) fn link_of(path: LinkPath) -> Result<Link, Stopped> {
    let Path((namespace, name, uid)) = path.map_err(|_| Stopped::NotFound)?;
    Link::new(&namespace, &name, &uid).ok_or(Stopped::NotFound)
}

/// `GET` of a sign-in link.
pub(super) async fn show(State(web): State<Arc<Web>>, path: LinkPath) -> Response {
    match web.show(path).await {
        Ok(page) => page.into_response(),
        Err(stopped) => stopped.page().into_response(),
    }
}

impl Web {
    async fn show(&self, path: LinkPath) -> Result<Page, Stopped> {
        let found = self.find(&link_of(path)?).await?;
        let closed = found.service.as_ref().err().copied();
        self.sign_in_page(&found, closed, StatusCode::OK).await
    }

    /// The page of `found`, without a button where it is `closed`.
    pub(super) async fn sign_in_page(
        &self,
        found: &Found,
        closed: Option<Reason>,
        status: StatusCode,
    ) -> Result<Page, Stopped> {
        let spec = &found.mailbox.spec;
        let profile = found.profile.as_ref().map(|profile| &profile.spec);
        let screen = profile.and_then(|p| p.oauth_client.as_ref()?.consent_screen.as_ref());
        let url = self.page_url(&found.link);
        let account = spec.google_account.as_deref();
        let page = SignIn {
            cluster: self.settings.cluster_name.as_deref(),
            namespace: &found.link.mailbox.namespace,
            name: &found.link.mailbox.name,
            address: &spec.email_address,
            account: account.filter(|account| *account != spec.email_address),
            purpose: spec.purpose.as_deref(),
            app_name: screen.and_then(|screen| screen.app_name.as_deref()),
            contact: profile.and_then(|profile| profile.contact.as_deref()),
            uses: words::uses(spec),
            connected: self.connected(found).await?,
            action: closed.map_or(Ok(url.path()), |reason| Err(words::of(reason))),
        };
        let title = match page.connected {
            true => format!("{} is connected", spec.email_address),
            false => format!("Connect {}", spec.email_address),
        };
        let page = Page::new(status, &title, page.body());
        Ok(match &found.service {
            Ok(service) if closed.is_none() => {
                page.with_form_to(&service.profile.endpoints.authorization)
            }
            _ => page,
        })
    }

    /// Whether there is a grant that can be used. The grant is asked, not the condition: this page
    /// is shown right after a sign-in, before the controller has said anything.
    async fn connected(&self, found: &Found) -> Result<bool, Stopped> {
        let spec = &found.mailbox.spec;
        let account = spec.google_account.as_ref().unwrap_or(&spec.email_address);
        let Ok(account) = account.parse::<EmailAddress>() else {
            return Ok(false);
        };
        let stored = self.keeper.stored().get(&found.link.uid).await?;
        let Some(Ok(stored)) = stored else {
            return Ok(false);
        };
        let grant = stored.grant;
        // Where the page is closed the client is not known, and the grant waits all the same.
        let client = found.service.as_ref().map(|service| &service.client_id);
        Ok(grant.ended.is_none()
            && grant.account.email.is_same_account(&account)
            && client.map_or(true, |id| *id == grant.client_id))
    }
}
