//! One account serves one Mailbox. A second one asks the account's owner, on the page, whether it
//! moves; until they say so its grant lies there unused.

use jiff::Timestamp;
use kube::Api;

use super::accept::Accepted;
use super::{GrantKeeper, KeeperError, Written};
use crate::api::{Mailbox, Reason};
use crate::cluster::call;
use crate::cluster::grants::StoredGrant;
use crate::domain::grant::{Grant, GrantEnd};

impl GrantKeeper {
    /// The account moves to the Mailbox of `base`: the others' grants end, then this one is used. A
    /// crash in between leaves the question, and the same answer ends it. `None` where another
    /// sign-in was ahead.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`].
    pub async fn move_here(
        &self,
        base: StoredGrant,
        now: Timestamp,
    ) -> Result<Option<Written>, KeeperError> {
        for other in self.serving_elsewhere(&base.grant).await? {
            tracing::info!(from = %other.grant.mailbox, to = %base.grant.mailbox, "an account moves to another Mailbox");
            let end = GrantEnd {
                reason: Reason::MovedElsewhere,
                at: now,
            };
            // Not revoked: Google would end the new grant with it.
            self.update(other, |grant: &mut Grant| grant.ended = Some(end))
                .await?;
        }
        self.update(base, |grant: &mut Grant| grant.move_asked_at = None)
            .await
    }

    /// The account stays where it is: the unused grant goes. It is not revoked, since that would end
    /// the other Mailbox's.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`].
    pub async fn stay(&self, base: StoredGrant) -> Result<(), KeeperError> {
        Ok(self
            .grants
            .delete(&base.grant.mailbox_uid, base.resource_version)
            .await?)
    }

    /// The grants with which the account of `grant` serves other Mailboxes.
    pub(super) async fn serving_elsewhere(
        &self,
        grant: &Grant,
    ) -> Result<Vec<StoredGrant>, KeeperError> {
        let mut serving = Vec::new();
        for found in self.grants.of_account(&grant.account).await? {
            let other = &found.grant;
            if other.mailbox_uid != grant.mailbox_uid
                && other.serves()
                && self.is_there(other).await?
            {
                serving.push(found);
            }
        }
        Ok(serving)
    }

    /// Two sign-ins at once see nothing of each other before they are stored: the later one asks.
    pub(super) async fn ask_where_another_was_first(
        &self,
        grant: &Grant,
    ) -> Result<Accepted, KeeperError> {
        let order = |grant: &Grant| (grant.signed_in_at, grant.mailbox_uid.clone());
        let others = self.serving_elsewhere(grant).await?;
        if !others
            .iter()
            .any(|other| order(&other.grant) < order(grant))
        {
            return Ok(Accepted::InUse);
        }
        let Some(Ok(stored)) = self.grants.get(&grant.mailbox_uid).await? else {
            return Ok(Accepted::InUse);
        };
        let asked = grant.signed_in_at;
        self.update(stored, |grant: &mut Grant| {
            grant.move_asked_at = Some(asked)
        })
        .await?;
        Ok(Accepted::AsksToMove)
    }

    /// Whether the Mailbox of `grant` is there, and not another of its name.
    async fn is_there(&self, grant: &Grant) -> Result<bool, KeeperError> {
        let name = &grant.mailbox;
        let mailboxes: Api<Mailbox> = Api::namespaced(self.client.clone(), &name.namespace);
        let found = call(
            || format!("reading the Mailbox {name}"),
            mailboxes.get_metadata_opt(&name.name),
        )
        .await?;
        Ok(found.is_some_and(|found| {
            found.metadata.uid.as_deref() == Some(&grant.mailbox_uid)
                && found.metadata.deletion_timestamp.is_none()
        }))
    }
}
