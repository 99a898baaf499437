//! What users of the operator do and see, on the real servers of the lab.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod alias;
mod attacks;
mod binding;
mod browser;
mod connect;
mod connections;
mod crash;
mod edge;
mod endings;
mod endpoints;
mod grant;
mod kubectl_gmail;
mod lab;
mod manifests;
mod many;
mod mistakes;
mod page;
mod pool;
mod profile;
mod refusals;
mod replicas;
mod resources;
mod sign_in;
mod storm;
mod structure;
mod test_and_enable;
