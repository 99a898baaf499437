//! `make bench`: how fast mailboxes get to Ready beside Node's imapflow and nodemailer, what one login takes, what
//! mailboxes whose servers fail cost the others, and what ten thousand of them take. The figures depend on the machine,
//! so they are told and not asserted: only a measurement that did not work fails.

#[path = "bench/client.rs"]
mod client;
#[path = "bench/idle.rs"]
mod idle;
#[path = "bench/isolation.rs"]
mod isolation;
mod lab;
#[path = "bench/logins.rs"]
mod logins;
#[path = "bench/peer.rs"]
mod peer;
#[path = "bench/scale.rs"]
mod scale;
#[path = "bench/table.rs"]
mod table;
#[path = "bench/throughput.rs"]
mod throughput;

use std::time::Duration;

use anyhow::{Result, bail};

use lab::process::Process;
use lab::until;
use scale::Creation;

/// For anything that is measured, and for getting ready for it.
const PATIENCE: Duration = Duration::from_secs(600);

const USAGE: &str = "\
Usage: make bench ARGS='[throughput] [logins] [isolation] [idle[=MAILBOXES]] [scale[=MAILBOXES]] [scale-beside[=MAILBOXES]]'

  throughput   mailboxes with a grant to Ready, beside imapflow and nodemailer
  logins       one login with XOAUTH2, beside imapflow, nodemailer and Python's libraries
  isolation    tests of healthy mailboxes, with and without as many others whose servers hang or fail
  idle         what mailboxes that are Ready cost for ten minutes; 1000 unless said otherwise
  scale        new mailboxes to their first status, and a restart with all of them; 10000 unless said otherwise
  scale-beside the same, created while the operator runs: only for machines with cores to spare
All but the last, unless one is named.";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Throughput,
    Logins,
    Isolation,
    Idle {
        mailboxes: usize,
    },
    Scale {
        mailboxes: usize,
        creation: Creation,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some(logins::OURS) {
        return logins::ours::run().await;
    }
    let parts = parts(std::env::args().skip(1))?;
    tell("starting the lab: Kubernetes API, OAuth server, mail servers");
    for part in parts {
        match part {
            Part::Throughput => throughput::run().await?,
            Part::Logins => logins::run().await?,
            Part::Isolation => isolation::run().await?,
            Part::Idle { mailboxes } => idle::run(mailboxes).await?,
            Part::Scale {
                mailboxes,
                creation,
            } => scale::run(mailboxes, creation).await?,
        }
    }
    Ok(())
}

fn parts(arguments: impl Iterator<Item = String>) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    // cargo tells every benchmark that it is one.
    for argument in arguments.filter(|argument| argument != "--bench") {
        let (part, mailboxes) = match argument.split_once('=') {
            Some((part, mailboxes)) => (part, Some(mailboxes.parse()?)),
            None => (argument.as_str(), None),
        };
        let scale = |creation| Part::Scale {
            mailboxes: mailboxes.unwrap_or(scale::MAILBOXES),
            creation,
        };
        parts.push(match part {
            "throughput" => Part::Throughput,
            "logins" => Part::Logins,
            "isolation" => Part::Isolation,
            "idle" => Part::Idle {
                mailboxes: mailboxes.unwrap_or(idle::MAILBOXES),
            },
            "scale" => scale(Creation::Before),
            "scale-beside" => scale(Creation::Beside),
            _ => bail!("{argument} is not understood\n{USAGE}"),
        });
    }
    if parts.is_empty() {
        parts.extend([Part::Throughput, Part::Logins, Part::Isolation]);
        parts.push(Part::Idle {
            mailboxes: idle::MAILBOXES,
        });
        parts.push(Part::Scale {
            mailboxes: scale::MAILBOXES,
            creation: Creation::Before,
        });
    }
    Ok(parts)
}

/// Waits until `process` had hardly any work in each of `seconds` seconds.
async fn until_idle(process: Process, seconds: u32) -> Result<()> {
    let mut quiet = 0;
    until("the process to be idle", PATIENCE, async || {
        let before = process.cpu()?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let idle = process.cpu()? - before <= Duration::from_millis(20);
        quiet = if idle { quiet + 1 } else { 0 };
        Ok(quiet >= seconds)
    })
    .await
}

/// It takes minutes, and nobody should have to wonder.
fn tell(what: &str) {
    eprintln!("bench: {what}");
}
