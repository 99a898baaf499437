//! Two replicas, with the waits of production, and what hurts the one that leads: the other takes over within
//! [`TAKEOVER`], and no grant is renewed twice in a life of its token.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;

use crate::lab::keeper::Kept;
use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::ports::free_port;
use crate::lab::until;
use crate::lab::wire::Wire;

const TAKEOVER: Duration = Duration::from_secs(20);
/// The life of an access token: several end while a leader is away.
const LIFE: Duration = Duration::from_secs(10);
const BOXES: [&str; 2] = ["first", "second"];

/// Killed, as by a failure of its node. What Google gave it at that moment is lost.
#[tokio::test]
#[ignore = "needs the machine for itself: `make test` runs it"]
async fn the_leader_is_killed() -> Result<()> {
    let mut pair = Pair::new("taken-killed").await?;
    let died = Moment::now();
    pair.site.kill()?;
    pair.until_taken_over(&died).await?;
    pair.until_each_is_renewed().await?;
    pair.judge(&[(died.at, died.at)]).await
}

/// Asked to end, as at an update: nobody waits until its Lease has run out.
#[tokio::test]
#[ignore = "needs the machine for itself: `make test` runs it"]
async fn the_leader_is_asked_to_end() -> Result<()> {
    let mut pair = Pair::new("taken-ended").await?;
    let asked = Moment::now();
    ensure!(pair.site.stop()?.success());
    let took = pair.until_taken_over(&asked).await?;
    ensure!(took < Duration::from_secs(10), "{took:?}");
    pair.until_each_is_renewed().await?;
    pair.judge(&[]).await
}

/// Paused and woken, as a machine that is moved: it wakes as somebody who leads no more, renews nothing, and ends.
#[tokio::test]
#[ignore = "needs the machine for itself: `make test` runs it"]
async fn the_leader_is_paused() -> Result<()> {
    let pair = Pair::new("taken-paused").await?;
    let paused = Moment::now();
    pair.site.running()?.signal("STOP")?;
    pair.until_taken_over(&paused).await?;
    pair.until_each_is_renewed().await?;
    pair.site.running()?.signal("CONT")?;
    pair.until_the_first_ended().await?;
    pair.until_each_is_renewed().await?;
    pair.judge(&[]).await
}

/// Nobody reaches the API server for a minute. Who led ends, since another might lead by now, and is started again
/// as by the kubelet.
#[tokio::test]
#[ignore = "needs the machine for itself: `make test` runs it"]
async fn the_api_server_is_away_for_a_minute() -> Result<()> {
    let mut pair = Pair::new("taken-away").await?;
    let wire = pair.wire.take().context("no wire")?;
    let away = Moment::now();
    wire.hang()?;
    pair.until_the_first_ended().await?;
    pair.site.launch_again()?;
    until("the end of the minute", PATIENCE * 2, async || {
        Ok(away.since.elapsed() >= Duration::from_secs(60))
    })
    .await?;
    pair.second.expect_running()?;
    let back = Moment::now();
    wire.restore()?;
    until("somebody to lead", PATIENCE, async || {
        let renewed = pair.lease().await?.renew_time.context("never held")?;
        Ok(renewed.0 > back.at)
    })
    .await?;
    let took = back.since.elapsed();
    ensure!(took <= TAKEOVER, "{took:?}");
    pair.until_each_is_renewed().await?;
    // What Google gave when the API server went away is stored when it is back.
    pair.judge(&[(away.at, back.at)]).await
}

/// The clock of the leader's machine is an hour ahead, and is put right again.
#[tokio::test]
#[ignore = "needs the machine for itself: `make test` runs it"]
async fn the_leaders_clock_jumps() -> Result<()> {
    let mut pair = Pair::new("taken-clock").await?;
    let jumped = Moment::now();
    pair.put_clock("+3600")?;
    pair.until_taken_over(&jumped).await?;
    pair.until_the_first_ended().await?;
    ensure!(pair.site.log()?.contains("was put on by"));
    pair.until_each_is_renewed().await?;
    pair.judge(&[]).await?;

    // With that clock all tokens have ended.
    pair.site.by_clock(&pair.clock);
    pair.site.start_again().await?;
    let misled = Moment::now();
    pair.second.signal("TERM")?;
    pair.until_holder("replica-1").await?;
    pair.until_each_is_renewed().await?;

    let mended = Moment::now();
    pair.put_clock("+0")?;
    pair.until_the_first_ended().await?;
    ensure!(pair.site.log()?.contains("was put back by"));
    pair.site.start_again().await?;
    pair.until_holder("replica-1").await?;
    pair.until_each_is_renewed().await?;
    pair.until_each_is_renewed().await?;
    pair.judge(&[(misled.at, misled.at), (mended.at, mended.at)])
        .await
}

/// By the clock, and by what no clock changes.
struct Moment {
    at: Timestamp,
    since: Instant,
}

