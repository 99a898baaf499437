use jiff::Timestamp;

use super::{GrantKeeper, KeeperError, Written};
use crate::cluster::grants::{StoredGrant, stored};
use crate::domain::grant::{Grant, MessageLimit, Messages};

/// How often a write is tried that another writer was ahead of.
pub(super) const TRIES: usize = 4;

impl GrantKeeper {
    /// Changes a stored grant. Where another writer was ahead, the change is made to what is stored
    /// then, unless that is of another sign-in: a newer grant is never overwritten.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`].
    pub async fn update(
        &self,
        base: StoredGrant,
        change: impl Fn(&mut Grant),
    ) -> Result<Option<Written>, KeeperError> {
        let sign_in = base.grant.signed_in_at;
        let mut current = base;
        for left in (0..TRIES).rev() {
            let mut grant = current.grant.clone();
            change(&mut grant);
            match self
                .grants
                .put(&grant, current.resource_version.clone())
                .await
            {
                Ok(secret) => return Ok(Some(Written { grant, secret })),
                Err(error) if error.is_conflict() && left > 0 => {
                    match self.grants.get(&grant.mailbox_uid).await? {
                        Some(Ok(newer)) if newer.grant.signed_in_at == sign_in => current = newer,
                        _ => return Ok(None),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Notes that the test `id` may have sent its message: before it does, so that a crash in
    /// between never leads to a second one. `None` where it is noted already, by another replica, or
    /// another sign-in was ahead: then nothing may be sent.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`]; then nothing may be sent.
    pub async fn note_message(
        &self,
        base: &StoredGrant,
        id: &str,
        limit: MessageLimit,
    ) -> Result<Option<Written>, KeeperError> {
        if base.grant.messages.may_be_sent_by(id) {
            return Ok(None);
        }
        let (before, now) = (base.grant.messages.clone(), Timestamp::now());
        let written = self
            .update(base.clone(), |grant| {
                if grant.messages == before {
                    grant.messages = before.with(id, now, limit);
                }
            })
            .await?;
        let ours = |written: &Written| written.grant.messages == before.with(id, now, limit);
        Ok(written.filter(ours))
    }

    /// Takes that note back, where it is certain that the server does not have the message: the
    /// notes are then as `before`.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`]; then the note stays and the message is looked for.
    pub async fn unnote_message(
        &self,
        base: StoredGrant,
        before: &Messages,
    ) -> Result<Option<Written>, KeeperError> {
        let noted = base.grant.messages.clone();
        self.update(base, |grant| {
            if grant.messages == noted {
                grant.messages = before.clone();
            }
        })
        .await
    }

    /// Notes that the owner may have been reminded of `end`: before the message is sent, so that a
    /// crash in between never leads to a second one. `None` where another writer was ahead: then it
    /// may be another replica that is sending it.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`]; then nothing may be sent.
    pub async fn note_reminder(
        &self,
        base: &StoredGrant,
        end: Timestamp,
    ) -> Result<Option<Written>, KeeperError> {
        let grant = Grant {
            reminded_for: Some(end),
            ..base.grant.clone()
        };
        match self.grants.put(&grant, base.resource_version.clone()).await {
            Ok(secret) => Ok(Some(Written { grant, secret })),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the note back, where it is certain that no reminder went out.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`]; then the note stays and none is sent.
    pub async fn unnote_reminder(&self, base: StoredGrant) -> Result<Option<Written>, KeeperError> {
        self.update(base, |grant| grant.reminded_for = None).await
    }
}

/// A grant as it was just written, for the next change of it.
impl Written {
    /// With its version.
    pub fn stored(&self) -> StoredGrant {
        stored(&self.secret).unwrap_or_else(|_| StoredGrant {
            grant: self.grant.clone(),
            resource_version: self.secret.metadata.resource_version.clone(),
        })
    }
}
