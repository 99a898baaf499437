use jiff::Timestamp;
use tracing::Instrument;

use super::traffic::{NotYet, Turn};
use super::unsaved::Given;
use super::{GrantKeeper, KeeperError, Written};
use crate::api::{GmailServerProfile, Reason};
use crate::cluster::grants::StoredGrant;
use crate::domain::grant::{Access, Grant, GrantEnd, may_use_mail};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::later;
use crate::google::OAuthError;

/// What came of a renewal.
#[derive(Debug)]
pub enum Renewal {
    /// A new access token, or that Google has ended the grant: stored.
    Written(Box<Written>),
    /// Another sign-in was ahead: its grant stands.
    Overtaken,
    /// Nothing was sent: others come first, or the server is not to be asked now.
    NotYet(NotYet),
}

impl GrantKeeper {
    /// Gets a new access token and stores it, when its turn has come. The leader calls this, for one
    /// Mailbox at a time, so that no grant is renewed twice at once.
    ///
    /// # Errors
    /// [`KeeperError`] where it could not be asked: the grant is as before. Where it could not be
    /// stored, what Google gave is kept, and stored by the next call before anything is asked.
    pub async fn renew(
        &self,
        stored: StoredGrant,
        profile: &GmailServerProfile,
        now: Timestamp,
    ) -> Result<Renewal, KeeperError> {
        let change = match self.unsaved.of(&stored.grant) {
            Some(given) => given.change(),
            None => match self.queue(&stored.grant, profile, now) {
                Ok(turn) => self.ask(&stored, profile, turn, now).await?,
                Err(not_yet) => return Ok(Renewal::NotYet(not_yet)),
            },
        };
        self.store_renewed(stored, change).await
    }

    /// The same before all others, where a test has found that the access token is refused.
    ///
    /// # Errors
    /// As [`GrantKeeper::renew`].
    pub async fn renew_at_once(
        &self,
        stored: StoredGrant,
        profile: &GmailServerProfile,
        now: Timestamp,
    ) -> Result<Renewal, KeeperError> {
        let change = match self.unsaved.of(&stored.grant) {
            Some(given) => given.change(),
            None => {
                let lane = self.lane_of(&stored.grant, profile);
                let turn = self.traffic.at_once(&lane, DOING, now);
                let turn = turn.map_err(|error| KeeperError::Google(error.to_string()))?;
                self.ask(&stored, profile, turn, now).await?
            }
        };
        self.store_renewed(stored, change).await
    }

    /// A turn for the renewal of `grant`.
    pub(super) fn queue(
        &self,
        grant: &Grant,
        profile: &GmailServerProfile,
        now: Timestamp,
    ) -> Result<Turn, NotYet> {
        let lane = self.lane_of(grant, profile);
        self.traffic.queue(&lane, &grant.mailbox_uid, now)
    }

    /// Asks Google; what it gives is kept until it is stored.
    pub(super) async fn ask(
        &self,
        stored: &StoredGrant,
        profile: &GmailServerProfile,
        turn: Turn,
        now: Timestamp,
    ) -> Result<Change, KeeperError> {
        let client = self.client_of(profile).await?;
        // A task of its own: what Google gives must not be lost with whoever asked.
        let (unsaved, asking, base) = (self.unsaved.clone(), self.unsaved.asking(), stored.clone());
        let asked = async move {
            let answer = client.refresh(&base.grant, turn).await?;
            let answer = answer.map(|refreshed| Given {
                base,
                refreshed,
                at: now,
            });
            if let Ok(given) = &answer {
                unsaved.put(given.clone());
            }
            drop(asking);
            Ok::<_, KeeperError>(answer)
        };
        let answer = tokio::spawn(asked.in_current_span())
            .await
            .map_err(|error| KeeperError::Google(format!("{DOING}: {error}")))?;
        match answer? {
            Ok(given) => Ok(given.change()),
            Err(OAuthError::Refused(refusal)) => {
                let reason = ended(&refusal, stored.grant.age_hours(now))?;
                let asked_with = stored.grant.access.clone();
                Ok(Box::new(move |grant| {
                    if !is_newer(&grant.access, &asked_with, now) {
                        grant.ended = Some(GrantEnd { reason, at: now });
                    }
                }))
            }
            Err(error) => Err(KeeperError::Google(error.to_string())),
        }
    }

    async fn store_renewed(
        &self,
        stored: StoredGrant,
        change: Change,
    ) -> Result<Renewal, KeeperError> {
        let uid = stored.grant.mailbox_uid.clone();
        let written = match self.update(stored, change).await {
            // Deleted meanwhile: there is nothing left to keep it for.
            Err(KeeperError::Cluster(error)) if error.is_gone() => None,
            other => other?,
        };
        self.unsaved.forget(&uid);
        Ok(match written {
            Some(written) => Renewal::Written(Box::new(written)),
            None => Renewal::Overtaken,
        })
    }
}

const DOING: &str = "renewing the access token";

/// What is to be made of a grant; it may have to be done again on a newer version of it.
pub(super) type Change = Box<dyn Fn(&mut Grant) + Send + Sync>;

fn ended(refusal: &Refusal, age_hours: i64) -> Result<Reason, KeeperError> {
    let about_client = refusal.of_client();
    refusal
        .of_grant(age_hours)
        .filter(|_| about_client.is_none())
        .ok_or_else(|| KeeperError::ClientRefused {
            reason: about_client.unwrap_or(Reason::ClientRefused),
            said: refusal.words(),
        })
}

/// Whether another replica has renewed the grant since: then its refresh token is the one that is good. Where the
/// access token is still the one before, its time may be in the future nevertheless: a clock was put right.
fn is_newer(stored: &Access, before: &Access, at: Timestamp) -> bool {
    stored != before && stored.issued_at > at
}

impl Given {
    pub(super) fn change(self) -> Change {
        Box::new(move |grant| self.apply(grant))
    }

    fn apply(&self, grant: &mut Grant) {
        if is_newer(&grant.access, &self.base.grant.access, self.at) {
            return;
        }
        let refreshed = &self.refreshed;
        grant.access = Access {
            token: refreshed.access_token.clone(),
            issued_at: self.at,
            expires_at: later(self.at, refreshed.expires_in),
        };
        if let Some(rotated) = &refreshed.refresh_token {
            grant.refresh_token = rotated.clone();
        }
        if let Some(scopes) = &refreshed.scopes {
            grant.scopes = scopes.clone();
        }
        if !may_use_mail(&grant.scopes) {
            grant.ended = Some(GrantEnd {
                reason: Reason::MailScopeNotGranted,
                at: self.at,
            });
        }
    }
}
