//! Pure decisions: no client, no clock, no randomness. Everything here can be tested by calling it.

pub mod address;
pub mod ca_bundle;
pub mod caller;
pub mod circuit;
pub mod console;
pub mod egress;
pub mod endpoints;
pub mod failure;
pub mod grant;
pub mod line;
pub mod mailbox;
pub mod message;
pub mod name;
pub mod oauth_client;
pub mod profile;
pub mod progress;
pub mod redirect;
pub mod refusal;
pub mod reminder;
pub mod revocation;
pub mod schedule;
pub mod secret;
pub mod server;
pub mod test_request;
pub mod verdict;
pub mod workload_secret;
