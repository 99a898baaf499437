//! gmail-operator keeps Gmail mailboxes authorised, tested and enabled.
//!
//! Each room may use those above it, and none beside or below it.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`api`] | the two kinds, conditions and reasons: types only |
//! | [`telemetry`] | logs, metrics, traces, health |
//! | [`domain`] | pure decisions: no client, no clock, no randomness |
//! | [`net`] | TCP, TLS and HTTPS, no further than the egress policy and a profile's trust allow |
//! | [`google`] | OAuth with Google: consent, exchange, identity, refresh, revocation, client check |
//! | [`mail`] | IMAP and SMTP with XOAUTH2, as far as a test of a mailbox needs |
//! | [`cluster`] | Kubernetes: Secrets, status, Events, the Lease |
//! | [`grant`] | a grant's life: accept, renew, adopt |
//! | [`probe`] | the steps of Test & Enable |
//! | [`controller`] | observe, decide, act, report, once for each kind |
//! | [`web`] | the sign-in page and its callback |
//! | [`settings`], [`cli`] | flags, validated; the start |
//! | [`kubectl`] | the plugin `kubectl gmail`: a program of its own, which talks to the API server alone |
#![forbid(unsafe_code)]

pub mod api;
pub mod cli;
pub mod cluster;
pub mod controller;
pub mod domain;
pub mod google;
pub mod grant;
pub mod kubectl;
pub mod mail;
pub mod net;
pub mod probe;
pub mod settings;
pub mod telemetry;
pub mod web;
