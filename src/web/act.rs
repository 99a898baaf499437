//! The buttons for a mailbox's owner: test again, sign out, prove it is you, move the account here.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::Web;
use super::flow::Purpose;
use super::link::Link;
use super::mailbox::Found;
use super::origin::is_ours;
use super::outcome::{News, Outcome};
use super::session::Session;
use super::stopped::Stopped;
use crate::cluster::grants::StoredGrant;
use crate::domain::schedule::{earlier, later};

/// The shortest time between two tests that an owner asks for.
const PAUSE: Duration = Duration::from_secs(60);

/// What a button does, as the path ends.
#[derive(Clone, Copy, Debug, EnumString, Eq, IntoStaticStr, PartialEq)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Act {
    /// Sign in only to show who one is.
    Prove,
    /// Test the mailbox now.
    Test,
    /// End the sign-in.
    SignOut,
    /// The account is to serve this Mailbox and no other.
    Move,
    /// The account is to stay where it is.
    Stay,
}

/// A sign-in link, and an act after it.
pub(super) type ActPath = Result<Path<(String, String, String, String)>, PathRejection>;

/// `POST` below a sign-in link.
pub(super) async fn act(
    State(web): State<Arc<Web>>,
    path: ActPath,
    headers: HeaderMap,
) -> Response {
    match web.act(path, &headers).await {
        Ok(response) => response,
        Err(stopped) => stopped.page().into_response(),
    }
}

impl Web {
    async fn act(&self, path: ActPath, headers: &HeaderMap) -> Result<Response, Stopped> {
        if !is_ours(headers, &self.settings.public_url.origin()) {
            return Err(Stopped::OtherOrigin);
        }
        let Path((namespace, name, uid, act)) = path.map_err(|_| Stopped::NotFound)?;
        let act: Act = act.parse().map_err(|_| Stopped::NotFound)?;
        let link = Link::new(&namespace, &name, &uid).ok_or(Stopped::NotFound)?;
        let found = self.find(&link).await?;
        if act == Act::Prove {
            let begun = self.to_google(&found, headers, Purpose::Proof).await;
            return begun.inspect_err(|stopped| self.count_failed(stopped));
        }
        let now = Timestamp::now();
        let news = match self.owned(&found, headers, now).await? {
            Some(stored) => self.as_owner(act, stored, now).await?,
            None => News::ProofNeeded,
        };
        let (keys, cookies) = (self.keys.get().await?, self.cookies(headers));
        let told = cookies.keep(&Outcome::new(&link.uid, news, now), &keys, now);
        let told = told.map_err(|_| Stopped::cluster("the outcome cannot be written down"))?;
        Ok((told, Redirect::to(self.page_url(&link).as_str())).into_response())
    }

    /// The grant of `found`, if the request comes from its owner.
    pub(super) async fn owned(
        &self,
        found: &Found,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<StoredGrant>, Stopped> {
        let cookies = self.cookies(headers);
        let Some(session) = self.kept::<Session>(&cookies, &found.link.uid).await? else {
            return Ok(None);
        };
        let stored = self.stored(found).await?;
        Ok(stored.filter(|stored| session.is_of(&stored.grant.account, now)))
    }

    async fn as_owner(
        &self,
        act: Act,
        stored: StoredGrant,
        now: Timestamp,
    ) -> Result<News, Stopped> {
        let mailbox = stored.grant.mailbox.clone();
        let asked_to_move = stored.grant.move_asked_at.is_some();
        let news = match act {
            Act::Move if asked_to_move => {
                self.keeper.move_here(stored, now).await?;
                News::Moved
            }
            Act::Stay if asked_to_move => {
                self.keeper.stay(stored).await?;
                News::Stayed
            }
            Act::Test if !stored.grant.serves() => News::NotConnected,
            Act::Test if was_just_asked(&stored, now) => News::TestTooSoon,
            Act::Test => {
                self.keeper.request_test(stored, now).await?;
                News::TestAsked
            }
            Act::SignOut => {
                self.keeper.sign_out(stored, now).await?;
                News::SignedOut
            }
            // A button of a page that was left open.
            Act::Move | Act::Stay | Act::Prove => News::NotAsked,
        };
        tracing::info!(%mailbox, ?act, ?news, "the owner pressed a button");
        Ok(news)
    }
}

/// A request is noted as of the next second. One that is later still is of a wrong clock.
fn was_just_asked(stored: &StoredGrant, now: Timestamp) -> bool {
    let last = stored.grant.test_requested_at;
    last.is_some_and(|last| {
        earlier(last, Duration::from_secs(1)) <= now && now < later(last, PAUSE)
    })
}
