//! The libraries that the operator is compared with, each in a process of its own.

use anyhow::Result;
use serde_json::{Value, json};
use tokio::process::Command;

use super::client::Client;
use super::lab::operator::Site;
use super::lab::tokens::Tokens;

/// imapflow and nodemailer.
pub async fn node(setup: &Value) -> Result<Client> {
    let mut node = Command::new("node");
    node.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/lab/node/peer.mjs"
    ));
    Client::start("node", node, setup).await
}

/// imaplib, poplib and smtplib, as they come with Python.
pub async fn python(setup: &Value) -> Result<Client> {
    let mut python = Command::new("python3");
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/peer.py"));
    Client::start("python3", python, setup).await
}

/// What each of them is told: `logins` over `accounts` in a round, `connections` at a time.
pub fn setup(site: &Site, accounts: &[Tokens], logins: usize, connections: usize) -> Value {
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| (&account.email, &account.access_token))
        .collect();
    let mail = &site.lab.mail;
    json!({
        "imapPort": mail.imap_port,
        "pop3Port": mail.pop3_port,
        "smtpPort": mail.smtps_port,
        "ca": site.lab.tls.ca_pem,
        "logins": logins,
        "connections": connections,
        "accounts": accounts,
    })
}
