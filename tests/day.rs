//! A day of 2,000 grants, with the clock shortened: an hour of Google's is [`LIFE`] here. Each is renewed once in each
//! life of its token and none lapses, through an outage of the OAuth server, a crash of the operator, and a change of
//! leader.
//!
//! What is shortened alike: the lives, the waits after a failure and the outage. A renewal comes when a tenth to a
//! quarter of a life is left, so an outage or a start may take a tenth of a life.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use gmail_operator::api::Mailbox;
use gmail_operator::cluster::grant_secret;
use gmail_operator::cluster::grants::stored;
use gmail_operator::domain::grant::Grant;
use gmail_operator::domain::secret::RefreshToken;
use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use serde_json::json;

use crate::lab::grants;
use crate::lab::operator::{PATIENCE, Ports, Site};
use crate::lab::token_mill::{Asked, TokenMill};
use crate::lab::until;
use crate::lab::wire::Wire;

const GRANTS: usize = 2000;
/// The life of an access token.
const LIFE: Duration = Duration::from_secs(60);
/// How often each is renewed at least.
const LIVES: usize = 2;
/// How many renewals of one OAuth client are under way at once: so many may be lost by a crash, after Google has
/// answered and before that is stored.
const AT_ONCE: usize = 16;
/// Objects that are made at once.
const HANDS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: `make test` runs it after the others"]
async fn two_thousand_grants_live_through_a_day() -> Result<()> {
    let mut day = Day::new().await?;
    day.seed().await?;
    day.site.start().await?;
    let start = Instant::now();
    // The first status of each is written by then.
    until("the day to begin", LIFE + PATIENCE, async || {
        Ok(day.mill.asked().len() > GRANTS / 4)
    })
    .await?;

    let outage = day.outage().await?;
    day.until_caught_up().await?;
    let crash = day.crash().await?;
    day.until_caught_up().await?;
    let second = day.change_of_leader().await?;
    day.until_each_renewed(LIVES).await?;
    day.judge(start, outage, crash).await?;
    drop(second);
    Ok(())
}

/// From when to when something was.
type Span = (Instant, Instant);

struct Day {
    site: Site,
    mill: TokenMill,
    wire: Wire,
}

impl Day {
    async fn new() -> Result<Day> {
        let mut site = Site::new("day").await?;
        let mill = TokenMill::new(site.lab, GRANTS, LIFE)?;
        let wire = Wire::to(mill.port)?;
        site.allow(wire.port());
        site.log_level("warn");
        for (name, seconds) in [
            // Two to three times as fast as renewals are due.
            ("renewal-gap", 0.01),
            ("backoff-first", 0.1),
            ("backoff-longest", 2.0),
            ("circuit-longest", 0.5),
            // A failed test of the mail server is none of a day of renewals.
            ("retest-failed", 7200.0),
            ("look-at-secret", 10.0),
            ("counts", 10.0),
            // A machine that stands still for some seconds must not end the day.
            ("lease-duration", 40.0),
            ("lease-deadline", 30.0),
        ] {
            site.pace(name, seconds);
        }
        let ports = Ports {
            google: wire.port(),
            imap: site.lab.mail.submission_port,
            ..site.ports()
        };
        site.profile(ports, |_| ()).await?;
        Ok(Day { site, mill, wire })
    }

    /// The Mailboxes and their grants, as after hours: their tokens end at different times. Their IMAP server does
    /// not speak TLS, which is seen once and looked at again after hours, so nothing but renewals goes on.
    async fn seed(&self) -> Result<()> {
        let start = Timestamp::now();
        let mailboxes = self.site.mailboxes();
        let secrets = self.site.own_secrets();
        stream::iter(0..GRANTS)
            .map(|n| {
                let (mailboxes, secrets) = (&mailboxes, &secrets);
                async move {
                    let name = format!("box-{n}");
                    let mut manifest = self
                        .site
                        .mailbox_manifest(&name, &format!("{name}@example.com"));
                    manifest["spec"]["outgoing"] = json!({ "method": "None" });
                    let mailbox: Mailbox = serde_json::from_value(manifest)?;
                    let made = mailboxes.create(&PostParams::default(), &mailbox).await?;
                    let grant = self.grant(n, &made, start)?;
                    let secret = grant_secret::secret(&grant, &self.site.namespace, None);
                    secrets.create(&PostParams::default(), &secret).await?;
                    Ok::<_, anyhow::Error>(())
                }
            })
            .buffer_unordered(HANDS)
            .try_collect()
            .await
    }

    /// One whose first renewal is due in the life after the next 45 seconds, in which all are made.
    fn grant(&self, n: usize, mailbox: &Mailbox, start: Timestamp) -> Result<Grant> {
        let issued_at = start + LIFE.mul_f64(0.8 * n as f64 / GRANTS as f64);
        let uid = mailbox.uid().context("no uid")?;
        let email = format!("box-{n}@example.com");
        let mut grant = grants::new(&self.site, &mailbox.name_any(), &uid, &email)?;
        grant.token_endpoint = format!("https://localhost:{}/token", self.wire.port()).parse()?;
        grant.refresh_token = RefreshToken::new(TokenMill::refresh_token(n));
        grant.access.issued_at = issued_at;
        grant.access.expires_at = issued_at + LIFE;
        grant.signed_in_at -= LIFE * 24;
        Ok(grant)
    }

