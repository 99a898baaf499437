//! gmail-operator keeps Gmail mailboxes authorised, tested and enabled.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`api`] | the two kinds, conditions and reasons: types only |
//! | [`domain`] | pure decisions: no client, no clock, no randomness |
#![forbid(unsafe_code)]
pub mod api;
pub mod cli;
pub mod cluster;
pub mod controller;
pub mod domain;
pub mod google;
pub mod grant;
pub mod mail;
pub mod net;
pub mod probe;
pub mod settings;
pub mod telemetry;
pub mod web;
