//! What many mailboxes take: their first status, memory, and a restart with all of them there.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use gmail_operator::api::{Mailbox, SHARES_PROFILES_LABEL};
use kube::api::{ListParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::lab::operator::{CLIENT_SECRET, Site, condition_of};
use super::lab::process::Process;
use super::lab::until;
use super::table::{self, Row};
use super::{PATIENCE, tell, until_idle};

/// Unless another number is asked for.
pub const MAILBOXES: usize = 10_000;
const NAMESPACES: usize = 10;
/// All of them defaults that are offered to every namespace: a pool.
const PROFILES: usize = 12;
/// Mailboxes that are created at once: more do not make the API server take them faster.
const AT_ONCE: usize = 8;
/// More than the operator waits between two writes of counts.
const QUIET_SECONDS: u32 = 13;
const MIB: f64 = 1024.0 * 1024.0;

/// When the mailboxes are created.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Creation {
    /// While the operator is stopped, and it is started then: on few cores the API server has as much work with
    /// their creation as with their statuses, and would be what is measured.
    Before,
    /// While the operator runs, for machines with cores to spare.
    Beside,
}

/// How fast the first statuses came.
#[derive(Clone, Copy, Debug)]
struct Rates {
    all: f64,
    first_tenth: f64,
    last_tenth: f64,
}

/// What is printed.
#[derive(Debug)]
struct Figures {
    creation: Creation,
    created_per_second: f64,
    rates: Rates,
    cpu_ms_each: f64,
    servers_cpu_ms_each: f64,
    memory: f64,
    restart: Restart,
}

/// What a start with all mailboxes there took, until nothing was left to do.
#[derive(Debug)]
struct Restart {
    cpu: Duration,
    writes: usize,
    memory: f64,
}

/// Measures and prints.
pub async fn run(mailboxes: usize, creation: Creation) -> Result<()> {
    let mut site = Site::new("scale").await?;
    site.with_production_waits();
    let namespaces = namespaces(&mut site).await?;
    site.start().await?;
    profiles(&site).await?;
    until_idle(site.process()?, 2).await?;

    tell(&format!(
        "creating {mailboxes} mailboxes in {NAMESPACES} namespaces"
    ));
    let all = Api::<Mailbox>::all(site.client.clone());
    let mut servers_before = servers_cpu(&site)?;
    let mut started = Instant::now();
    let (created, statuses) = match creation {
        Creation::Beside => tokio::try_join!(
            create(&site, &namespaces, mailboxes),
            first_statuses(all, mailboxes, started),
        )?,
        Creation::Before => {
            site.stop()?;
            let created = create(&site, &namespaces, mailboxes).await?;
            tell("starting the operator");
            servers_before = servers_cpu(&site)?;
            started = Instant::now();
            let statuses = first_statuses(all, mailboxes, started);
            (created, tokio::try_join!(statuses, site.start())?.0)
        }
    };
    let operator = Process(site.running()?.pid());
    let each = |cpu: Duration| cpu.as_secs_f64() * 1000.0 / mailboxes as f64;
    let cpu_ms_each = each(operator.cpu()?);
    let servers_cpu_ms_each = each(servers_cpu(&site)? - servers_before);
    tell("waiting until the profiles have counted them");
    until_counted(&site, mailboxes).await?;
    until_idle(operator, QUIET_SECONDS).await?;
    let figures = Figures {
        creation,
        created_per_second: mailboxes as f64 / created.as_secs_f64(),
        rates: rates(&statuses),
        cpu_ms_each,
        servers_cpu_ms_each,
        memory: operator.peak_memory()? / MIB,
        restart: restart(&mut site, mailboxes).await?,
    };
    site.stop()?;
    print_table(mailboxes, &figures);
    Ok(())
}

/// What the cluster's own servers have used: on few cores they set the pace.
fn servers_cpu(site: &Site) -> Result<Duration> {
    let servers = site.lab.control_plane.processes();
    servers.into_iter().map(|pid| Process(pid).cpu()).sum()
}

