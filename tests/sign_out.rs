//! Signing out by the annotation, as `kubectl gmail sign-out` writes it.

use anyhow::Result;
use gmail_operator::api::SIGN_OUT_REQUESTED_ANNOTATION;
use jiff::Timestamp;

use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::until;

async fn annotate(site: &Site, value: &str) -> Result<()> {
    let annotation = format!("{SIGN_OUT_REQUESTED_ANNOTATION}={value}");
    site.kubectl(&["annotate", "--overwrite", "mailbox", "box", &annotation])
        .await
        .map(drop)
}

#[tokio::test]
async fn an_annotation_signs_out_and_a_later_sign_in_stays() -> Result<()> {
    let mut site = Site::new("sign-out").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "sign-out@example.com", |_| ()).await?;
    site.connect("box", "sign-out@example.com").await?;

    annotate(&site, "last Tuesday").await?;
    until("the Event", PATIENCE, async || {
        let events = site.kubectl(&["get", "events"]).await?;
        Ok(events.contains("SignOutUnreadable"))
    })
    .await?;
    let mailbox = site.mailboxes().get("box").await?;
    assert_eq!(condition_of(&mailbox, "Ready").1, "Enabled");

    // A sign-in is known to the second.
    let signed_in_at = mailbox
        .status
        .and_then(|status| status.sign_in?.signed_in_at);
    until("the next second", PATIENCE, async || {
        let now = Timestamp::now().as_second();
        Ok(signed_in_at
            .as_ref()
            .is_some_and(|at| at.0.as_second() < now))
    })
    .await?;
    let requested = Timestamp::now();
    annotate(&site, &requested.to_string()).await?;
    site.until_reason("box", "Ready", "SignInRequired").await?;
    until(
        "the grant to go, here and at Google",
        PATIENCE,
        async || {
            let requests = site.token_requests().await?;
            Ok(site.grant("box").await.is_err()
                && requests.iter().any(|(kind, _)| kind == "revocation"))
        },
    )
    .await?;

    until("the next second", PATIENCE, async || {
        Ok(Timestamp::now().as_second() > requested.as_second())
    })
    .await?;
    site.connect("box", "sign-out@example.com").await?;
    site.until_mailbox("box", "its test to end", |mailbox| {
        let status = mailbox.status.as_ref();
        let test = status.and_then(|status| status.test.as_ref());
        test.is_some_and(|test| test.started_at.0 > requested && test.finished_at.is_some())
    })
    .await?;
    until("the counts", PATIENCE, async || {
        let profile = site.profiles().get("google").await?;
        let counts = profile.status.and_then(|status| status.mailboxes);
        Ok(counts.is_some_and(|counts| counts.ready == 1))
    })
    .await?;
    site.stop()?;
    let writes = site.writes()?.len();
    site.start().await?;
    site.until_looked_at(1, 1).await?;
    let mailbox = site.mailboxes().get("box").await?;
    assert_eq!(condition_of(&mailbox, "Ready").1, "Enabled");
    assert_eq!(site.writes()?.split_off(writes), []);
    Ok(())
}
