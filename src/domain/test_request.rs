//! The annotation that asks for a test.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::schedule::digest;
use crate::api::{TEST_REQUESTED_ANNOTATION, TestRequestedBy};

/// The shortest time between the beginnings of two tests of one Mailbox that somebody asks for.
pub const BETWEEN_REQUESTED_TESTS: Duration = Duration::from_secs(60);

/// The longest value that is answered as it stands, in bytes. It is copied into the status of each
/// Mailbox that answers it, and an annotation may have 256 kB.
const LONGEST: usize = 100;

/// What the annotation says, as it is answered in status: a long value by its digest.
pub fn requested(annotations: &BTreeMap<String, String>) -> Option<String> {
    let value = annotations.get(TEST_REQUESTED_ANNOTATION)?;
    Some(match value.len() {
        0..=LONGEST => value.clone(),
        _ => digest(&[value]),
    })
}

/// Whether the request `ours` is answered, where the newest one that was answered is `answered` and the
/// object now has `annotations`. A request that is made while another one waits takes its place, and what
/// answers it answers both. Which of two came later is told by their values, which are times.
pub fn is_answered(ours: &str, answered: &str, annotations: &BTreeMap<String, String>) -> bool {
    let now = requested(annotations);
    let time = |value: &str| value.parse::<Timestamp>().ok();
    let later = || time(answered).zip(time(ours)).is_some_and(|(a, b)| a >= b);
    let replaced = now.as_deref() != Some(ours);
    answered == ours || (replaced && (now.as_deref() == Some(answered) || later()))
}

/// Whether somebody has asked for the test, by the annotation or on the sign-in page.
pub fn is_asked_for(by: TestRequestedBy) -> bool {
    matches!(by, TestRequestedBy::Annotation | TestRequestedBy::Page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_test_answers_two_who_ask_within_the_pause() {
        let (early, ours, late) = (
            "2026-11-26T14:00:00Z",
            "2026-11-26T14:00:00.5Z",
            "2026-11-26T14:00:01Z",
        );
        for (now, answered, wanted) in [
            (Some(ours), ours, true),
            (Some(ours), early, false),
            // Somebody's clock was wrong, long ago.
            (Some(ours), late, false),
            (Some(late), early, false),
            (Some(late), ours, true),
            (Some(late), late, true),
            // Two have come after it; the second waits.
            (Some("2026-11-26T14:00:09Z"), late, true),
            // By hand, or by a clock that is behind.
            (Some("again"), early, false),
            (Some("again"), "again", true),
            (Some(early), early, true),
            (None, late, true),
            (None, early, false),
        ] {
            let annotations = now.map(|now| (TEST_REQUESTED_ANNOTATION.to_owned(), now.to_owned()));
            let annotations = annotations.into_iter().collect();
            assert_eq!(
                is_answered(ours, answered, &annotations),
                wanted,
                "{now:?} now, {answered} answered"
            );
        }
    }

    #[test]
    fn a_long_value_is_answered_by_its_digest() {
        let said = |value: &str| {
            requested(&BTreeMap::from([(
                TEST_REQUESTED_ANNOTATION.to_owned(),
                value.to_owned(),
            )]))
        };
        assert_eq!(requested(&BTreeMap::new()), None);
        for kept in ["", "2026-11-26T14:00:00Z", &"x".repeat(LONGEST)] {
            assert_eq!(said(kept).as_deref(), Some(kept));
        }
        let (one, other) = (said(&"x".repeat(LONGEST + 1)), said(&"x".repeat(200_000)));
        assert!(one.as_ref().is_some_and(|one| one.len() <= LONGEST));
        assert_ne!(one, other);
    }
}