/// Where the mailboxes are; the profiles are in the namespace of the site.
async fn namespaces(site: &mut Site) -> Result<Vec<String>> {
    let names: Vec<String> = (0..NAMESPACES)
        .map(|n| format!("{}-{n}", site.tenant))
        .collect();
    let mut items: Vec<Value> = names
        .iter()
        .map(
            |name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
        )
        .collect();
    items.push(json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": site.tenant, "labels": { SHARES_PROFILES_LABEL: "true" } },
    }));
    site.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": items }))
        .await?;
    for name in &names {
        site.watch(name);
    }
    Ok(names)
}

async fn profiles(site: &Site) -> Result<()> {
    let name = |n| format!("pool-{n}");
    site.client_secret(CLIENT_SECRET).await?;
    let items: Vec<Value> = (0..PROFILES)
        .map(|n| {
            let mut profile = site.profile_manifest(&name(n), site.ports());
            profile["spec"]["allowedNamespaces"] = json!({ "from": "All" });
            profile
        })
        .collect();
    site.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": items }))
        .await?;
    for n in 0..PROFILES {
        site.until_profile(&name(n), "Ready", "ProfileReady")
            .await?;
    }
    Ok(())
}

/// Creates them all, as fast as the API server takes them; returns how long that took.
async fn create(site: &Site, namespaces: &[String], mailboxes: usize) -> Result<Duration> {
    let started = Instant::now();
    stream::iter(0..mailboxes)
        .map(|n| async move {
            let namespace = &namespaces[n % namespaces.len()];
            let mut manifest =
                site.mailbox_manifest(&format!("box-{n}"), &format!("box-{n}@example.com"));
            manifest["metadata"]["namespace"] = json!(namespace);
            let mailbox: Mailbox = serde_json::from_value(manifest)?;
            Api::<Mailbox>::namespaced(site.client.clone(), namespace)
                .create(&PostParams::default(), &mailbox)
                .await?;
            Ok::<_, anyhow::Error>(())
        })
        .buffer_unordered(AT_ONCE)
        .try_fold(0, async |done, ()| {
            progress(done + 1, mailboxes, "are created", started);
            Ok(done + 1)
        })
        .await?;
    let took = started.elapsed();
    tell(&format!(
        "    all created after {:.0} s",
        took.as_secs_f64()
    ));
    Ok(took)
}

/// When each of them had its first status, since `started`.
async fn first_statuses(
    all: Api<Mailbox>,
    mailboxes: usize,
    started: Instant,
) -> Result<Vec<Duration>> {
    let mut seen = Box::pin(watcher(all, watcher::Config::default()).applied_objects());
    let mut have = HashSet::new();
    let mut times = Vec::with_capacity(mailboxes);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while times.len() < mailboxes {
        let mailbox = tokio::time::timeout_at(deadline, seen.next())
            .await
            .with_context(|| format!("only {} of {mailboxes} have a status", times.len()))?
            .context("the watch has ended")??;
        let (ready, reason) = condition_of(&mailbox, "Ready");
        if ready.is_empty() || !have.insert(mailbox.uid()) {
            continue;
        }
        if reason != "SignInRequired" {
            bail!("{} got the reason {reason}", mailbox.name_any());
        }
        times.push(started.elapsed());
        progress(times.len(), mailboxes, "have their first status", started);
    }
    Ok(times)
}

/// Ten times altogether.
fn progress(done: usize, of: usize, what: &str, started: Instant) {
    if done.is_multiple_of((of / 10).max(1)) {
        let seconds = started.elapsed().as_secs_f64();
        tell(&format!("    {done} {what} after {seconds:.0} s"));
    }
}

fn rates(statuses: &[Duration]) -> Rates {
    let tenth = (statuses.len() / 10).max(1);
    let at = |n: usize| statuses[n.min(statuses.len() - 1)].as_secs_f64();
    let last = statuses.len() - 1;
    Rates {
        all: statuses.len() as f64 / at(last),
        first_tenth: tenth as f64 / at(tenth - 1),
        last_tenth: tenth as f64 / (at(last) - at(last.saturating_sub(tenth))),
    }
}

