//! Logs, and how much of them there is.

mod filter;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

pub use filter::{BadFilter, LogFilter, MAX_LENGTH};

use super::traces::Traces;

/// How log lines look.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Changes what is logged while the program runs.
#[derive(Clone, Debug)]
pub struct LogSwitch(reload::Handle<LogFilter, Registry>);

/// Nothing is logged here.
#[derive(Debug, thiserror::Error)]
#[error("what is logged cannot be changed: {0}")]
pub struct NoLog(#[from] reload::Error);

impl LogSwitch {
    /// What is logged now, as it was given.
    ///
    /// # Errors
    /// [`NoLog`].
    pub fn now(&self) -> Result<String, NoLog> {
        Ok(self.0.with_current(ToString::to_string)?)
    }

    /// Logs what `filter` says from now on.
    ///
    /// # Errors
    /// [`NoLog`].
    pub fn set(&self, filter: LogFilter) -> Result<(), NoLog> {
        Ok(self.0.reload(filter)?)
    }
}

/// Starts logging to standard error, and spans to `traces`. A line begins with what was done, of
/// which object, and the id of its trace, which there is whether traces are kept or not.
pub fn start(format: LogFormat, filter: LogFilter, traces: Option<&Traces>) -> LogSwitch {
    let (filter, switch) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        // The list would repeat the one span that there is.
        LogFormat::Json => lines.json().with_span_list(false).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces.map(Traces::layer))
        .init();
    LogSwitch(switch)
}
