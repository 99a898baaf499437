use std::time::Duration;

use jiff::Timestamp;

use super::spec::ValidSpec;
use super::world::Times;
use crate::api::{DirectionState, Reason, TestRequestedBy, TestStep};
use crate::domain::schedule::{backoff, later};

/// The newest test and what it found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TestView {
    /// The test.
    pub newest: Option<Test>,
    /// Receiving.
    pub incoming: DirectionView,
    /// Sending.
    pub outgoing: DirectionView,
}

/// A test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Test {
    /// Names it.
    pub id: String,
    /// Why it is made.
    pub requested_by: TestRequestedBy,
    /// When it started, which may be ahead of our clock by a little.
    pub started_at: Timestamp,
    /// When it started by our clock, where that is before; after a restart the same.
    pub begun_at: Timestamp,
    /// Where it is.
    pub step: TestStep,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// A digest of the settings that are tested.
    pub settings: String,
}

/// One direction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DirectionView {
    /// The newest result.
    pub state: DirectionState,
    /// Whether it may be used.
    pub enabled: bool,
    /// When it was last tested to an end.
    pub tested_at: Option<Timestamp>,
    /// The newest failure.
    pub last_error: Option<LastError>,
    /// What was noticed although it works: by the newest test, or by the newest message.
    /// While it is off: what the test's message met, so that only a message turns it on again.
    pub remark: Option<Reason>,
    /// More of that, in words.
    pub remark_message: Option<String>,
    /// Tries within the running test that failed and are made again.
    pub retry: Retry,
}

/// The newest failure of a direction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastError {
    /// Since when this reason.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
    /// In words.
    pub message: String,
    /// The server's words.
    pub server_reply: Option<String>,
}

/// Tries of something that failed and is made again. Only this process knows them: after a restart
/// they begin anew.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Retry {
    /// How many failed in a row.
    pub failed: u32,
    /// Not to be tried before this.
    pub not_before: Option<Timestamp>,
}

impl Test {
    /// Whether an access token that was got at `issued_at` is of this test: Google has renewed the grant
    /// since it began.
    pub fn is_proved_by(&self, issued_at: Timestamp) -> bool {
        issued_at >= self.begun_at
    }
}

impl Retry {
    /// Whether it may be tried at `now`.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|time| time <= now)
    }

    /// After one more failure at `now`, with the waits of `times`, spread by `seed`.
    pub fn after_failure(self, now: Timestamp, times: &Times, seed: &str) -> Self {
        self.again(now, times.backoff_first, times.backoff_longest, seed)
    }

    /// After one more failure at `now`: waits that double from `first` to `longest`, spread by `seed`.
    pub fn again(self, now: Timestamp, first: Duration, longest: Duration, seed: &str) -> Self {
        let failed = self.failed.saturating_add(1);
        Self {
            failed,
            not_before: Some(later(now, backoff(failed, first, longest, seed))),
        }
    }
}

impl DirectionView {
    /// A direction that was never tested.
    pub fn untested() -> Self {
        Self {
            state: DirectionState::NotRun,
            enabled: false,
            tested_at: None,
            last_error: None,
            remark: None,
            remark_message: None,
            retry: Retry::default(),
        }
    }

    /// Whether a message has turned it off: the login alone does not turn it on again.
    pub fn owes_message(&self) -> bool {
        !self.enabled && self.remark.is_some()
    }

    /// Whether the test that started at `start` has come to an end for this direction.
    pub fn is_done(&self, start: Timestamp) -> bool {
        self.tested_at.is_some_and(|at| at >= start) && self.retry.failed == 0
    }
}

impl TestView {
    /// Says of each direction that is not used that it is so.
    pub fn mark_unused(&mut self, spec: &ValidSpec) {
        for (used, direction) in [
            (spec.incoming.is_some(), &mut self.incoming),
            (spec.outgoing, &mut self.outgoing),
        ] {
            if !used {
                *direction = DirectionView {
                    state: DirectionState::NotUsed,
                    ..DirectionView::untested()
                };
            } else if direction.state == DirectionState::NotUsed {
                direction.state = DirectionState::NotRun;
            }
        }
    }

    /// Nothing tested.
    pub fn untested() -> Self {
        Self {
            newest: None,
            incoming: DirectionView::untested(),
            outgoing: DirectionView::untested(),
        }
    }

    /// The test that is running.
    pub fn running(&self) -> Option<&Test> {
        self.newest
            .as_ref()
            .filter(|test| test.finished_at.is_none())
    }
}