/// Waits until the profiles say of all mailboxes that they are theirs.
async fn until_counted(site: &Site, mailboxes: usize) -> Result<()> {
    until("the profiles to count", PATIENCE, async || {
        let profiles = site.profiles().list(&ListParams::default()).await?;
        let assigned = profiles
            .iter()
            .filter_map(|profile| profile.status.as_ref()?.mailboxes.as_ref())
            .map(|counts| usize::try_from(counts.assigned));
        Ok(assigned.sum::<Result<usize, _>>()? == mailboxes)
    })
    .await
}

async fn restart(site: &mut Site, mailboxes: usize) -> Result<Restart> {
    tell(&format!(
        "restarting the operator with {mailboxes} mailboxes"
    ));
    site.stop()?;
    let before = site.writes()?.len();
    site.start().await?;
    let operator = Process(site.running()?.pid());
    until("all to be reconciled", PATIENCE, async || {
        Ok(reconciled(&site.metrics().await?)? >= mailboxes)
    })
    .await?;
    tell("    all are reconciled; waiting until nothing is left to do");
    until_idle(operator, QUIET_SECONDS).await?;
    let writes = site.writes()?.split_off(before);
    for write in writes.iter().take(3) {
        tell(&format!("    a write: {write:?}"));
    }
    Ok(Restart {
        cpu: operator.cpu()?,
        writes: writes.len(),
        memory: operator.peak_memory()? / MIB,
    })
}

/// Reconciles of Mailboxes that went well.
fn reconciled(metrics: &str) -> Result<usize> {
    const COUNTER: &str = r#"gmail_operator_reconciles_total{kind="Mailbox",result="Ok"} "#;
    let value = metrics.lines().find_map(|line| line.strip_prefix(COUNTER));
    Ok(value.map_or(Ok(0), str::parse)?)
}

fn print_table(mailboxes: usize, figures: &Figures) {
    let Figures {
        creation,
        rates,
        restart,
        ..
    } = figures;
    let creation = match creation {
        Creation::Before => "stopped",
        Creation::Beside => "running",
    };
    let row = |what, figure: String, wanted, met| Row {
        what,
        figures: vec![figure],
        wanted: Some((wanted, met)),
    };
    table::print(
        &format!(
            "{mailboxes} new mailboxes in {NAMESPACES} namespaces on {PROFILES} profiles, created at {:.0}/s with the operator {creation}",
            figures.created_per_second
        ),
        &["operator"],
        &[
            row(
                "first statuses per second",
                format!("{:.0}", rates.all),
                "167 or more",
                rates.all >= 167.0,
            ),
            row(
                "  of the first tenth",
                format!("{:.0}", rates.first_tenth),
                "167 or more",
                rates.first_tenth >= 167.0,
            ),
            row(
                "  of the last tenth",
                format!("{:.0}", rates.last_tenth),
                "as the first's",
                rates.last_tenth >= 0.9 * rates.first_tenth,
            ),
            row(
                "CPU per mailbox, ms",
                format!("{:.2}", figures.cpu_ms_each),
                "2 or less",
                figures.cpu_ms_each <= 2.0,
            ),
            Row {
                what: "  of etcd and the API server, ms",
                figures: vec![format!("{:.2}", figures.servers_cpu_ms_each)],
                wanted: None,
            },
            row(
                "peak resident memory, MiB",
                format!("{:.1}", figures.memory),
                "80 or less",
                figures.memory <= 80.0,
            ),
            row(
                "restart: CPU until idle, s",
                format!("{:.1}", restart.cpu.as_secs_f64()),
                "5 or less",
                restart.cpu.as_secs_f64() <= 5.0,
            ),
            row(
                "restart: writes",
                restart.writes.to_string(),
                "0",
                restart.writes == 0,
            ),
            row(
                "restart: peak memory, MiB",
                format!("{:.1}", restart.memory),
                "80 or less",
                restart.memory <= 80.0,
            ),
        ],
    );
    println!(
        "\ncert-manager on such a machine: 23 Certificates/s falling to 12/s, 10.7 ms of CPU for each unchanged one at a"
    );
    println!("restart, 234 MiB with 4000.");
}
