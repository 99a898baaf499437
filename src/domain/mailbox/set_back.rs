//! Results that a clock has written that was ahead of ours. As they stand they would hold back the next test until that
//! time has come.

use jiff::{SignedDuration, Timestamp};

use super::decide::CLOCKS_DIFFER;
use super::test::TestView;
use super::world::GrantView;
use crate::domain::schedule::later;
use crate::domain::verdict::seconds;

impl TestView {
    /// The same at `now`: where its newest time is further ahead than clocks differ, all of its times are set back
    /// until that one is now, so that their order stays. A test may begin as late as its sign-in, or the wish for it,
    /// whose times are of the web's clock.
    pub fn set_back(mut self, now: Timestamp, grant: &GrantView) -> Self {
        let latest = self.times().map(|time| *time).max();
        let bound = later(now, CLOCKS_DIFFER).max(asked_at(grant).unwrap_or(Timestamp::MIN));
        let Some(latest) = latest.filter(|latest| *latest > bound) else {
            return self;
        };
        let ahead = latest.duration_since(seconds(now).0);
        for time in self.times() {
            *time = before(*time, ahead);
        }
        self
    }

    fn times(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        let test = self.newest.iter_mut().flat_map(|test| {
            let (started, begun) = (&mut test.started_at, &mut test.begun_at);
            [Some(started), Some(begun), test.finished_at.as_mut()]
        });
        let directions = [&mut self.incoming, &mut self.outgoing];
        let results = directions.into_iter().flat_map(|direction| {
            let error = direction.last_error.as_mut().map(|error| &mut error.at);
            [direction.tested_at.as_mut(), error, None]
        });
        test.chain(results).flatten()
    }
}

/// When a test was last asked for through the grant: by the sign-in itself, or on the page.
fn asked_at(grant: &GrantView) -> Option<Timestamp> {
    match grant {
        GrantView::Held(held) => Some(held.signed_in_at).max(held.test_requested_at),
        GrantView::Ended { signed_in_at, .. } => Some(*signed_in_at),
        GrantView::Absent | GrantView::Adoptable { .. } | GrantView::Unreadable => None,
    }
}

fn before(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}
