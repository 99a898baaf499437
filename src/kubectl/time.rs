//! Times, as a person reads them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The longest that a flag may ask to wait.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A wait, written as kubectl wants it: from 0s to 24h.
///
/// # Errors
/// What it should be.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = match text {
        "0" => SignedDuration::ZERO,
        _ => text
            .parse()
            .map_err(|_| "give it as in 90s, 2m or 1m30s".to_owned())?,
    };
    Duration::try_from(parsed)
        .ok()
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| "it must be from 0s to 24h".to_owned())
}

/// To the minute, in UTC.
pub fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long it is between two moments, in the largest unit, as kubectl shows an age.
pub fn between(one: Timestamp, other: Timestamp) -> String {
    let seconds = one.duration_until(other).abs().as_secs();
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let unit = units.iter().find(|(length, _)| seconds >= 2 * length);
    match unit {
        Some((length, letter)) => format!("{}{letter}", seconds / length),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_kubectl() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for bad in ["", "x", "-1s", "25h", "60"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ages_are_those_of_kubectl() {
        let at = |second| Timestamp::from_second(second).unwrap_or_else(|e| panic!("{e}"));
        for (seconds, said) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (7_199, "119m"),
            (7_200, "2h"),
            (172_800, "2d"),
        ] {
            assert_eq!(between(at(0), at(seconds)), said);
            assert_eq!(between(at(seconds), at(0)), said);
        }
    }
}
