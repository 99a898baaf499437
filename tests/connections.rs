//! How many connections there are at once, seen from the mail servers' side; and what a thousand mailboxes cost that rest.

mod counting;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use counting::CountingServer;
use futures::{StreamExt, TryStreamExt, stream};
use gmail_operator::api::Mailbox;
use gmail_operator::cluster::grant_secret;
use gmail_operator::domain::secret::AccessToken;
use kube::ResourceExt;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::lab::idle::Idle;
use crate::lab::operator::{PATIENCE, Ports, Site, condition_of};
use crate::lab::tokens::Tokens;
use crate::lab::until;
use crate::lab::wire::{Gauge, Wire};

/// Both ways to the mail servers, counted together.
struct Wires {
    imap: Wire,
    smtp: Wire,
    gauge: Gauge,
}

impl Wires {
    fn lay(site: &mut Site) -> Result<Wires> {
        let gauge = Gauge::new()?;
        let imap = Wire::counted(site.lab.mail.imap_port, &gauge)?;
        let smtp = Wire::counted(site.lab.mail.smtps_port, &gauge)?;
        site.allow(imap.port());
        site.allow(smtp.port());
        Ok(Wires { imap, smtp, gauge })
    }

    fn ports(&self, site: &Site) -> Ports {
        Ports {
            imap: self.imap.port(),
            smtp: self.smtp.port(),
            ..site.ports()
        }
    }

    fn hang(&self) -> Result<()> {
        self.imap.hang()?;
        self.smtp.hang()
    }

    fn restore(&self) -> Result<()> {
        self.imap.restore()?;
        self.smtp.restore()
    }
}

fn limited(max: usize, timeout: &str) -> impl Fn(&mut Value) {
    move |profile| {
        profile["spec"]["processing"] =
            json!({ "maxConcurrentConnections": max, "connectionTimeout": timeout });
    }
}

async fn accounts(site: &Site, prefix: &str, count: usize) -> Result<Vec<Tokens>> {
    stream::iter(0..count)
        .map(async |n| Tokens::of(site, &format!("{prefix}-{n}@example.com")).await)
        .buffered(4)
        .try_collect()
        .await
}

/// One Mailbox for each account, signed in; by the names `PROFILE-0` and so on.
async fn connect_all(site: &Site, accounts: &[Tokens], profile: &str) -> Result<()> {
    stream::iter(accounts.iter().enumerate())
        .map(async |(n, account)| {
            let mut manifest = site.mailbox_manifest(&format!("{profile}-{n}"), &account.email);
            manifest["spec"]["profileRef"] = json!({ "name": profile });
            account.connect(site, manifest, profile).await
        })
        .buffer_unordered(8)
        .try_for_each(async |_| Ok(()))
        .await
}

async fn until_all_ready(site: &Site, count: usize) -> Result<()> {
    site.until_mailboxes(count, "those that are ready", |mailbox| {
        condition_of(mailbox, "Ready").0 == "True"
    })
    .await
}

/// Each with an IMAP login, an SMTP login, and a message that is sent and found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_never_has_more_than_it_may() -> Result<()> {
    const MAX: usize = 3;
    let mut site = Site::new("limited").await?;
    let wires = Wires::lay(&mut site)?;
    site.start().await?;
    site.profile(wires.ports(&site), limited(MAX, "30s"))
        .await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    let accounts = accounts(&site, "limited", 40).await?;
    // Their owners' own mail programs; what we count does not depend on them.
    let mut idle = Vec::new();
    for account in accounts.iter().step_by(2) {
        idle.push(Idle::begin(site.lab, account).await?);
    }
    connect_all(&site, &accounts, "google").await?;
    until_all_ready(&site, 40).await?;
    assert_eq!(wires.gauge.peak(), MAX);
    let logins = wires.imap.connections() + wires.smtp.connections();
    assert_eq!(logins, 4 * 40, "two logins of each for every mailbox");
    for program in idle {
        program.end().await?;
    }
    for account in &accounts {
        let inbox = site.lab.mail.messages_in(&account.email, "INBOX")?;
        assert_eq!(inbox.len(), 1, "{}", account.email);
    }
    Ok(())
}

