use std::time::Duration;

use jiff::Timestamp;

use super::{GrantKeeper, KeeperError, Written};
use crate::cluster::grants::StoredGrant;
use crate::domain::grant::Grant;
use crate::domain::schedule::later;
use crate::domain::verdict::seconds;

/// What a grant's owner asks for on the page. It is written into the grant, where the controller sees
/// it: the page writes nothing else of the cluster.
impl GrantKeeper {
    /// Notes that its owner asks for a test. `None` where another sign-in was ahead.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`].
    pub async fn request_test(
        &self,
        base: StoredGrant,
        now: Timestamp,
    ) -> Result<Option<Written>, KeeperError> {
        // Rounded up to whole seconds, which the status keeps of a test's start: the test that ended in
        // this second is not the one that is asked for.
        let at = Some(later(seconds(now).0, Duration::from_secs(1)));
        self.update(base, |grant: &mut Grant| grant.test_requested_at = at)
            .await
    }

    /// Notes that its owner has signed out: from then on it is not used. `None` where another
    /// sign-in was ahead.
    ///
    /// # Errors
    /// [`KeeperError::Cluster`].
    pub async fn sign_out(
        &self,
        base: StoredGrant,
        now: Timestamp,
    ) -> Result<Option<Written>, KeeperError> {
        self.update(base, |grant: &mut Grant| grant.signed_out_at = Some(now))
            .await
    }
}
