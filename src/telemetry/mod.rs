//! Logs, metrics, traces and health.

pub mod calls;
pub mod fleet;
pub mod health;
pub mod histograms;
pub mod log;
pub mod metrics;
mod register;
pub mod server;
pub mod sign_ins;
pub mod spans;
pub mod traces;
pub mod writes;
