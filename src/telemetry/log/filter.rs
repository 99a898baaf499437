use std::fmt;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Filter};

use crate::telemetry::spans::WORK;

/// The longest text that says what is logged, in bytes.
pub const MAX_LENGTH: usize = 512;
/// The most parts that it has.
const MAX_PARTS: usize = 16;
/// The names of levels.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Tells of each request to the API server that failed, without why; whoever made the request tells
/// it with its causes.
const TOLD_TWICE: &str = "kube_client::client::builder";

/// What is logged: a level, and levels of single modules of this program and its libraries, such as
/// `info` or `info,gmail_operator::web=debug`. It is a part of tracing's syntax: spans and their
/// fields cannot be named, for each of those would have to be looked at, with regular expressions.
#[derive(Clone, Debug, PartialEq)]
pub struct LogFilter {
    text: String,
    targets: Targets,
}

/// Why a text does not say what is logged.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadFilter {
    /// Longer than anybody writes it.
    #[error("it has more than {MAX_LENGTH} bytes or more than {MAX_PARTS} parts")]
    TooLong,
    /// The part with this number, from 1, is no level.
    #[error(
        "its part {0} is neither a level nor MODULE=LEVEL; levels are off, error, warn, info, debug and trace: give it as info or as info,gmail_operator::web=debug"
    )]
    NotALevel(usize),
}

impl FromStr for LogFilter {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, BadFilter> {
        let text = text.trim();
        if text.len() > MAX_LENGTH || text.split(',').count() > MAX_PARTS {
            return Err(BadFilter::TooLong);
        }
        let mut targets = Targets::new();
        for (number, part) in (1..).zip(text.split(',')) {
            let (target, level) = match part.trim().split_once('=') {
                Some((target, level)) => (Some(target), level),
                None => (None, part.trim()),
            };
            let level = level_of(level).ok_or(BadFilter::NotALevel(number))?;
            targets = match target {
                None => targets.with_default(level),
                Some(target) if is_module(target) => targets.with_target(target, level),
                Some(_) => return Err(BadFilter::NotALevel(number)),
            };
        }
        Ok(Self {
            text: text.to_owned(),
            targets,
        })
    }
}

/// tracing takes numbers as well, and a word that is no level for a module.
fn level_of(word: &str) -> Option<LevelFilter> {
    let word = word.to_ascii_lowercase();
    LEVELS.contains(&word.as_str()).then(|| word.parse().ok())?
}

fn is_module(name: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b':';
    !name.is_empty() && name.bytes().all(is_part)
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl LogFilter {
    /// Of spans, lines show what was done of which object, and nothing else, whatever is logged.
    fn shows(&self, metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), metadata.level());
        match metadata.is_span() {
            true => target == WORK,
            false => {
                self.targets.would_enable(target, level)
                    && !(target == TOLD_TWICE && *level == Level::ERROR)
            }
        }
    }
}

impl<S> Filter<S> for LogFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.shows(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.shows(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let levels = self.targets.iter().map(|(_, level)| level);
        let levels = levels.chain(self.targets.default_level());
        // The spans that lines begin with are errors, so that they are there whatever is logged.
        Some(levels.fold(LevelFilter::ERROR, LevelFilter::max))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filter(text: &str) -> LogFilter {
        text.parse().unwrap()
    }

    #[test]
    fn a_level_and_levels_of_modules() {
        let some = filter(" info, gmail_operator::web=DEBUG,rustls=off ");
        for (target, level, is) in [
            ("gmail_operator::web::begin", Level::DEBUG, true),
            ("gmail_operator::web", Level::TRACE, false),
            ("gmail_operator::controller", Level::INFO, true),
            ("gmail_operator::controller", Level::DEBUG, false),
            ("rustls", Level::ERROR, false),
            ("hyper", Level::INFO, true),
        ] {
            let shown = some.targets.would_enable(target, &level);
            assert_eq!(shown, is, "{target} {level}");
        }
        assert_eq!(
            some.to_string(),
            "info, gmail_operator::web=DEBUG,rustls=off"
        );
        let hint = |text| Filter::<()>::max_level_hint(&filter(text));
        assert_eq!(hint("warn,rustls=trace"), Some(LevelFilter::TRACE));
        assert_eq!(hint("off"), Some(LevelFilter::ERROR));
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        for (text, part) in [
            ("", 1),
            ("debgu", 1),
            ("info,", 2),
            ("3", 1),
            ("info,gmail_operator", 2),
            ("info,=debug", 2),
            ("info,a b=debug", 2),
            ("info,[request{route=/x}]=trace", 2),
            ("info\nFAKE LINE", 1),
        ] {
            let refused = text.parse::<LogFilter>();
            assert_eq!(refused, Err(BadFilter::NotALevel(part)), "{text}");
        }
        let long = ["info"; 17].join(",");
        assert_eq!(long.parse::<LogFilter>(), Err(BadFilter::TooLong));
        let long = format!("{}=info", "a".repeat(MAX_LENGTH));
        assert_eq!(long.parse::<LogFilter>(), Err(BadFilter::TooLong));
    }
}
