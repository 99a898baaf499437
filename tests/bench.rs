//! `make bench`: how fast the operator gets mailboxes to Ready and what that takes, beside Node's imapflow and
//! nodemailer with the same logins. The figures depend on the machine, so they are told and not asserted: only a
//! measurement that did not work fails.

mod lab;

use std::collections::HashSet;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use gmail_operator::api::Mailbox;
use gmail_operator::cluster::grant_secret::{self, UID_LABEL};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use lab::operator::{Site, condition_of};
use lab::tokens::Tokens;
use lab::until;

const MAILBOXES: usize = 200;
/// For either side: of the profile here, of the workers there.
const CONNECTIONS: usize = 20;
const ROUNDS: usize = 3;
const PROFILE: &str = "google";
/// For what is not measured.
const AT_ONCE: usize = 8;
/// For one round, and for getting ready for it.
const PATIENCE: Duration = Duration::from_secs(300);

/// What one round took.
#[derive(Clone, Copy, Debug)]
struct Round {
    per_second: f64,
    cpu_ms_each: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    tell("starting the lab: Kubernetes API, OAuth server, mail servers");
    let mut site = Site::new("bench").await?;
    start_operator(&mut site).await?;
    tell(&format!("signing in to {MAILBOXES} accounts"));
    let accounts: Vec<Tokens> = stream::iter(0..MAILBOXES)
        .map(async |n| Tokens::of(&site, &format!("bench-{n}@example.com")).await)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let operator = Process(site.running()?.pid());
    let mut peer = Peer::start(&site, &accounts).await?;

    tell("warming up: a round of each that does not count");
    peer.round().await?;
    operator_round(&site, operator, "warm-up", &accounts).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for n in 1..=ROUNDS {
        tell(&format!("round {n} of {ROUNDS}: the operator"));
        ours.push(operator_round(&site, operator, &format!("round-{n}"), &accounts).await?);
        tell(&format!("round {n} of {ROUNDS}: imapflow and nodemailer"));
        theirs.push(peer.round().await?);
    }
    let memory = (operator.peak_memory_mb()?, peer.process.peak_memory_mb()?);
    site.stop()?;
    print_table(&ours, &theirs, memory);
    Ok(())
}

/// With the waits of production wherever the tests' shorter ones would make work that users do not have.
async fn start_operator(site: &mut Site) -> Result<()> {
    site.log_level("info");
    for (wait, seconds) in [
        ("counts", 10.0),
        ("look-at-secret", 50.0),
        ("lease-retry", 2.0),
    ] {
        site.pace(wait, seconds);
    }
    // The tokens of a later round are older than after a sign-in. The other side does not renew them either.
    site.pace("proof-age", 3600.0);
    site.start().await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["processing"]["maxConcurrentConnections"] = json!(CONNECTIONS);
        profile["spec"]["processing"]["connectionTimeout"] = json!("30s");
    })
    .await?;
    // Its OAuth client is checked once, before anything is measured.
    site.until_profile(PROFILE, "Ready", "ProfileReady")
        .await
        .map(drop)
}

