//! A grant is kept alive while Google, the API server or another writer gets in the way.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use gmail_operator::api::GmailServerProfile;
use gmail_operator::cluster::grants::StoredGrant;
use gmail_operator::domain::circuit::Waits;
use gmail_operator::domain::grant::Grant;
use gmail_operator::domain::line::Rules;
use gmail_operator::domain::secret::{AccessToken, RefreshToken};
use gmail_operator::grant::{GrantKeeper, Renewal, TrafficRules};
use gmail_operator::net::network::Network;
use jiff::Timestamp;
use kube::ResourceExt;

use crate::lab::google::TokenRequest;
use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::person::Person;
use crate::lab::tokens::Tokens;
use crate::lab::until;
use crate::lab::wire::Wire;

/// What the token endpoint was asked for this installation.
async fn requests(site: &Site) -> Result<Vec<TokenRequest>> {
    let all = site.lab.google.requests().await?.into_iter();
    Ok(all
        .filter(|request| request.client_id.as_deref() == Some(&site.client_id))
        .collect())
}

async fn renewals(site: &Site) -> Result<Vec<TokenRequest>> {
    let mut requests = requests(site).await?;
    requests.retain(|request| request.grant_type.as_deref() == Some("refresh_token"));
    Ok(requests)
}

async fn refresh_token(site: &Site) -> Result<Vec<u8>> {
    let data = site.grant("box").await?.data.context("no data")?;
    Ok(data["refresh-token"].0.clone())
}

/// An operator with a wire to the API server, whose OAuth server replaces each refresh token, in the
/// midst of a renewal: Google has been asked, and the wire is cut before it has answered.
async fn cut_off_in_a_renewal(name: &str, pace: &[(&str, f64)]) -> Result<(Site, Wire, usize)> {
    let mut site = Site::new(name).await?;
    let wire = Wire::to(site.lab.control_plane.port()?)?;
    site.api_through(&wire)?;
    for (name, seconds) in pace {
        site.pace(name, *seconds);
    }
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let google = &site.lab.google;
    google.rotate_refresh_tokens(&site.client_id).await?;
    google
        .set_access_token_life(&site.client_id, Duration::from_secs(8))
        .await?;
    let email = format!("{name}@example.com");
    site.mailbox("box", &email, |_| ()).await?;
    site.connect("box", &email).await?;

    google
        .set_delay(&site.client_id, Duration::from_secs(2))
        .await?;
    let before = site.token_requests().await?.len();
    until("a renewal", PATIENCE, async || {
        site.pending_token_requests(before).await
    })
    .await?;
    wire.cut()?;
    until("its answer", PATIENCE, async || {
        Ok(!site.pending_token_requests(before).await?)
    })
    .await?;
    google.clear_fault(&site.client_id).await?;
    let asked = renewals(&site).await?.len();
    Ok((site, wire, asked))
}

/// Two more renewals, each with what the one before has given.
async fn is_renewed_on(site: &Site, asked: usize) -> Result<()> {
    until("more renewals", PATIENCE, async || {
        Ok(renewals(site).await?.len() >= asked + 2)
    })
    .await?;
    let refused: Vec<_> = renewals(site).await?;
    assert!(refused.iter().all(|r| r.error.is_none()), "{refused:?}");
    let mailbox = site.mailboxes().get("box").await?;
    assert_eq!(condition_of(&mailbox, "SignedIn").1, "SignedIn");
    Ok(())
}

#[tokio::test]
async fn a_replaced_refresh_token_outlives_an_api_server_that_is_away() -> Result<()> {
    let (site, wire, asked) = cut_off_in_a_renewal("rotated-away", &[]).await?;
    let stored = refresh_token(&site).await?;
    until("a write in vain", PATIENCE, async || {
        Ok(site.log()?.contains("writing the grant of"))
    })
    .await?;
    wire.restore()?;
    until("the new token in its Secret", PATIENCE, async || {
        Ok(refresh_token(&site).await? != stored)
    })
    .await?;
    assert_eq!(
        renewals(&site).await?.len(),
        asked,
        "Google was asked with a token that is good no more"
    );
    is_renewed_on(&site, asked).await
}

