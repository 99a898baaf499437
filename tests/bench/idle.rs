//! What mailboxes cost while all is well with them and nobody wants anything.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use kube::runtime::{WatchStreamExt, watcher};

use super::lab::operator::Site;
use super::lab::process::Process;
use super::lab::tokens::Tokens;
use super::lab::until;
use super::table::{self, Row};
use super::{tell, throughput, until_idle};

/// Unless another number is asked for.
pub const MAILBOXES: usize = 1000;
/// For what is not measured.
const AT_ONCE: usize = 8;
/// No token is due for renewal so soon after the sign-ins: an hour is their life.
const LONG: Duration = Duration::from_secs(600);
/// More than the operator waits between two writes of counts.
const QUIET_SECONDS: u32 = 13;
const MIB: f64 = 1024.0 * 1024.0;

/// Measures and prints.
pub async fn run(mailboxes: usize) -> Result<()> {
    let mut site = Site::new("idle").await?;
    throughput::start_operator(&mut site).await?;
    tell(&format!("signing in to {mailboxes} accounts"));
    stream::iter(0..mailboxes)
        .map(|n| {
            let site = &site;
            async move {
                let account = Tokens::of(site, &format!("idle-{n}@example.com")).await?;
                throughput::signed_in_mailbox(site, &format!("idle-{n}"), &account).await
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    tell("waiting until all are Ready");
    let watch = watcher(site.mailboxes(), watcher::Config::default());
    throughput::until_all(&mut Box::pin(watch.applied_objects()), "Ready", mailboxes).await?;
    let operator = Process(site.running()?.pid());
    until_idle(operator, QUIET_SECONDS).await?;

    tell(&format!(
        "ten minutes in which nothing happens to {mailboxes} mailboxes"
    ));
    let before = site.writes()?.len();
    let (meter, began) = (operator.measure()?, Instant::now());
    until("the end of the ten minutes", 2 * LONG, async || {
        site.running()?.expect_running()?;
        Ok(began.elapsed() >= LONG)
    })
    .await?;
    let used = meter.used()?;
    let writes = site.writes()?.len() - before;
    let memory = operator.peak_memory()? / MIB;
    site.stop()?;

    let share = used.cpu.as_secs_f64() / used.time.as_secs_f64() * 100.0;
    let row = |what, figure, wanted, met| Row {
        what,
        figures: vec![figure],
        wanted: Some((wanted, met)),
    };
    table::print(
        &format!("{mailboxes} mailboxes that are Ready, for ten minutes"),
        &["operator"],
        &[
            row(
                "API writes beside the Lease",
                writes.to_string(),
                "0",
                writes == 0,
            ),
            row(
                "CPU, % of a core",
                format!("{share:.2}"),
                "under 1",
                share < 1.0,
            ),
            row(
                "most memory so far, MiB",
                format!("{memory:.0}"),
                "under 64",
                memory < 64.0,
            ),
        ],
    );
    Ok(())
}
