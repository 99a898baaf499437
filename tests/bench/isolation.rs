//! What mailboxes whose servers hang or fail cost the others: how long the tests of healthy mailboxes take while nothing
//! else is going on, beside as many others that are healthy too, and beside as many whose servers are silent, drip or
//! refuse. The others are asked to be tested as often as the healthy ones, in turn with them.

#[path = "isolation/ill.rs"]
mod ill;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use gmail_operator::api::{Mailbox, TEST_REQUESTED_ANNOTATION};
use kube::ResourceExt;
use kube::api::{ListParams, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

use super::lab::operator::{Ports, Site, condition_of};
use super::lab::tokens::Tokens;
use super::lab::until;
use super::table::{self, Row};
use super::{PATIENCE, tell};
use ill::{Ill, Servers};

const HEALTHY: usize = 150;
/// The profiles of the others, with what is wrong when they are ill.
const OTHERS: [(&str, Ill); 3] = [
    ("silent", Ill::Silent),
    ("dripping", Ill::Dripping),
    ("refusing", Ill::Refusing),
];
/// Mailboxes of each of them: together as many as there are healthy ones.
const OTHERS_EACH: usize = HEALTHY / OTHERS.len();
/// Mailboxes on one account, which has two connections: all of the others can hang at the same time.
const ON_ONE_ACCOUNT: usize = 2;
/// Between two requests for tests of healthy mailboxes.
const GAP: Duration = Duration::from_millis(100);
const ROUNDS: usize = 3;
const AT_ONCE: usize = 8;
const PROFILE: &str = "google";
const WANTED_RATIO: f64 = 1.5;
/// The label with a mailbox's profile.
const LABEL: &str = "bench.gmail-operator.dev/profile";

/// How long the tests took, in milliseconds, from the request to the status that tells the result.
#[derive(Default)]
struct Times(Vec<f64>);

/// Measures and prints.
pub async fn run() -> Result<()> {
    let mut site = Site::new("isolation").await?;
    let servers = start_operator(&mut site).await?;
    tell("signing in");
    mailboxes(&site, PROFILE, HEALTHY, 1).await?;
    for (profile, _) in OTHERS {
        mailboxes(&site, profile, OTHERS_EACH, ON_ONE_ACCOUNT).await?;
    }
    let mut phases = [(); 3].map(|()| Times::default());
    for n in 0..=ROUNDS {
        let which = match n {
            0 => "warming up".to_owned(),
            n => format!("round {n} of {ROUNDS}"),
        };
        until_at_rest(&site, true).await?;
        let alone = round(&site, &format!("alone-{n}"), &[]).await?;
        tell(&format!("    {which}, alone: {alone}"));

        let others = OTHERS.map(|(profile, _)| profile);
        let healthy = round(&site, &format!("healthy-{n}"), &others).await?;
        tell(&format!("    {which}, beside healthy ones: {healthy}"));

        until_at_rest(&site, true).await?;
        servers.iter().try_for_each(Servers::fall_ill)?;
        let ill = round(&site, &format!("ill-{n}"), &others).await?;
        tell(&format!("    {which}, beside ill ones: {ill}"));

        until_at_rest(&site, false).await?;
        servers.iter().try_for_each(Servers::recover)?;
        round(&site, &format!("recovery-{n}"), &others).await?;
        if n > 0 {
            for (phase, times) in phases.iter_mut().zip([alone, healthy, ill]) {
                phase.0.extend(times.0);
            }
        }
    }
    site.stop()?;
    print_table(&phases);
    Ok(())
}

/// With its profiles.
async fn start_operator(site: &mut Site) -> Result<Vec<Servers>> {
    site.with_production_waits();
    for (wait, seconds) in [
        ("backoff-first", 5.0),
        ("backoff-longest", 300.0),
        ("retest-failed", 4.0 * 3600.0),
        ("progress", 1.0),
        // The rounds follow each other at once.
        ("between-requested-tests", 0.1),
        // The tokens of a later round are older than after a sign-in.
        ("proof-age", 3600.0),
        // A test of a mailbox that is ill comes to its end, so that the next can be asked for.
        ("tries", 1.0),
    ] {
        site.pace(wait, seconds);
    }
    let mut servers = Vec::new();
    for (_, ill) in OTHERS {
        servers.push(Servers::start(site, ill).await?);
    }
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile(PROFILE, "Ready", "ProfileReady").await?;
    for ((name, _), servers) in OTHERS.iter().zip(&servers) {
        other_profile(site, name, servers.ports(site)).await?;
        site.until_profile(name, "Ready", "ProfileReady").await?;
    }
    Ok(servers)
}

async fn other_profile(site: &Site, name: &str, ports: Ports) -> Result<()> {
    let mut profile = site.profile_manifest(name, ports);
    profile["spec"]["defaultForNewMailboxes"] = json!(false);
    profile["spec"]["processing"] = json!({
        // All of them may hang.
        "maxConcurrentConnections": OTHERS_EACH,
        "connectionTimeout": "10s",
    });
    site.apply(&profile).await
}

/// Signs in to the mailboxes of `profile`.
async fn mailboxes(site: &Site, profile: &str, count: usize, on_one_account: usize) -> Result<()> {
    stream::iter(0..count / on_one_account)
        .map(async |account| {
            let email = format!("isolation-{profile}-{account}@example.com");
            let tokens = Tokens::of(site, &email).await?;
            for n in 0..on_one_account {
                let name = format!("{profile}-{}", account * on_one_account + n);
                let mut manifest = site.mailbox_manifest(&name, &email);
                manifest["metadata"]["labels"] = json!({ LABEL: profile });
                manifest["spec"]["profileRef"] = json!({ "name": profile });
                manifest["spec"]["testMessage"] = json!("None");
                tokens.connect(site, manifest, profile).await?;
            }
            Ok(())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// No test is going on, and all mailboxes are `enabled`, if that is wanted.
async fn until_at_rest(site: &Site, enabled: bool) -> Result<()> {
    until("all tests to end", PATIENCE, async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let all = site.mailboxes().list(&ListParams::default()).await?;
        Ok(all.iter().all(|mailbox| {
            let is_enabled = condition_of(mailbox, "Ready").1 == "Enabled";
            is_finished(mailbox) && (is_enabled || !enabled)
        }))
    })
    .await
}

fn is_finished(mailbox: &Mailbox) -> bool {
    let test = mailbox.status.as_ref().and_then(|s| s.test.as_ref());
    test.is_some_and(|test| test.finished_at.is_some())
}

/// Asks for a test of one healthy mailbox after the other, each with one of the `others` in between, and waits for the
/// results of the healthy ones.
async fn round(site: &Site, id: &str, others: &[&str]) -> Result<Times> {
    let start = (0, tokio::time::interval(GAP));
    let ticks = stream::unfold(start, |(n, mut tick)| async move {
        tick.tick().await;
        (n < HEALTHY).then_some((n, (n + 1, tick)))
    });
    let asked = ticks
        .map(async |n| {
            let (name, at) = (format!("{PROFILE}-{n}"), Instant::now());
            ask(site, &name, id).await?;
            if !others.is_empty() {
                let (profile, nth) = (others[n % others.len()], n / others.len());
                tokio::time::sleep(GAP / 2).await;
                ask(site, &format!("{profile}-{nth}"), id).await?;
            }
            Ok((name, at))
        })
        .buffer_unordered(HEALTHY)
        .try_collect::<HashMap<_, _>>();
    let (asked, finished) = tokio::try_join!(asked, finished(site, id))?;
    let mut times = Vec::new();
    for (name, at) in asked {
        let finished = finished.get(&name).context("it has not finished")?;
        times.push(finished.duration_since(at).as_secs_f64() * 1000.0);
    }
    Ok(Times(times))
}

async fn ask(site: &Site, mailbox: &str, id: &str) -> Result<()> {
    let annotations = json!({ TEST_REQUESTED_ANNOTATION: id });
    let patch = Patch::Merge(json!({ "metadata": { "annotations": annotations } }));
    let params = PatchParams::default();
    site.mailboxes().patch(mailbox, &params, &patch).await?;
    Ok(())
}

/// When the status of each healthy mailbox has told the result of the test that was asked for with `id`.
async fn finished(site: &Site, id: &str) -> Result<HashMap<String, Instant>> {
    let healthy = watcher::Config::default().labels(&format!("{LABEL}={PROFILE}"));
    let mut seen = Box::pin(watcher(site.mailboxes(), healthy).applied_objects());
    let mut finished = HashMap::new();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while finished.len() < HEALTHY {
        let mailbox: Mailbox = tokio::time::timeout_at(deadline, seen.next())
            .await
            .with_context(|| format!("only {} of {HEALTHY} were tested", finished.len()))?
            .context("the watch has ended")??;
        let answered = mailbox.status.as_ref();
        let answered = answered.and_then(|status| status.last_handled_test_request.as_deref());
        if answered != Some(id) || !is_finished(&mailbox) {
            continue;
        }
        let (ready, reason) = condition_of(&mailbox, "Ready");
        if ready != "True" {
            bail!("{} is {reason}", mailbox.name_any());
        }
        finished
            .entry(mailbox.name_any())
            .or_insert_with(Instant::now);
    }
    Ok(finished)
}

impl Times {
    /// Of so many in a hundred the time was this or less.
    fn percentile(&self, percent: usize) -> f64 {
        let mut times = self.0.clone();
        times.sort_by(f64::total_cmp);
        let rank = (times.len() * percent).div_ceil(100);
        times
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [median, p90, p99] = [50, 90, 99].map(|percent| self.percentile(percent));
        write!(f, "median {median:.0} ms, p90 {p90:.0}, p99 {p99:.0}")
    }
}

fn print_table(phases: &[Times; 3]) {
    let row = |what, percent| {
        let at = phases.each_ref().map(|times| times.percentile(percent));
        let ratio = at[2] / at[1];
        let mut figures: Vec<String> = at.iter().map(|time| format!("{time:.0}")).collect();
        figures.push(format!("{ratio:.2}"));
        let wanted = ("ratio 1.50 or less", ratio <= WANTED_RATIO);
        Row {
            what,
            figures,
            wanted: (percent == 99).then_some(wanted),
        }
    };
    table::print(
        &format!(
            "tests of {HEALTHY} healthy mailboxes, one asked for each {} ms, {ROUNDS} rounds of each kind together",
            GAP.as_millis()
        ),
        &["alone", "healthy", "ill", "ratio"],
        &[
            row("request to result: median, ms", 50),
            row("  p90, ms", 90),
            row("  p99, ms", 99),
        ],
    );
    println!(
        "\nhealthy, ill: {} mailboxes of three other profiles are asked for a test in between, whose servers work, or say",
        OTHERS_EACH * OTHERS.len()
    );
    println!(
        "nothing for the 10 s of the time-out, drip a byte at a time, refuse. ratio: beside ill ones to beside healthy ones."
    );
}
