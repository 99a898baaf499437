//! What users of the operator do and see, on the real servers of the lab.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod connect;
mod lab;
