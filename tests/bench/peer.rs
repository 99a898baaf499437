//! imapflow and nodemailer in one Node process, with the same logins as the operator.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::PATIENCE;
use super::lab::operator::Site;
use super::lab::tokens::Tokens;
use super::process::{Process, Used};

/// One process for all rounds, so that its code is warm.
pub struct Peer {
    /// For its memory.
    pub process: Process,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    // Ends the process when dropped.
    _child: Child,
}

impl Peer {
    /// Starts it with the accounts that it logs in to, `connections` at a time.
    pub async fn start(site: &Site, accounts: &[Tokens], connections: usize) -> Result<Peer> {
        let mut child = Command::new("node")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/lab/node/peer.mjs"
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start node")?;
        let process = Process(child.id().context("node has ended")?);
        let orders = child.stdin.take().context("node has no input")?;
        let answers = BufReader::new(child.stdout.take().context("node has no output")?).lines();
        let mut peer = Peer {
            process,
            orders,
            answers,
            _child: child,
        };
        let accounts: Vec<_> = accounts
            .iter()
            .map(|account| (&account.email, &account.access_token))
            .collect();
        let ports = site.ports();
        let setup = json!({
            "imapPort": ports.imap,
            "smtpPort": ports.smtp,
            "ca": site.lab.tls.ca_pem,
            "connections": connections,
            "accounts": accounts,
        });
        peer.order(&setup.to_string(), "ready").await?;
        Ok(peer)
    }

    /// Logs in to every account, for either direction.
    pub async fn round(&mut self) -> Result<Used> {
        let meter = self.process.measure()?;
        self.order("round", "done").await?;
        meter.stop()
    }

    async fn order(&mut self, line: &str, wanted: &str) -> Result<()> {
        self.orders
            .write_all(format!("{line}\n").as_bytes())
            .await?;
        let answer = tokio::time::timeout(PATIENCE, self.answers.next_line())
            .await
            .context("node does not answer")??;
        match answer.as_deref() {
            Some(answer) if answer == wanted => Ok(()),
            answer => bail!("node says {answer:?}"),
        }
    }
}
