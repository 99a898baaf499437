//! What the worlds of the tests have in common.

use std::time::Duration;

use super::Times;
use crate::domain::grant::{MessageLimit, Messages};

/// The waits of production.
pub(super) fn times() -> Times {
    let seconds = Duration::from_secs;
    let days = |days: u64| seconds(days * 86_400);
    Times {
        retest: days(1),
        retest_failed: seconds(4 * 3600),
        backoff_first: seconds(5),
        backoff_longest: seconds(300),
        pause_first: seconds(600),
        pause_longest: seconds(3600),
        pop3_gap: seconds(300),
        between_requested_tests: seconds(60),
        messages: MessageLimit {
            at_most: 6,
            within: days(1),
        },
        tries: 10,
        proof_age: seconds(300),
        warn_before_end: days(1),
        warn_before_idle_end: days(14),
        remind_before_end: days(2),
        look_at_foreign_secret: seconds(50),
        look_at_own_secret: seconds(600),
    }
}

/// The test `id` has sent the receipt.
pub(super) fn receipted(id: &str) -> Messages {
    Messages {
        newest: Some(id.into()),
        receipt: Some(id.into()),
        sent_at: Vec::new(),
    }
}
