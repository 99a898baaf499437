//! How fast mailboxes with a grant get to Ready, beside Node's imapflow and nodemailer with the same logins.

use std::collections::HashSet;

use anyhow::{Context, Result};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use gmail_operator::api::Mailbox;
use gmail_operator::cluster::grant_secret::{self, UID_LABEL};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

use super::lab::operator::{Site, condition_of};
use super::lab::process::{Process, Used};
use super::lab::tokens::Tokens;
use super::lab::until;
use super::peer;
use super::table::{self, Row};
use super::{PATIENCE, tell, until_idle};

const MAILBOXES: usize = 200;
/// For either side: of the profile here, of the workers there.
const CONNECTIONS: usize = 20;
const ROUNDS: usize = 3;
const PROFILE: &str = "google";
/// For what is not measured.
const AT_ONCE: usize = 8;

/// What one round took.
#[derive(Clone, Copy, Debug)]
struct Round {
    per_second: f64,
    cpu_ms_each: f64,
}

/// Measures and prints.
pub async fn run() -> Result<()> {
    let mut site = Site::new("bench").await?;
    start_operator(&mut site).await?;
    tell(&format!("signing in to {MAILBOXES} accounts"));
    let accounts: Vec<Tokens> = stream::iter(0..MAILBOXES)
        .map(async |n| Tokens::of(&site, &format!("bench-{n}@example.com")).await)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let operator = Process(site.running()?.pid());
    let setup = peer::setup(&site, &accounts, MAILBOXES, CONNECTIONS);
    let mut node = peer::node(&setup).await?;

    tell("warming up: a round of each that does not count");
    told(node.measured("both").await?);
    operator_round(&site, operator, "warm-up", &accounts).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for n in 1..=ROUNDS {
        tell(&format!("round {n} of {ROUNDS}: the operator"));
        ours.push(operator_round(&site, operator, &format!("round-{n}"), &accounts).await?);
        tell(&format!("round {n} of {ROUNDS}: imapflow and nodemailer"));
        theirs.push(told(node.measured("both").await?));
    }
    let memory = (
        operator.peak_memory()? / 1e6,
        node.process.peak_memory()? / 1e6,
    );
    site.stop()?;
    print_table(&ours, &theirs, memory);
    Ok(())
}

/// With a profile that is Ready.
pub async fn start_operator(site: &mut Site) -> Result<()> {
    site.with_production_waits();
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
    until_all(&mut mailboxes, "SignedIn", MAILBOXES).await?;
    until_idle(operator, 1).await?;
    let meter = operator.measure()?;
    suspend(site, false).await?;
    until_all(&mut mailboxes, "Ready", MAILBOXES).await?;
    let round = told(meter.used()?);
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

/// As after a sign-in to `account`, of which a profile `google` has the grant.
pub async fn signed_in_mailbox(site: &Site, name: &str, account: &Tokens) -> Result<()> {
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

/// Waits until a condition is True of `count` mailboxes that `seen` shows.
pub async fn until_all(
    seen: &mut (impl Stream<Item = watcher::Result<Mailbox>> + Unpin),
    condition: &str,
    count: usize,
) -> Result<()> {
    let mut fulfilled = HashSet::new();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while fulfilled.len() < count {
        let mailbox = tokio::time::timeout_at(deadline, seen.next())
            .await
            .with_context(|| {
                format!(
                    "only {} of {count} mailboxes are {condition}",
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

fn told(used: Used) -> Round {
    let mailboxes = MAILBOXES as f64;
    let round = Round {
        per_second: mailboxes / used.time.as_secs_f64(),
        cpu_ms_each: used.cpu.as_secs_f64() * 1000.0 / mailboxes,
    };
    tell(&format!(
        "    {:.1} mailboxes/s, {:.1} ms of CPU each",
        round.per_second, round.cpu_ms_each
    ));
    round
}

fn print_table(ours: &[Round], theirs: &[Round], memory: (f64, f64)) {
    let median = |rounds: &[Round], figure: fn(&Round) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let both = |figure| (median(ours, figure), median(theirs, figure));
    let speed = both(|round| round.per_second);
    let cpu = both(|round| round.cpu_ms_each);
    let ratio = |(ours, theirs): (f64, f64)| ours / theirs;
    let row = |what, figures: (f64, f64), wanted, met| Row {
        what,
        figures: vec![
            format!("{:.1}", figures.0),
            format!("{:.1}", figures.1),
            format!("{:.2}", ratio(figures)),
        ],
        wanted: Some((wanted, met)),
    };
    table::print(
        &format!(
            "{MAILBOXES} mailboxes to Ready, {CONNECTIONS} connections at a time, median of {ROUNDS} rounds"
        ),
        &["operator", "Node", "ratio"],
        &[
            row(
                "mailboxes per second",
                speed,
                "ratio 1.00 or more",
                ratio(speed) >= 1.0,
            ),
            row(
                "CPU per mailbox, ms",
                cpu,
                "ratio 0.50 or less",
                ratio(cpu) <= 0.5,
            ),
            row(
                "peak resident memory, MB",
                memory,
                "64 MB or less",
                memory.0 <= 64.0,
            ),
        ],
    );
    println!(
        "\nNode: imapflow and nodemailer, an IMAP login with EXAMINE and an SMTP login for each mailbox."
    );
    println!("The operator: the same, and all that makes a Mailbox Ready in the cluster.");
}