    /// Waits until each was renewed so often.
    async fn until_each_renewed(&self, times: usize) -> Result<()> {
        until("renewals of each", 3 * LIFE, async || {
            let lives = lives(&self.mill.asked());
            Ok(lives.len() == GRANTS && lives.values().all(|renewed| renewed.len() >= times))
        })
        .await
    }

    /// Waits until nobody is late: a renewal is due when nine tenths of a life are over.
    async fn until_caught_up(&self) -> Result<()> {
        until("the renewals that are late", LIFE, async || {
            let lives = lives(&self.mill.asked());
            let mut newest = lives.values().filter_map(|renewed| renewed.last());
            Ok(newest.all(|at| at.elapsed() < LIFE.mul_f64(0.92)))
        })
        .await
    }

    /// First it answers that it fails, then nobody answers.
    async fn outage(&self) -> Result<Span> {
        let from = Instant::now();
        self.mill.fail(true);
        self.until_held_back(GRANTS / 50).await?;
        self.wire.cut()?;
        self.mill.fail(false);
        self.until_held_back(GRANTS / 25).await?;
        self.wire.restore()?;
        Ok((from, Instant::now()))
    }

    /// Waits until so many renewals were due and not sent.
    async fn until_held_back(&self, count: usize) -> Result<()> {
        const SERIES: &str = "token_renewals_held_back_total{because=\"Circuit\"} ";
        until("renewals that wait for the server", PATIENCE, async || {
            let metrics = self.site.metrics().await?;
            let line = metrics.lines().find_map(|line| line.split_once(SERIES));
            let held_back = line.map_or(Ok(0), |(_, count)| count.parse::<usize>())?;
            Ok(held_back >= count)
        })
        .await
    }

    /// The container crashes and is started again, in the same Pod.
    async fn crash(&mut self) -> Result<Instant> {
        let at = Instant::now();
        self.site.kill()?;
        self.site.start_again().await?;
        // A replica is ready before it leads.
        until("a renewal after the crash", PATIENCE, async || {
            Ok(self.mill.asked().last().is_some_and(|asked| asked.at > at))
        })
        .await?;
        Ok(at)
    }

    /// The leader is asked to end, as at an update, while another replica waits.
    async fn change_of_leader(&mut self) -> Result<crate::lab::keeper::Kept> {
        let second = self.site.second_replica()?;
        self.site.stop()?;
        Ok(second)
    }

    async fn judge(&self, start: Instant, outage: Span, crash: Instant) -> Result<()> {
        let asked = self.mill.asked();
        let in_outage = asked.iter().filter(|asked| within(asked, outage));
        let vain = in_outage.filter(|asked| !asked.given).count();
        assert!(
            vain <= 3 * AT_ONCE,
            "{vain} requests to a server that fails"
        );
        assert!(vain >= 5, "there was no outage");

        let known = asked.iter().all(|asked| asked.account.is_some());
        assert!(known, "a token that was never given");
        let lives = lives(&asked);
        assert_eq!(lives.len(), GRANTS);
        let (mut early, mut late, mut most) = (0, Vec::new(), Duration::ZERO);
        for (account, renewed) in &lives {
            for pair in renewed.windows(2) {
                let life = pair[1] - pair[0];
                most = most.max(life);
                // At the earliest after three quarters of it, which begin before the wait in line.
                if life < LIFE.mul_f64(0.7) {
                    early += 1;
                    assert!(pair[0] < crash && pair[1] > crash, "{account}: {life:?}");
                }
                if life > LIFE {
                    late.push((*account, life, pair[1] - start));
                }
            }
        }
        let renewals: usize = lives.values().map(Vec::len).sum();
        println!(
            "{renewals} renewals of {GRANTS} grants in {:.0} s; the longest life {:.1} of {} s; {vain} requests in the outage; {early} renewed again after the crash",
            start.elapsed().as_secs_f64(),
            most.as_secs_f64(),
            LIFE.as_secs(),
        );
        assert!(late.is_empty(), "{} lapsed: {:?}", late.len(), late.first());
        assert!(early <= AT_ONCE, "{early} were renewed twice in a life");
        self.are_alive().await
    }

    /// As the Secrets have it.
    async fn are_alive(&self) -> Result<()> {
        let now = Timestamp::now();
        let secrets = self.site.own_secrets();
        let params = ListParams::default().labels(grant_secret::UID_LABEL);
        let grants = secrets.list(&params).await?.items;
        assert_eq!(grants.len(), GRANTS);
        for secret in &grants {
            let grant = stored(secret)?.grant;
            assert!(
                grant.ended.is_none() && grant.access.expires_at > now,
                "{grant:?}"
            );
        }
        Ok(())
    }
}

/// When each account was given a new token.
fn lives(asked: &[Asked]) -> BTreeMap<usize, Vec<Instant>> {
    let mut lives: BTreeMap<usize, Vec<Instant>> = BTreeMap::new();
    for asked in asked.iter().filter(|asked| asked.given) {
        if let Some(account) = asked.account {
            lives.entry(account).or_default().push(asked.at);
        }
    }
    lives
}

fn within(asked: &Asked, (from, to): Span) -> bool {
    (from..to).contains(&asked.at)
}
