//! A client of the mail servers in a process of its own, so that its CPU is told apart: it is told who and where in its
//! first line, and does one thing for each line after that.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::PATIENCE;
use super::lab::process::{Process, Used};

/// One process for all rounds, so that its code is warm.
pub struct Client {
    /// For its memory.
    pub process: Process,
    name: &'static str,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    // Ends the process when dropped.
    _child: Child,
}

impl Client {
    /// Starts `command` and tells it the accounts and where their mail is.
    pub async fn start(name: &'static str, mut command: Command, setup: &Value) -> Result<Client> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let process = Process(child.id().context("it has ended")?);
        let orders = child.stdin.take().context("it has no input")?;
        let answers = BufReader::new(child.stdout.take().context("it has no output")?).lines();
        let mut client = Client {
            process,
            name,
            orders,
            answers,
            _child: child,
        };
        client.expect(&setup.to_string(), "ready").await?;
        Ok(client)
    }

    /// What it uses to do what `order` says.
    pub async fn measured(&mut self, order: &str) -> Result<Used> {
        let meter = self.process.measure()?;
        self.expect(order, "done").await?;
        meter.used()
    }

    /// What it says to `question`, which is not measured.
    pub async fn ask(&mut self, question: &str) -> Result<String> {
        self.orders
            .write_all(format!("{question}\n").as_bytes())
            .await?;
        let answer = tokio::time::timeout(PATIENCE, self.answers.next_line()).await;
        answer
            .with_context(|| format!("{} does not answer", self.name))??
            .with_context(|| format!("{} has ended", self.name))
    }

    async fn expect(&mut self, line: &str, wanted: &str) -> Result<()> {
        let answer = self.ask(line).await?;
        if answer != wanted {
            bail!("{} says {answer:?}", self.name);
        }
        Ok(())
    }
}