impl Moment {
    fn now() -> Moment {
        Moment {
            at: Timestamp::now(),
            since: Instant::now(),
        }
    }
}

/// Two replicas, of which `replica-1` leads, and Mailboxes that are Ready.
struct Pair {
    site: Site,
    second: Kept,
    wire: Option<Wire>,
    clock: PathBuf,
    began: Timestamp,
}

impl Pair {
    async fn new(name: &str) -> Result<Pair> {
        let mut site = Site::new(name).await?;
        for (wait, seconds) in [
            ("lease-duration", 15.0),
            ("lease-deadline", 10.0),
            ("lease-retry", 2.0),
        ] {
            site.pace(wait, seconds);
        }
        let wire = Wire::to(site.lab.control_plane.port()?)?;
        site.api_through(&wire)?;
        let clock = site.lab.dir().join(format!("{}.clock", site.namespace));
        std::fs::write(&clock, "+0")?;
        site.by_clock(&clock);
        site.start().await?;
        site.by_the_right_clock();
        site.profile(site.ports(), |_| ()).await?;
        let google = &site.lab.google;
        google.set_access_token_life(&site.client_id, LIFE).await?;
        for mailbox in BOXES {
            let email = format!("{mailbox}.{name}@example.com");
            site.mailbox(mailbox, &email, |_| ()).await?;
            site.connect(mailbox, &email).await?;
        }
        let second = site.replica_at(free_port()?).await?;
        let pair = Pair {
            site,
            second,
            wire: Some(wire),
            clock,
            began: Timestamp::now(),
        };
        pair.until_holder("replica-1").await?;
        pair.until_each_is_renewed().await?;
        Ok(pair)
    }

    fn put_clock(&self, offset: &str) -> Result<()> {
        // In one step: a file that is half written is another time.
        let new = self.clock.with_extension("new");
        std::fs::write(&new, offset)?;
        Ok(std::fs::rename(new, &self.clock)?)
    }

    async fn lease(&self) -> Result<LeaseSpec> {
        let leases: Api<Lease> = Api::namespaced(self.site.client.clone(), &self.site.namespace);
        let lease = leases.get("gmail-operator").await?;
        lease.spec.context("an empty Lease")
    }

    async fn until_holder(&self, replica: &str) -> Result<()> {
        until(&format!("{replica} to lead"), PATIENCE, async || {
            Ok(self.lease().await?.holder_identity.as_deref() == Some(replica))
        })
        .await
    }

    /// How long it took.
    async fn until_taken_over(&self, hurt: &Moment) -> Result<Duration> {
        self.until_holder("replica-2").await?;
        let took = hurt.since.elapsed();
        ensure!(took <= TAKEOVER, "{took:?}");
        Ok(took)
    }

    async fn until_the_first_ended(&self) -> Result<()> {
        until("replica-1 to end", PATIENCE, async || {
            Ok(!self.site.running()?.is_running())
        })
        .await
    }

    /// Once more each, from now on.
    async fn until_each_is_renewed(&self) -> Result<()> {
        let now = Timestamp::now();
        until("renewals of each", PATIENCE, async || {
            let renewals = self.renewals().await?;
            let newer = |times: &Vec<Timestamp>| times.last().is_some_and(|last| *last > now);
            Ok(renewals.len() == BOXES.len() && renewals.values().all(newer))
        })
        .await
    }

    /// When Google was asked for a new token of each account, since the sign-ins.
    async fn renewals(&self) -> Result<BTreeMap<String, Vec<Timestamp>>> {
        let mut renewals: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
        for request in self.site.lab.google.requests().await? {
            let at: Timestamp = request.at.parse()?;
            let ours = request.client_id.as_deref() == Some(&self.site.client_id);
            let renews = request.grant_type.as_deref() == Some("refresh_token");
            let answered = request.status != 0;
            if ours && renews && answered && at > self.began {
                if let Some(error) = request.error {
                    bail!("a renewal was refused: {error}");
                }
                let account = request.account.context("nobody's renewal")?;
                renewals.entry(account).or_default().push(at);
            }
        }
        Ok(renewals)
    }

    /// Each was renewed once in each life, but for lives in which something happened that is no fault of the
    /// operator's; and nobody has to do anything.
    async fn judge(&self, excused: &[(Timestamp, Timestamp)]) -> Result<()> {
        for (account, renewed) in self.renewals().await? {
            for pair in renewed.windows(2) {
                let early =
                    pair[1].duration_since(pair[0]).as_secs_f64() < 0.7 * LIFE.as_secs_f64();
                let excuse = excused
                    .iter()
                    .any(|(from, to)| pair[0] <= *to && pair[1] >= *from);
                ensure!(!early || excuse, "{account} was renewed twice: {pair:?}");
            }
        }
        for mailbox in BOXES {
            let found = self.site.mailboxes().get(mailbox).await?;
            let (status, reason) = condition_of(&found, "Ready");
            ensure!(status == "True", "{mailbox}: {reason}");
        }
        Ok(())
    }
}
