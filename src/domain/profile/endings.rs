use std::time::Duration;

use jiff::Timestamp;

use crate::domain::schedule::later;

/// When the sign-ins of a profile's mailboxes are known to end, for alerts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Endings {
    /// The first of them.
    pub earliest: Option<Timestamp>,
    /// How many end soon.
    pub soon: i64,
}

impl Endings {
    /// Of signed-in mailboxes that end at `ends`; soon is what ends no later than `warning` after
    /// `now`.
    pub fn of(
        ends: impl IntoIterator<Item = Timestamp>,
        now: Timestamp,
        warning: Duration,
    ) -> Self {
        let soon = later(now, warning);
        ends.into_iter().fold(Self::default(), |all, end| Self {
            earliest: Some(all.earliest.map_or(end, |earliest| earliest.min(end))),
            soon: all.soon + i64::from(end <= soon),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_how_many_are_soon() {
        let time = |second| Timestamp::from_second(second).unwrap();
        let of = |ends: &[i64]| {
            let ends = ends.iter().map(|second| time(*second));
            Endings::of(ends, time(1000), Duration::from_secs(100))
        };
        assert_eq!(of(&[]), Endings::default());
        assert_eq!(
            of(&[1101, 1100, 900, 5000]),
            Endings {
                earliest: Some(time(900)),
                soon: 2,
            }
        );
    }
}