#[tokio::test]
async fn an_account_has_two_connections_however_many_mailboxes_use_it() -> Result<()> {
    let mut site = Site::new("shared").await?;
    let wires = Wires::lay(&mut site)?;
    site.start().await?;
    site.profile(wires.ports(&site), limited(50, "5s")).await?;
    let mut second = site.profile_manifest("second", wires.ports(&site));
    limited(50, "5s")(&mut second);
    second["spec"]["defaultForNewMailboxes"] = false.into();
    site.apply(&second).await?;
    for profile in ["google", "second"] {
        site.until_profile(profile, "Ready", "ProfileReady").await?;
    }
    let ann = Tokens::of(&site, "shared@example.com").await?;
    // The server takes its time, so that all of them are there at once.
    wires.hang()?;
    for n in 0..8 {
        let mut manifest = site.mailbox_manifest(&format!("box-{n}"), &ann.email);
        let profile = ["google", "second"][n % 2];
        manifest["spec"]["profileRef"] = json!({ "name": profile });
        manifest["spec"]["testMessage"] = "None".into();
        ann.connect(&site, manifest, profile).await?;
    }
    until("two connections", PATIENCE, async || {
        Ok(wires.gauge.open() == 2)
    })
    .await?;
    wires.restore()?;
    until_all_ready(&site, 8).await?;
    assert_eq!(wires.gauge.peak(), 2);
    Ok(())
}

#[tokio::test]
async fn a_maximum_that_changes_counts_at_once_and_a_wait_is_told() -> Result<()> {
    let mut site = Site::new("changed-max").await?;
    site.pace("waiting", 0.5);
    let wires = Wires::lay(&mut site)?;
    site.start().await?;
    site.profile(wires.ports(&site), limited(1, "60s")).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    let accounts = accounts(&site, "changed-max", 10).await?;
    wires.hang()?;
    connect_all(&site, &accounts, "google").await?;
    let open = async |wanted: usize| {
        until("connections", PATIENCE, async || {
            Ok(wires.gauge.open() == wanted)
        })
        .await
    };
    open(1).await?;
    site.until_mailboxes(9, "those that wait", |mailbox| {
        let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
        let mut ready = conditions.filter(|c| c.type_ == "Ready");
        ready.any(|c| c.message.contains("maxConcurrentConnections"))
    })
    .await?;
    assert_eq!(wires.gauge.peak(), 1);
    site.profile(wires.ports(&site), limited(4, "60s")).await?;
    open(4).await?;
    wires.restore()?;
    until_all_ready(&site, 10).await?;
    assert_eq!(wires.gauge.peak(), 4);

    site.profile(wires.ports(&site), limited(2, "60s")).await?;
    site.until_mailbox("google-0", "rest", |mailbox| {
        condition_of(mailbox, "Ready").0 == "True"
    })
    .await?;
    wires.gauge.restart();
    site.kubectl(&[
        "annotate",
        "mailbox",
        "--all",
        "gmail-operator.dev/test-requested-at=1",
    ])
    .await?;
    site.until_mailboxes(10, "those whose test is over", |mailbox| {
        let status = mailbox.status.clone().unwrap_or_default();
        status.last_handled_test_request.as_deref() == Some("1")
            && status.test.is_some_and(|test| test.finished_at.is_some())
    })
    .await?;
    assert_eq!(wires.gauge.peak(), 2);
    Ok(())
}

/// Forty mailboxes of a profile with one connection to a server that says nothing.
#[tokio::test]
async fn a_profile_that_waits_keeps_no_other_waiting() -> Result<()> {
    let mut site = Site::new("unhindered").await?;
    let wires = Wires::lay(&mut site)?;
    site.start().await?;
    let mut slow = site.profile_manifest("slow", wires.ports(&site));
    limited(1, "100s")(&mut slow);
    slow["spec"]["defaultForNewMailboxes"] = false.into();
    site.profile(site.ports(), |_| ()).await?;
    site.apply(&slow).await?;
    for profile in ["google", "slow"] {
        site.until_profile(profile, "Ready", "ProfileReady").await?;
    }
    let accounts = accounts(&site, "unhindered", 41).await?;
    wires.hang()?;
    connect_all(&site, &accounts[..40], "slow").await?;
    until("the one connection", PATIENCE, async || {
        Ok(wires.gauge.open() == 1)
    })
    .await?;
    connect_all(&site, &accounts[40..], "google").await?;
    site.until_reason("google-0", "Ready", "Enabled").await?;
    let list = site.mailboxes().list(&Default::default()).await?;
    let ready = list
        .items
        .iter()
        .filter(|mailbox| condition_of(mailbox, "Ready").0 == "True");
    assert_eq!((ready.count(), wires.gauge.peak()), (1, 1));
    Ok(())
}

