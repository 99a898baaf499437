use jiff::Timestamp;

use super::update::TRIES;
use super::{GrantKeeper, KeeperError, Renewal, Written};
use crate::api::GmailServerProfile;
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;

impl GrantKeeper {
    /// Takes over the grant that a Mailbox of the same namespace, name and address left, for the
    /// Mailbox `uid`: proves it by a renewal, stores it under the new uid, and only then removes the
    /// old one. A crash in between leaves both, and the old one is deleted when it
    /// is looked at.
    ///
    /// # Errors
    /// [`KeeperError`] where it could not be asked or written: the grant is as before.
    pub async fn adopt(
        &self,
        old: StoredGrant,
        uid: &str,
        profile: &GmailServerProfile,
        now: Timestamp,
    ) -> Result<Renewal, KeeperError> {
        let change = match self.unsaved.of(&old.grant) {
            Some(given) => given.change(),
            None => match self.queue(&old.grant, profile, now) {
                Ok(turn) => self.ask(&old, profile, turn, now).await?,
                Err(not_yet) => return Ok(Renewal::NotYet(not_yet)),
            },
        };
        let mut grant = old.grant.clone();
        change(&mut grant);
        grant.mailbox_uid = uid.to_owned();
        grant.orphaned_at = None;
        // It is the old Mailbox's, and goes with it.
        grant.workload_secret = None;
        let secret = self.grants.put(&grant, None).await?;
        self.unsaved.forget(&old.grant.mailbox_uid);
        self.delete_adopted(old).await?;
        Ok(Renewal::Written(Box::new(Written { grant, secret })))
    }

    /// Deletes a grant that another Mailbox has taken over. Meanwhile it may have been noted that it is
    /// orphaned, or what becomes of it; a newer sign-in in its place stays.
    async fn delete_adopted(&self, old: StoredGrant) -> Result<(), ClusterError> {
        let (uid, sign_in) = (old.grant.mailbox_uid, old.grant.signed_in_at);
        let mut version = old.resource_version;
        for left in (0..TRIES).rev() {
            match self.grants.delete(&uid, version).await {
                Err(error) if error.is_conflict() && left > 0 => {}
                other => return other,
            }
            version = match self.grants.get(&uid).await? {
                Some(Ok(newer)) if newer.grant.signed_in_at == sign_in => newer.resource_version,
                _ => return Ok(()),
            };
        }
        Ok(())
    }
}
