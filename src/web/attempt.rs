//! `status.signIn.lastAttempt`: that a sign-in was refused, for those who do not see the page.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::Web;
use crate::api::{Mailbox, Reason, SignInAttempt};
use crate::cluster::status::{WEB, apply};
use crate::domain::schedule::later;
use crate::domain::verdict::seconds;

/// The shortest time between two of a Mailbox: whoever has its link can be refused again and again,
/// and each is a write that wakes its watchers.
const PAUSE: Duration = Duration::from_secs(60);

impl Web {
    /// Writes that a sign-in for `mailbox` was refused. Where that fails the page is as it is.
    pub(super) async fn note(&self, mailbox: &Mailbox, reason: Reason, now: Timestamp) {
        let status = mailbox.status.as_ref().and_then(|s| s.sign_in.as_ref());
        if !is_due(
            status.and_then(|sign_in| sign_in.last_attempt.as_ref()),
            now,
        ) {
            return;
        }
        let attempt = SignInAttempt {
            at: seconds(now),
            reason,
        };
        let status = json!({ "signIn": { "lastAttempt": attempt } });
        if let Err(error) = apply(&self.client, mailbox, &status, WEB).await {
            tracing::warn!(%error, "a refused sign-in is not in status");
        }
    }
}

/// Whether the last one is long enough ago. One that is still to come is of a wrong clock.
fn is_due(last: Option<&SignInAttempt>, now: Timestamp) -> bool {
    last.is_none_or(|last| last.at.0 > now || later(last.at.0, PAUSE) <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_once_a_minute() {
        let at = |second: i64| Timestamp::from_second(second).unwrap_or_else(|e| panic!("{e}"));
        let last = SignInAttempt {
            at: seconds(at(1000)),
            reason: Reason::WrongAccount,
        };
        for (now, due) in [(1000, false), (1059, false), (1060, true), (999, true)] {
            assert_eq!(is_due(Some(&last), at(now)), due, "{now}");
        }
        assert!(is_due(None, at(0)));
    }
}
