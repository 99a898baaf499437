use jiff::Timestamp;

use super::{GrantKeeper, KeeperError, ProfileClient, Written};
use crate::api::Reason;
use crate::cluster::grants::StoredGrant;
use crate::domain::grant::{Access, Grant, GrantEnd, may_use_mail};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::later;
use crate::google::{OAuthError, Refreshed};

/// What came of a renewal.
#[derive(Debug)]
pub enum Renewal {
    /// A new access token, or that Google has ended the grant: stored.
    Written(Box<Written>),
    /// Another sign-in was ahead: its grant stands.
    Overtaken,
}

impl GrantKeeper {
    /// Gets a new access token and stores it. The leader calls this, for one Mailbox at a time, so
    /// that no grant is renewed twice at once.
    ///
    /// # Errors
    /// [`KeeperError`] where it could not be asked: the grant is as before.
    pub async fn renew(
        &self,
        stored: StoredGrant,
        client: &ProfileClient,
        now: Timestamp,
    ) -> Result<Renewal, KeeperError> {
        let answer = client.refresh(&stored.grant).await?;
        let change = changed(answer, &stored.grant, now)?;
        Ok(match self.update(stored, change).await? {
            Some(written) => Renewal::Written(Box::new(written)),
            None => Renewal::Overtaken,
        })
    }
}

/// What is to be made of a grant; it may have to be done again on a newer version of it.
pub(super) type Change = Box<dyn Fn(&mut Grant) + Send + Sync>;

/// What Google's answer makes of a grant.
pub(super) fn changed(
    answer: Result<Refreshed, OAuthError>,
    grant: &Grant,
    now: Timestamp,
) -> Result<Change, KeeperError> {
    match answer {
        Ok(refreshed) => Ok(Box::new(move |grant| apply(&refreshed, grant, now))),
        Err(OAuthError::Refused(refusal)) => {
            let reason = ended(&refusal, grant.age_hours(now))?;
            Ok(Box::new(move |grant| {
                grant.ended = Some(GrantEnd { reason, at: now })
            }))
        }
        Err(error) => Err(KeeperError::Google(error.to_string())),
    }
}

fn ended(refusal: &Refusal, age_hours: i64) -> Result<Reason, KeeperError> {
    let about_client = refusal.of_client().is_some();
    refusal
        .of_grant(age_hours)
        .filter(|_| !about_client)
        .ok_or_else(|| KeeperError::ClientRefused(refusal.words()))
}

fn apply(refreshed: &Refreshed, grant: &mut Grant, now: Timestamp) {
    grant.access = Access {
        token: refreshed.access_token.clone(),
        issued_at: now,
        expires_at: later(now, refreshed.expires_in),
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
            at: now,
        });
    }
}