#[tokio::test]
async fn who_loses_the_lease_stores_what_google_gave_before_it_ends() -> Result<()> {
    let quick = [
        ("lease-duration", 2.0),
        ("lease-deadline", 1.5),
        ("lease-retry", 0.3),
    ];
    let (mut site, wire, asked) = cut_off_in_a_renewal("rotated-lost", &quick).await?;
    let stored = refresh_token(&site).await?;
    until("the Lease to be lost", PATIENCE, async || {
        Ok(site
            .log()?
            .contains("before the end, new tokens are stored"))
    })
    .await?;
    wire.restore()?;
    until("the new token in its Secret", PATIENCE, async || {
        Ok(refresh_token(&site).await? != stored)
    })
    .await?;
    until("the process to end", PATIENCE, async || {
        Ok(!site.running()?.is_running())
    })
    .await?;
    site.start().await?;
    is_renewed_on(&site, asked).await
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_gets_it() -> Result<()> {
    const PAUSE: i64 = 5;
    let mut site = Site::new("pause").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let google = &site.lab.google;
    google
        .set_access_token_life(&site.client_id, Duration::from_secs(8))
        .await?;
    site.mailbox("other", "pause-other@example.com", |_| ())
        .await?;
    site.mailbox("box", "pause@example.com", |_| ()).await?;
    site.connect("box", "pause@example.com").await?;
    site.sign_in_url("other").await?;

    let before = requests(&site).await?.len();
    let seconds = PAUSE.to_string();
    google.set_busy(&site.client_id, 429, &seconds).await?;
    until("a request", PATIENCE, async || {
        Ok(requests(&site).await?.len() > before)
    })
    .await?;
    google.clear_fault(&site.client_id).await?;
    let person = Person::new(site.lab, "pause-other@example.com")?;
    let page = site.sign_in("other", &person).await?;
    assert_eq!(page.status, 502, "{}", page.text);
    assert!(page.text.contains("Google could not be reached"));
    until("the renewal", PATIENCE, async || {
        Ok(requests(&site).await?.len() > before + 1)
    })
    .await?;

    let asked = requests(&site).await?.split_off(before);
    assert_eq!(asked[0].status, 429);
    let at = |n: usize| asked[n].at.parse::<Timestamp>();
    let waited = at(1)?.duration_since(at(0)?).as_millis();
    assert!(waited >= 1000 * i128::from(PAUSE), "{waited} ms");
    let mailbox = site.mailboxes().get("box").await?;
    assert_eq!(condition_of(&mailbox, "Ready").0, "True");
    Ok(())
}

/// A keeper of this test's own beside whoever else writes; no operator runs.
struct Desk {
    site: Site,
    keeper: GrantKeeper,
    profile: GmailServerProfile,
    uid: String,
}

impl Desk {
    async fn new(name: &str) -> Result<Desk> {
        let site = Site::new(name).await?;
        site.profile(site.ports(), |_| ()).await?;
        let tokens = Tokens::of(&site, &format!("{name}@example.com")).await?;
        let manifest = site.mailbox_manifest("box", &tokens.email);
        let mailbox = tokens.connect(&site, manifest, "google").await?;
        let egress = site.egress()?;
        let rules = TrafficRules {
            line: Rules {
                gap: Duration::ZERO,
                at_once: 4,
            },
            waits: Waits {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(1),
            },
        };
        Ok(Desk {
            keeper: GrantKeeper::new(
                site.client.clone(),
                &site.namespace,
                Arc::new(Network::new(egress)),
                rules,
            ),
            profile: site.profiles().get("google").await?,
            uid: mailbox.uid().context("no uid")?,
            site,
        })
    }

    async fn stored(&self) -> Result<StoredGrant> {
        let found = self.keeper.stored().get(&self.uid).await?;
        Ok(found.context("no grant")??)
    }

    /// Renews what was read before `other` wrote.
    async fn renew_after(&self, other: impl Fn(&mut Grant)) -> Result<(Renewal, Grant)> {
        let old = self.stored().await?;
        let wrote = self.keeper.update(old.clone(), other).await?;
        wrote.context("not written")?;
        let renewal = self.keeper.renew(old, &self.profile, Timestamp::now());
        Ok((renewal.await?, self.stored().await?.grant))
    }
}

#[tokio::test]
async fn two_writers_lose_nothing() -> Result<()> {
    let desk = Desk::new("two-writers").await?;
    let before = desk.stored().await?.grant;
    let noted = Timestamp::from_second(1_900_000_000)?;
    let (renewal, after) = desk
        .renew_after(|grant| grant.reminded_for = Some(noted))
        .await?;
    assert!(matches!(renewal, Renewal::Written(_)), "{renewal:?}");
    assert_eq!(after.reminded_for, Some(noted));
    assert_ne!(after.access.token, before.access.token);

    // Another replica, which has just renewed it.
    let ahead = Timestamp::now() + Duration::from_secs(5);
    let (_, after) = desk
        .renew_after(|grant| {
            grant.access.token = AccessToken::new("ya29.newer");
            grant.access.issued_at = ahead;
            grant.refresh_token = RefreshToken::new("1//newer");
        })
        .await?;
    assert_eq!(after.access.token, AccessToken::new("ya29.newer"));
    assert_eq!(after.refresh_token, RefreshToken::new("1//newer"));
    drop(desk.site);
    Ok(())
}

#[tokio::test]
async fn another_sign_in_is_never_overwritten() -> Result<()> {
    let desk = Desk::new("newer-sign-in").await?;
    let (renewal, after) = desk
        .renew_after(|grant| {
            grant.signed_in_at += Duration::from_secs(1);
            grant.refresh_token = RefreshToken::new("1//of-another-sign-in");
        })
        .await?;
    assert!(matches!(renewal, Renewal::Overtaken), "{renewal:?}");
    let wanted = RefreshToken::new("1//of-another-sign-in");
    assert_eq!(after.refresh_token, wanted);
    drop(desk.site);
    Ok(())
}

/// It was got while a clock was an hour ahead, which has been put right.
#[tokio::test]
async fn a_token_from_the_future_is_replaced() -> Result<()> {
    let desk = Desk::new("from-the-future").await?;
    let ahead = Duration::from_secs(3600);
    let written = desk.keeper.update(desk.stored().await?, |grant| {
        grant.access.issued_at += ahead;
        grant.access.expires_at += ahead;
    });
    written.await?.context("not written")?;
    let old = desk.stored().await?;
    let before = old.grant.access.clone();
    let now = Timestamp::now();
    let renewal = desk.keeper.renew(old, &desk.profile, now).await?;
    assert!(matches!(renewal, Renewal::Written(_)), "{renewal:?}");
    let after = desk.stored().await?.grant.access;
    assert_ne!(after.token, before.token);
    // The Secret has whole seconds.
    assert!(after.issued_at <= now, "{after:?}");
    drop(desk.site);
    Ok(())
}
