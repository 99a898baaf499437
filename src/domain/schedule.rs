//! When things are due. Jitter is seeded by the object's uid: spread over all objects, and the same
//! after a restart.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// Sixteen hexadecimal digits of SHA-256 over `parts`, each with its length.
pub fn digest(parts: &[&str]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part.len().to_be_bytes());
        sha.update(part.as_bytes());
    }
    sha.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A number from 0 up to but not 1, the same for the same seed.
pub fn jitter(seed: &str) -> f64 {
    let first: u64 = Sha256::digest(seed.as_bytes())
        .iter()
        .take(6)
        .fold(0, |n, byte| n << 8 | u64::from(*byte));
    first as f64 / (1u64 << 48) as f64
}

/// A workload has the next token five minutes before the old one ends; a minute more is for the
/// renewal itself.
const BEFORE_THE_END: f64 = 6.0 * 60.0;

/// When an access token that lives from `issued` to `expires` is renewed: after 75 to 90 % of its
/// life, so that a token is never handed out on its last minutes and renewals do not come together;
/// earlier, but not before the middle, where less than six minutes would be left. Google's live an
/// hour; one that lives less than twelve minutes cannot leave that much, and goes by its share alone.
pub fn renew_at(issued: Timestamp, expires: Timestamp, seed: &str) -> Timestamp {
    let life = expires.duration_since(issued).as_secs_f64().max(0.0);
    let latest = match life - BEFORE_THE_END {
        leaves_enough if leaves_enough >= life / 2.0 => leaves_enough.min(0.9 * life),
        _ => 0.9 * life,
    };
    let early = 0.15 * life * (1.0 - jitter(seed));
    later(issued, Duration::from_secs_f64(latest - early))
}

/// The wait before try number `attempt` (from 1): doubling from `first`, at most `longest`, less up
/// to a quarter of it.
pub fn backoff(attempt: u32, first: Duration, longest: Duration, seed: &str) -> Duration {
    let full = first
        .saturating_mul(1 << attempt.saturating_sub(1).min(20))
        .min(longest);
    full.mul_f64(1.0 - 0.25 * jitter(&format!("{seed}/{attempt}")))
}

/// `interval`, less up to a tenth of it by the seed.
pub fn spread(interval: Duration, seed: &str) -> Duration {
    interval.mul_f64(1.0 - 0.1 * jitter(seed))
}

/// `time` and `wait` after it; the end of time where there is nothing later.
pub fn later(time: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| time.checked_add(wait).ok())
        .unwrap_or(Timestamp::MAX)
}

/// `time` and `wait` before it; the beginning of time where there is nothing earlier.
pub fn earlier(time: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| time.checked_sub(wait).ok())
        .unwrap_or(Timestamp::MIN)
}

/// How long from `now` to `time`; zero where it has passed.
pub fn until(time: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewals_come_before_the_end_and_are_spread() {
        let (issued, expires) = (Timestamp::from_second(0), Timestamp::from_second(3600));
        let (Ok(issued), Ok(expires)) = (issued, expires) else {
            unreachable!()
        };
        let at: std::collections::BTreeSet<i64> = (0..100)
            .map(|n| renew_at(issued, expires, &n.to_string()).as_second())
            .collect();
        assert!(
            at.len() > 80 && at.iter().all(|s| (2700..=3240).contains(s)),
            "{at:?}"
        );
    }

    #[test]
    fn a_workload_has_the_next_token_five_minutes_before_the_end() {
        for life in [720, 900, 1200, 1800, 3599, 7200, 86_400] {
            for n in 0..100 {
                let expires = Timestamp::from_second(life).unwrap_or_default();
                let at = renew_at(Timestamp::UNIX_EPOCH, expires, &n.to_string()).as_second();
                assert!(at <= life - 359 && at * 100 >= life * 35, "{life}: {at}");
            }
        }
        // Too short for that: by its share alone, as ever.
        let expires = Timestamp::from_second(600).unwrap_or_default();
        let at = renew_at(Timestamp::UNIX_EPOCH, expires, "x").as_second();
        assert!((450..=540).contains(&at), "{at}");
    }

    #[test]
    fn backoff_grows_and_is_bounded() {
        let wait =
            |n| backoff(n, Duration::from_secs(5), Duration::from_secs(300), "x").as_secs_f64();
        assert!(
            (3.75..=5.0).contains(&wait(1))
                && (7.5..=10.0).contains(&wait(2))
                && (225.0..=300.0).contains(&wait(4000))
        );
    }

    #[test]
    fn digests_keep_parts_apart() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["a"]).len(), 16);
    }
}
