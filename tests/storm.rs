//! One change, many mailboxes: only those that it matters to look again, and counts are written seldom.

use std::time::{Duration, Instant};

use anyhow::Result;
use gmail_operator::api::Mailbox;
use kube::api::PostParams;
use serde_json::json;

use crate::lab::operator::{PATIENCE, Site};
use crate::lab::until;

const EACH: usize = 20;

#[tokio::test]
async fn a_profile_wakes_its_own_mailboxes_and_only_for_what_matters() -> Result<()> {
    let mut site = Site::new("storm").await?;
    // Seldom, so that what is counted below comes from the changes alone.
    site.pace("look-at-secret", 600.0);
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.apply(&site.profile_manifest("other", site.ports()))
        .await?;
    for profile in ["google", "other"] {
        site.until_profile(profile, "Ready", "ProfileReady").await?;
        for n in 0..EACH {
            site.mailbox(
                &format!("{profile}-{n}"),
                &format!("{profile}-{n}@example.com"),
                |mailbox| mailbox["spec"]["profileRef"] = json!({ "name": profile }),
            )
            .await?;
        }
    }
    let last = format!("other-{}", EACH - 1);
    site.until_reason(&last, "Ready", "SignInRequired").await?;
    until("all to be counted", PATIENCE, async || {
        Ok(assigned(&site, "google").await? == EACH && assigned(&site, "other").await? == EACH)
    })
    .await?;

    let before = site.reconciles("Mailbox").await?;
    site.profile_only(site.ports(), |profile| {
        profile["spec"]["contact"] = json!("Somebody else");
        profile["spec"]["processing"]["maxConcurrentConnections"] = json!(3);
    })
    .await?;
    until_observed(&site, 2).await?;
    assert_eq!(
        site.reconciles("Mailbox").await?,
        before,
        "nothing that matters to a mailbox"
    );

    site.profile_only(site.ports(), |profile| {
        profile["spec"]["suspend"] = json!(true)
    })
    .await?;
    for n in 0..EACH {
        site.until_reason(&format!("google-{n}"), "Ready", "ProfileSuspended")
            .await?;
    }
    let woken = site.reconciles("Mailbox").await? - before;
    assert_eq!(woken, EACH, "its own mailboxes, once each");
    Ok(())
}

#[tokio::test]
async fn counts_are_written_seldom() -> Result<()> {
    let mut site = Site::new("counts-seldom").await?;
    let pause = Duration::from_secs(2);
    site.pace("counts", pause.as_secs_f64());
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    let written = |site: &Site| -> Result<u128> {
        let ours = site.writes()?.into_iter();
        Ok(ours
            .filter(|write| write.resource == "gmailserverprofiles")
            .count() as u128)
    };
    let (before, start) = (written(&site)?, Instant::now());
    let mut made = 0;
    // For as long as three pauses there is always something new to count.
    while start.elapsed() < pause * 3 {
        let mailbox =
            site.mailbox_manifest(&format!("box-{made}"), &format!("box-{made}@example.com"));
        let mailbox: Mailbox = serde_json::from_value(mailbox)?;
        site.mailboxes()
            .create(&PostParams::default(), &mailbox)
            .await?;
        made += 1;
    }
    until("all to be counted", PATIENCE, async || {
        Ok(assigned(&site, "google").await? == made)
    })
    .await?;
    let allowed = start.elapsed().as_millis() / pause.as_millis() + 1;
    let writes = written(&site)? - before;
    assert!(
        made > 20 && writes <= allowed,
        "{writes} writes for {made} mailboxes, {allowed} allowed"
    );
    Ok(())
}

async fn assigned(site: &Site, profile: &str) -> Result<usize> {
    let status = site.profiles().get(profile).await?.status;
    let counts = status.and_then(|status| status.mailboxes);
    Ok(counts.map_or(0, |counts| usize::try_from(counts.assigned).unwrap_or(0)))
}

async fn until_observed(site: &Site, generation: i64) -> Result<()> {
    until("the new generation to be observed", PATIENCE, async || {
        let status = site.profiles().get("google").await?.status;
        Ok(status.is_some_and(|status| status.observed_generation == Some(generation)))
    })
    .await
}
