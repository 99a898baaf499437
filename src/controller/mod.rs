//! The controllers: observe, decide, act, report, once for each kind.

mod backoff;
mod census;
mod context;
mod figures;
mod grant;
mod guard;
mod mailbox;
mod merge;
mod news;
mod places;
mod profile;
mod queue;
mod revoke;
mod rounds;
mod run;
mod streams;
mod wake;
mod watch;

pub use run::{ControllerError, ControllerSettings, run};
