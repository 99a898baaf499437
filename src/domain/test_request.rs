//! The annotation that asks for a test.

use std::collections::BTreeMap;

use super::schedule::digest;
use crate::api::TEST_REQUESTED_ANNOTATION;

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

#[cfg(test)]
mod tests {
    use super::*;

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
