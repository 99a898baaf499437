//! How much each caller may have. Whoever has had too much is told when to come again; what is
//! remembered of callers is bounded, and the one heard of longest ago is forgotten first, which can
//! only let somebody through.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use lru::LruCache;

use crate::domain::caller::Caller;

/// The most callers that are remembered for each limit: about 1 MB.
pub(super) const MOST_CALLERS: usize = 10_000;

/// All requests of one person: a page that shows a test's progress asks once a second, and five such
/// pages may be open.
const LOOKS: Quota = Quota::per_second(count(5)).allow_burst(count(50));
/// Presses of a button and returns from Google, each a write or a question to Google.
const STEPS: Quota = Quota::per_minute(count(20));
/// The same for an address that people share: the limit must not be one that a company comes to on
/// a morning, and must still hold a single program off.
const CROWD_LOOKS: Quota = Quota::per_second(count(50)).allow_burst(count(500));
const CROWD_STEPS: Quota = Quota::per_minute(count(200));

const fn count(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

/// What a request costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cost {
    /// A page is read.
    Look,
    /// A sign-in or a test goes on.
    Step,
}

/// A caller has had too much.
#[derive(Debug)]
pub(super) struct TooMany {
    /// Until the next request is answered.
    pub wait: Duration,
}

/// How much each caller has had.
pub(super) struct Limits<C: Clock = MonotonicClock> {
    single: Meter<C>,
    crowd: Meter<C>,
}

struct Meter<C: Clock> {
    looks: Limiter<C>,
    steps: Limiter<C>,
}

type Limiter<C> = RateLimiter<Caller, Recent, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl Limits {
    pub fn new() -> Self {
        Self::with_clock(&MonotonicClock)
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn with_clock(clock: &C) -> Self {
        Self {
            single: Meter::new(LOOKS, STEPS, clock),
            crowd: Meter::new(CROWD_LOOKS, CROWD_STEPS, clock),
        }
    }

    /// Counts a request of `caller`. One that is refused costs nothing.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn take(&self, caller: Caller, cost: Cost) -> Result<(), TooMany> {
        match caller {
            Caller::Single(_) => self.single.take(caller, cost),
            Caller::Crowd(_) => self.crowd.take(caller, cost),
        }
    }
}

impl<C: Clock + Clone> Meter<C> {
    fn new(looks: Quota, steps: Quota, clock: &C) -> Self {
        let limiter = |quota| RateLimiter::new(quota, Recent::default(), clock.clone());
        Self {
            looks: limiter(looks),
            steps: limiter(steps),
        }
    }

    fn take(&self, caller: Caller, cost: Cost) -> Result<(), TooMany> {
        let limiter = match cost {
            Cost::Look => &self.looks,
            Cost::Step => &self.steps,
        };
        limiter.check_key(&caller).map_err(|until| TooMany {
            wait: until.wait_time_from(limiter.clock().now()),
        })
    }
}

/// The callers heard of last.
struct Recent(Mutex<LruCache<Caller, Nanos>>);

impl Default for Recent {
    fn default() -> Self {
        let most = NonZeroUsize::new(MOST_CALLERS).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(most)))
    }
}

impl StateStore for Recent {
    type Key = Caller;

    fn measure_and_replace<T, F, E>(&self, caller: &Caller, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, next) = decide(recent.get(caller).copied())?;
        recent.put(*caller, next);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn single(n: u32) -> Caller {
        Caller::Single(IpAddr::V4(Ipv4Addr::from_bits(n)))
    }

    const CROWD: Caller = Caller::Crowd(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));

    /// How many are answered at once, and how long after that the next waits.
    fn burst(limits: &Limits<FakeRelativeClock>, caller: Caller, cost: Cost) -> (u32, Duration) {
        let mut answered = 0;
        loop {
            match limits.take(caller, cost) {
                Ok(()) => answered += 1,
                Err(TooMany { wait }) => return (answered, wait),
            }
        }
    }

    #[test]
    fn each_caller_has_a_burst_and_then_a_pace() {
        let clock = FakeRelativeClock::default();
        let limits = Limits::with_clock(&clock);
        for (caller, cost, at_once, pace) in [
            (single(1), Cost::Look, 50, 200),
            (single(1), Cost::Step, 20, 3000),
            (CROWD, Cost::Look, 500, 20),
            (CROWD, Cost::Step, 200, 300),
        ] {
            let pace = Duration::from_millis(pace);
            assert_eq!(burst(&limits, caller, cost), (at_once, pace), "{caller:?}");
            clock.advance(pace - Duration::from_nanos(1));
            assert!(limits.take(caller, cost).is_err());
            clock.advance(Duration::from_nanos(1));
            assert!(limits.take(caller, cost).is_ok());
            // All of it comes back.
            clock.advance(pace * (at_once + 1));
            assert_eq!(burst(&limits, caller, cost).0, at_once);
        }
    }

    #[test]
    fn one_caller_takes_nothing_from_another() {
        let limits = Limits::with_clock(&FakeRelativeClock::default());
        for caller in [single(1), single(2), CROWD] {
            let (first, _) = burst(&limits, caller, Cost::Step);
            assert!(first >= 20);
            assert!(limits.take(caller, Cost::Look).is_ok(), "pages stay open");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limits = Limits::with_clock(&FakeRelativeClock::default());
        let most = u32::try_from(MOST_CALLERS).unwrap_or(u32::MAX);
        for n in [0, 1] {
            burst(&limits, single(n), Cost::Step);
        }
        for n in 2..=most {
            assert!(limits.take(single(n), Cost::Step).is_ok());
        }
        // One more than there is room for: the first is forgotten and let in.
        assert!(limits.take(single(1), Cost::Step).is_err());
        assert!(limits.take(single(0), Cost::Step).is_ok());
    }
}
