use std::time::{Duration, Instant};

use super::GrantKeeper;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

impl GrantKeeper {
    /// Before the process ends: stores what Google gave and the API server did not take, for at most
    /// `limit`, and what it gives meanwhile to renewals that are under way. The writes are guarded, so they are safe for one who leads no more.
    pub async fn store_rest(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        if self.unsaved.left() > 0 {
            tracing::warn!(
                limit_s = limit.as_secs(),
                "before the end, new tokens are stored"
            );
        }
        loop {
            for given in self.unsaved.all() {
                let (base, uid) = (given.base.clone(), given.base.grant.mailbox_uid.clone());
                let left = deadline.saturating_duration_since(Instant::now());
                let stored = tokio::time::timeout(left, self.update(base, given.change())).await;
                if matches!(stored, Ok(Ok(_))) {
                    self.unsaved.forget(&uid);
                }
            }
            let left = self.unsaved.left();
            if left == 0 {
                return;
            }
            if Instant::now() + PAUSE > deadline {
                tracing::error!(
                    grants = left,
                    "new tokens could not be stored; where the OAuth server replaces refresh tokens, their owners have to sign in again"
                );
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
