//! What came of a request, told once on the page that the browser is sent to: so that neither a code
//! nor a form stays in its history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cookies::{Kept, is_left};
use super::stopped::Refused;

/// How long it waits to be told, in seconds.
const LIFE: i64 = 600;

/// What came of it, for one Mailbox.
#[derive(Deserialize, Serialize)]
pub(super) struct Outcome {
    uid: String,
    news: News,
    expires_at: i64,
}

/// What there is to tell.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum News {
    /// A sign-in, or a proof of who somebody is, was refused.
    Refused(Refused),
    /// A test will begin.
    TestAsked,
    /// The last one was asked for a moment ago.
    TestTooSoon,
    /// The owner has signed out.
    SignedOut,
    /// The account serves this Mailbox now.
    Moved,
    /// The account stays where it is.
    Stayed,
    /// What was asked for needs a proof of who asks.
    ProofNeeded,
    /// Nobody is signed in, so there is nothing to test.
    NotConnected,
    /// The question was answered already.
    NotAsked,
}

impl Outcome {
    /// To be told on the page of the Mailbox `uid`.
    pub fn new(uid: &str, news: News, now: Timestamp) -> Self {
        Self {
            uid: uid.to_owned(),
            news,
            expires_at: now.as_millisecond().saturating_add(LIFE * 1000),
        }
    }

    /// What there is to tell at `now`.
    pub fn news(self, now: Timestamp) -> Option<News> {
        is_left(self.expires_at, LIFE, now).then_some(self.news)
    }
}

impl Kept for Outcome {
    const KIND: &'static str = "outcome";
    const MAX_AGE: i64 = LIFE;

    fn id(&self) -> &str {
        &self.uid
    }

    fn expires_at(&self) -> i64 {
        self.expires_at
    }
}
