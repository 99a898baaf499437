//! What one XOAUTH2 login takes, beside imapflow, nodemailer and Python's libraries. A login is a connection with TLS,
//! the greeting, what the server can do, AUTH XOAUTH2, one command that proves it, and a goodbye.

#[path = "logins/ours.rs"]
pub mod ours;

use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::process::Command;

use super::client::Client;
use super::lab::operator::Site;
use super::lab::process::Used;
use super::lab::tokens::Tokens;
use super::table::{self, Row};
use super::{peer, tell};

/// The first argument of this program where it is to do our logins.
pub const OURS: &str = "our-logins";

const ACCOUNTS: usize = 40;
/// In a round, of each side over one protocol.
const LOGINS: usize = 1000;
const CONNECTIONS: usize = 20;
const ROUNDS: usize = 3;
/// Sign-ins at once, which are not measured.
const AT_ONCE: usize = 8;
/// Of CPU for each of our logins, in milliseconds.
const WANTED_MS: f64 = 1.0;

/// One protocol, and the libraries that speak it.
struct Protocol {
    name: &'static str,
    order: &'static str,
    node: Option<&'static str>,
    python: &'static str,
}

const PROTOCOLS: [Protocol; 3] = [
    Protocol {
        name: "IMAP",
        order: "imap",
        node: Some("imapflow"),
        python: "imaplib",
    },
    Protocol {
        name: "POP3",
        order: "pop3",
        node: None,
        python: "poplib",
    },
    Protocol {
        name: "SMTP",
        order: "smtp",
        node: Some("nodemailer"),
        python: "smtplib",
    },
];

/// A process for each side, warm after its first round.
struct Clients {
    ours: Client,
    node: Client,
    python: Client,
}

/// What one side took over one protocol.
struct Measured {
    library: &'static str,
    rounds: Vec<Round>,
    /// How many TLS sessions were resumed, of how many.
    resumed: String,
}

#[derive(Clone, Copy)]
struct Round {
    cpu_ms_each: f64,
    per_second: f64,
}

/// Measures and prints.
pub async fn run() -> Result<()> {
    let site = Site::new("logins").await?;
    tell(&format!("signing in to {ACCOUNTS} accounts"));
    let accounts: Vec<Tokens> = stream::iter(0..ACCOUNTS)
        .map(async |n| Tokens::of(&site, &format!("logins-{n}@example.com")).await)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let setup = peer::setup(&site, &accounts, LOGINS, CONNECTIONS);
    let mut ours = Command::new(std::env::current_exe()?);
    ours.arg(OURS);
    let mut clients = Clients {
        ours: Client::start("our own logins", ours, &setup).await?,
        node: peer::node(&setup).await?,
        python: peer::python(&setup).await?,
    };
    let mut all = Vec::new();
    for protocol in &PROTOCOLS {
        let sides = measure(&mut clients, protocol).await?;
        let anew = without_resumption(&mut clients.ours, protocol).await?;
        all.push((protocol, sides, anew));
    }
    for (protocol, sides, anew) in &all {
        print_table(protocol, sides, anew);
    }
    println!(
        "\nNode: one process and thread; nodemailer's verify() sends no NOOP and waits for no answer to QUIT."
    );
    println!(
        "Python: a thread for each connection. TLS sessions: of the operator those of ten more connections."
    );
    Ok(())
}

/// The sides in turn, after a round of each that does not count.
async fn measure(clients: &mut Clients, protocol: &Protocol) -> Result<Vec<Measured>> {
    let mut sides = vec![("operator", &mut clients.ours)];
    if let Some(library) = protocol.node {
        sides.push((library, &mut clients.node));
    }
    sides.push((protocol.python, &mut clients.python));
    let mut all: Vec<Measured> = sides
        .iter()
        .map(|(library, _)| Measured::of(library))
        .collect();
    for round in 0..=ROUNDS {
        for ((library, client), measured) in sides.iter_mut().zip(&mut all) {
            let used = told(client.measured(protocol.order).await?);
            let which = match round {
                0 => "warming up".to_owned(),
                n => format!("round {n} of {ROUNDS}"),
            };
            tell(&format!(
                "    {}, {which}, {library}: {:.2} ms of CPU each, {:.0} logins/s",
                protocol.name, used.cpu_ms_each, used.per_second
            ));
            if round > 0 {
                measured.rounds.push(used);
            }
        }
    }
    for ((_, client), measured) in sides.iter_mut().zip(&mut all) {
        measured.resumed = client.ask(&format!("sessions {}", protocol.order)).await?;
    }
    Ok(all)
}

/// Ours, as if each were the first: the peers resume no TLS session.
async fn without_resumption(ours: &mut Client, protocol: &Protocol) -> Result<Measured> {
    let mut measured = Measured::of("operator");
    for _ in 0..ROUNDS {
        let order = format!("{} anew", protocol.order);
        measured.rounds.push(told(ours.measured(&order).await?));
    }
    Ok(measured)
}

fn told(used: Used) -> Round {
    let logins = LOGINS as f64;
    Round {
        cpu_ms_each: used.cpu.as_secs_f64() * 1000.0 / logins,
        per_second: logins / used.time.as_secs_f64(),
    }
}

impl Measured {
    fn of(library: &'static str) -> Measured {
        Measured {
            library,
            rounds: Vec::new(),
            resumed: String::new(),
        }
    }

    fn median(&self, figure: fn(&Round) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    }
}

/// Ours first; after each other's figure, ours as a part of it.
fn print_table(protocol: &Protocol, sides: &[Measured], anew: &Measured) {
    let row = |what, figure: fn(&Round) -> f64, digits: usize| {
        let ours = sides[0].median(figure);
        let mut figures = vec![format!("{ours:.digits$}")];
        for side in &sides[1..] {
            let theirs = side.median(figure);
            figures.extend([
                format!("{theirs:.digits$}"),
                format!("{:.2}", ours / theirs),
            ]);
        }
        (
            ours,
            Row {
                what,
                figures,
                wanted: None,
            },
        )
    };
    let (ours, mut cpu) = row("CPU per login, ms", |round| round.cpu_ms_each, 2);
    cpu.wanted = Some(("1.0 ms or less", ours <= WANTED_MS));
    let anew = anew.median(|round| round.cpu_ms_each);
    let anew = Row {
        what: "  without TLS resumption",
        figures: vec![format!("{anew:.2}")],
        wanted: None,
    };
    let (_, speed) = row("logins per second", |round| round.per_second, 0);
    let mut columns = vec![sides[0].library];
    let mut resumed = vec![sides[0].resumed.clone()];
    for side in &sides[1..] {
        columns.extend([side.library, "ratio"]);
        resumed.extend([side.resumed.clone(), String::new()]);
    }
    let resumed = Row {
        what: "TLS sessions resumed",
        figures: resumed,
        wanted: None,
    };
    table::print(
        &format!(
            "{LOGINS} {} logins with XOAUTH2, {CONNECTIONS} at a time, median of {ROUNDS} rounds",
            protocol.name
        ),
        &columns,
        &[cpu, anew, speed, resumed],
    );
}