/// Each account has five of them, which come one after the other; one of the five sends, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mailboxes_at_once_hold_the_limits_and_rest_then() -> Result<()> {
    const MAILBOXES: usize = 1000;
    const EACH: usize = 5;
    const MAX: usize = 10;
    let mut site = Site::new("thousand").await?;
    site.with_production_waits();
    // Most of them wait for their turn, and no status need say so.
    site.pace("waiting", 600.0);
    let server = CountingServer::start(site.lab).await?;
    site.allow(server.imap_port);
    site.allow(server.smtp_port);
    let ports = Ports {
        imap: server.imap_port,
        smtp: server.smtp_port,
        ..site.ports()
    };
    site.profile(ports, limited(MAX, "30s")).await?;
    let somebody = Tokens::of(&site, "thousand@example.com").await?;
    stream::iter(0..MAILBOXES)
        .map(async |n| {
            let sends = n % EACH == 0;
            signed_in_as(&site, &somebody, n, n / EACH, sends).await
        })
        .buffer_unordered(16)
        .try_for_each(async |()| Ok(()))
        .await?;
    // The first look of its life: all of them are due.
    site.start().await?;
    let logins = [MAILBOXES, MAILBOXES / EACH];
    until("all logins", 2 * PATIENCE, async || {
        let tests = server.all().tests;
        Ok(tests.iter().zip(logins).all(|(now, all)| *now >= all))
    })
    .await?;
    site.until_mailboxes(MAILBOXES, "those that are enabled", |mailbox| {
        condition_of(mailbox, "Ready").1 == "Enabled"
    })
    .await?;
    let all = server.all();
    assert_eq!((all.peak, all.tests), (MAX, logins));
    let accounts = server.accounts();
    assert_eq!(accounts.len(), MAILBOXES / EACH);
    for (account, count) in &accounts {
        assert_eq!(count.tests, [EACH, 1], "{account}");
        assert!(count.peak <= 2, "{account} had {} at once", count.peak);
    }
    assert!(accounts.values().any(|count| count.peak == 2));
    rests(&site).await
}

/// For a minute with nothing to do it writes nothing but its Lease, and takes no more of the machine than it may: what it
/// really takes, `make bench ARGS=idle` says.
async fn rests(site: &Site) -> Result<()> {
    const LONG: Duration = Duration::from_secs(60);
    let process = site.process()?;
    // Counts and Events come after the last status.
    let (mut written, mut since) = (site.writes()?.len(), process.measure()?);
    let quiet = until("a minute without a write", 3 * LONG, async || {
        site.running()?.expect_running()?;
        let now = site.writes()?.len();
        if now > written {
            (written, since) = (now, process.measure()?);
        }
        Ok(since.used()?.time >= LONG)
    });
    quiet.await.with_context(|| {
        format!(
            "it wrote {:?}",
            site.writes().map(|all| all.into_iter().next_back())
        )
    })?;
    let (used, memory) = (since.used()?, process.memory_beside_code()?);
    println!("at rest: {used:?}, {memory} KiB");
    ensure!(used.cpu < used.time / 100, "{used:?}");
    ensure!(memory < 64 * 1024, "{memory} KiB");
    Ok(())
}

/// Signed in to an account that only the counting server knows.
async fn signed_in_as(
    site: &Site,
    somebody: &Tokens,
    n: usize,
    account: usize,
    sends: bool,
) -> Result<()> {
    let (name, email) = (format!("box-{n}"), format!("box-{account}@example.com"));
    let mut manifest = site.mailbox_manifest(&name, &email);
    manifest["spec"]["testMessage"] = json!("None");
    if !sends {
        manifest["spec"]["outgoing"] = json!({ "method": "None" });
    }
    let mailbox: Mailbox = serde_json::from_value(manifest)?;
    let params = PostParams::default();
    let made = site.mailboxes().create(&params, &mailbox).await?;
    let uid = made.uid().context("no uid")?;
    let mut grant = somebody.grant(site, &name, &uid, "google")?;
    grant.email_address = email.parse()?;
    grant.account.email = email.parse()?;
    grant.account.subject = account.to_string();
    grant.access.token = AccessToken::new(format!("ya29.{account}"));
    let secret = grant_secret::secret(&grant, &site.namespace, None);
    site.own_secrets().create(&params, &secret).await?;
    Ok(())
}
