//! What users of the operator do and see, on the real servers of the lab.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod alias;
mod attacks;
mod binding;
mod browser;
mod connect;
mod connections;
mod crash;
mod day;
mod edge;
mod endings;
mod endpoints;
mod failures;
mod gitops;
mod grant;
mod kubectl_gmail;
mod kubectl_mailbox;
mod kubectl_test;
mod lab;
mod manifests;
mod many;
mod mistakes;
mod page;
mod pool;
mod profile;
mod refusals;
mod renewal;
mod replicas;
mod resources;
mod revocation;
mod round_trip;
mod sign_in;
mod sign_out;
mod storm;
mod structure;
mod test_and_enable;
