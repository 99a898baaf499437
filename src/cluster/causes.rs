use std::error::Error;

/// The longest text that is made, in characters.
const LONGEST: usize = 500;

/// What an error says, with its causes: a library's own words are "client error (Connect)" where its
/// causes have the address and what became of it. A cause that is in the words already is left out.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Layer {
        words: &'static str,
        #[source]
        cause: Option<Box<Layer>>,
    }

    #[test]
    fn each_cause_is_told_once() {
        let layers = |all: &[&'static str]| {
            let inner_first = all.iter().rev();
            inner_first.fold(None, |cause, words| Some(Box::new(Layer { words, cause })))
        };
        let told = |all: &[&'static str]| layers(all).map(|outer| with_causes(outer.as_ref()));
        assert_eq!(
            told(&[
                "client error (Connect)",
                "tcp connect error",
                "Connection refused"
            ])
            .as_deref(),
            Some("client error (Connect): tcp connect error: Connection refused")
        );
        assert_eq!(
            told(&["no list: gone", "gone"]).as_deref(),
            Some("no list: gone")
        );
    }
}
