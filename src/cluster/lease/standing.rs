use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::schedule::later;

/// How this process stands in the election.
#[derive(Clone, Copy, Debug)]
pub enum Standing {
    /// It has not seen the Lease yet.
    Unknown,
    /// Another leads.
    Waits,
    /// It leads.
    Leads(Term),
}

/// Until when a process leads that gives no more sign of life, by two clocks: one stands still while the machine is
/// suspended, the other may be put back.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    until: Instant,
    until_time: Timestamp,
}

impl Term {
    pub(super) fn new(from: Instant, from_time: Timestamp, length: Duration) -> Self {
        Self {
            until: from + length,
            until_time: later(from_time, length),
        }
    }

    fn holds_at(&self, now: Instant, time: Timestamp) -> bool {
        now < self.until && time < self.until_time
    }
}

impl Standing {
    /// Whether it leads at this moment. Who acts looks at it first, so that a process that was stopped for a while
    /// does nothing on waking.
    pub fn leads(&self) -> bool {
        matches!(self, Self::Leads(term) if term.holds_at(Instant::now(), Timestamp::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_ends_by_either_clock() {
        let (start, time) = (Instant::now(), Timestamp::UNIX_EPOCH);
        let term = Term::new(start, time, Duration::from_secs(10));
        let seconds = Duration::from_secs;
        for (passed, by_clock, holds) in [
            (0, 0, true),
            (9, 9, true),
            (10, 0, false),
            (0, 10, false),
            (1, 3600, false),
        ] {
            let (now, clock) = (start + seconds(passed), later(time, seconds(by_clock)));
            assert_eq!(term.holds_at(now, clock), holds, "{passed} {by_clock}");
        }
    }
}