/// From the moment when nothing but the suspended profile holds the mailboxes back, to all of them Ready.
async fn operator_round(
    site: &Site,
    operator: Process,
    name: &str,
    accounts: &[Tokens],
) -> Result<Round> {
    suspend(site, true).await?;
    site.until_profile(PROFILE, "Ready", "ProfileSuspended")
        .await?;
    stream::iter(accounts.iter().enumerate())
        .map(|(n, account)| async move {
            signed_in_mailbox(site, &format!("{name}-{n}"), account).await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    // A watch, since asking for all of them again and again would slow down what is measured.
    let mut mailboxes =
        Box::pin(watcher(site.mailboxes(), watcher::Config::default()).applied_objects());
    until_all(&mut mailboxes, "SignedIn").await?;
    operator.until_idle().await?;
    let meter = operator.measure()?;
    suspend(site, false).await?;
    until_all(&mut mailboxes, "Ready").await?;
    let round = meter.stop()?;
    forget_mailboxes(site).await?;
    Ok(round)
}

async fn suspend(site: &Site, suspend: bool) -> Result<()> {
    let patch = Patch::Merge(json!({ "spec": { "suspend": suspend } }));
    site.profiles()
        .patch(PROFILE, &PatchParams::default(), &patch)
        .await?;
    Ok(())
}

async fn signed_in_mailbox(site: &Site, name: &str, account: &Tokens) -> Result<()> {
    let mut manifest = site.mailbox_manifest(name, &account.email);
    // One login for each direction and no message, as on the other side.
    manifest["spec"]["testMessage"] = json!("None");
    let mailbox: Mailbox = serde_json::from_value(manifest)?;
    let made = site
        .mailboxes()
        .create(&PostParams::default(), &mailbox)
        .await?;
    let grant = account.grant(site, name, &made.uid().context("no uid")?, PROFILE)?;
    let secret = grant_secret::secret(&grant, &site.namespace, None);
    site.own_secrets()
        .create(&PostParams::default(), &secret)
        .await?;
    Ok(())
}

/// Waits until a condition is True of every mailbox that `seen` shows.
async fn until_all(
    seen: &mut (impl Stream<Item = watcher::Result<Mailbox>> + Unpin),
    condition: &str,
) -> Result<()> {
    let mut fulfilled = HashSet::new();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while fulfilled.len() < MAILBOXES {
        let mailbox = tokio::time::timeout_at(deadline, seen.next())
            .await
            .with_context(|| {
                format!(
                    "only {} of {MAILBOXES} mailboxes are {condition}",
                    fulfilled.len()
                )
            })?
            .context("the watch has ended")??;
        let (status, _) = condition_of(&mailbox, condition);
        match status.as_str() {
            "True" => fulfilled.insert(mailbox.name_any()),
            _ => fulfilled.remove(&mailbox.name_any()),
        };
    }
    Ok(())
}

/// The grants too, since nobody else is to adopt them.
async fn forget_mailboxes(site: &Site) -> Result<()> {
    let (grants, all) = (
        ListParams::default().labels(UID_LABEL),
        ListParams::default(),
    );
    site.mailboxes()
        .delete_collection(&DeleteParams::default(), &all)
        .await?;
    site.own_secrets()
        .delete_collection(&DeleteParams::default(), &grants)
        .await?;
    until("mailboxes and grants to be gone", PATIENCE, async || {
        Ok(site.mailboxes().list(&all).await?.items.is_empty()
            && site.own_secrets().list(&grants).await?.items.is_empty())
    })
    .await
}

/// imapflow and nodemailer in one process for all rounds.
struct Peer {
    process: Process,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    // Ends the process when dropped.
    _child: Child,
}

impl Peer {
    async fn start(site: &Site, accounts: &[Tokens]) -> Result<Peer> {
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
            "connections": CONNECTIONS,
            "accounts": accounts,
        });
        peer.order(&setup.to_string(), "ready").await?;
        Ok(peer)
    }

    async fn round(&mut self) -> Result<Round> {
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

/// A process as the kernel keeps books about it, all threads together: the same book for both sides.
#[derive(Clone, Copy)]
struct Process(u32);

struct Meter {
    process: Process,
    started: Instant,
    cpu_before: Duration,
}

impl Process {
    fn measure(self) -> Result<Meter> {
        Ok(Meter {
            process: self,
            cpu_before: self.cpu()?,
            started: Instant::now(),
        })
    }

    /// User and system time so far.
    fn cpu(self) -> Result<Duration> {
        /// Of a tick in /proc, on every platform of Linux that runs Node (`getconf CLK_TCK`).
        const TICK: Duration = Duration::from_millis(10);
        let stat = self.read("stat")?;
        // After the name, which may have anything in it, begins field 3; the two are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').context("/proc has no stat")?;
        let ticks = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<u32>);
        Ok(ticks.sum::<Result<u32, _>>()? * TICK)
    }

    /// The most that was resident at once.
    fn peak_memory_mb(self) -> Result<f64> {
        let status = self.read("status")?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        Ok(peak.context("/proc has no VmHWM")?.parse::<f64>()? * 1024.0 / 1e6)
    }

    /// Waits for a second with hardly any work in it.
    async fn until_idle(self) -> Result<()> {
        until("the process to be idle", PATIENCE, async || {
            let before = self.cpu()?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(self.cpu()? - before <= Duration::from_millis(20))
        })
        .await
    }

    fn read(self, file: &str) -> Result<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.0)).context("the process has ended")
    }
}

impl Meter {
    fn stop(self) -> Result<Round> {
        let (took, mailboxes) = (self.started.elapsed(), MAILBOXES as f64);
        let cpu = self.process.cpu()? - self.cpu_before;
        let round = Round {
            per_second: mailboxes / took.as_secs_f64(),
            cpu_ms_each: cpu.as_secs_f64() * 1000.0 / mailboxes,
        };
        tell(&format!(
            "    {:.1} mailboxes/s, {:.1} ms of CPU each",
            round.per_second, round.cpu_ms_each
        ));
        Ok(round)
    }
}

fn print_table(ours: &[Round], theirs: &[Round], (our_memory, their_memory): (f64, f64)) {
    let median = |rounds: &[Round], figure: fn(&Round) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let both = |figure| (median(ours, figure), median(theirs, figure));
    let speed = both(|round| round.per_second);
    let cpu = both(|round| round.cpu_ms_each);
    let ratio = |(ours, theirs): (f64, f64)| ours / theirs;
    println!(
        "\n{MAILBOXES} mailboxes, {CONNECTIONS} connections at a time, median of {ROUNDS} rounds\n"
    );
    println!(
        "{:<28}{:>9}{:>9}{:>8}  {:<18}",
        "", "operator", "Node", "ratio", "wanted"
    );
    for (what, figures, wanted, met) in [
        (
            "mailboxes per second",
            speed,
            "ratio 1.00 or more",
            ratio(speed) >= 1.0,
        ),
        (
            "CPU per mailbox, ms",
            cpu,
            "ratio 0.50 or less",
            ratio(cpu) <= 0.5,
        ),
        (
            "peak resident memory, MB",
            (our_memory, their_memory),
            "64 MB or less",
            our_memory <= 64.0,
        ),
    ] {
        let verdict = if met { "met" } else { "FALLS SHORT" };
        println!(
            "{what:<28}{:>9.1}{:>9.1}{:>8.2}  {wanted:<18}  {verdict}",
            figures.0,
            figures.1,
            ratio(figures)
        );
    }
    println!(
        "\nNode: imapflow and nodemailer, an IMAP login with EXAMINE and an SMTP login for each mailbox."
    );
    println!("The operator: the same, and all that makes a Mailbox Ready in the cluster.");
}

/// It takes minutes, and nobody should have to wonder.
fn tell(what: &str) {
    eprintln!("bench: {what}");
}
