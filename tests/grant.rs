//! The life of a grant: renewed, revoked, adopted, deleted.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::until;

async fn connected(name: &str) -> Result<Site> {
    let mut site = Site::new(name).await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", &format!("{name}@example.com"), |_| ())
        .await?;
    site.connect("box", &format!("{name}@example.com")).await?;
    Ok(site)
}

fn access_token(secret: &k8s_openapi::api::core::v1::Secret) -> Option<Vec<u8>> {
    Some(secret.data.as_ref()?.get("access-token")?.0.clone())
}

#[tokio::test]
async fn a_revoked_grant_asks_for_a_new_sign_in_and_gets_it() -> Result<()> {
    let site = connected("revoked").await?;
    site.lab.google.revoke("revoked@example.com").await?;
    site.kubectl(&[
        "annotate",
        "mailbox",
        "box",
        "gmail-operator.dev/test-requested-at=now",
    ])
    .await?;
    // The access token is fresh, so it is the mail server that refuses first.
    site.until_mailbox("box", "SignedIn False", |mailbox| {
        condition_of(mailbox, "Ready").0 == "False" && condition_of(mailbox, "Ready").1 != "Testing"
    })
    .await?;
    site.until_reason("box", "SignedIn", "ConsentExpired")
        .await?;
    site.connect("box", "revoked@example.com").await?;
    until("one receipt for each sign-in", PATIENCE, async || {
        Ok(site
            .lab
            .mail
            .messages_in("revoked@example.com", "INBOX")?
            .len()
            == 2)
    })
    .await
}

#[tokio::test]
async fn an_access_token_is_renewed_before_it_ends() -> Result<()> {
    let mut site = Site::new("renewed").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.lab
        .google
        .set_access_token_life(&site.client_id, Duration::from_secs(8))
        .await?;
    site.mailbox("box", "renewed@example.com", |_| ()).await?;
    site.connect("box", "renewed@example.com").await?;
    let first = access_token(&site.grant("box").await?);
    until("two renewals", PATIENCE, async || {
        let refreshes = site
            .token_requests()
            .await?
            .iter()
            .filter(|(grant, _)| grant == "refresh_token")
            .count();
        Ok(refreshes >= 3)
    })
    .await?;
    until("a new token", PATIENCE, async || {
        Ok(access_token(&site.grant("box").await?) != first)
    })
    .await?;
    let mailbox = site.mailboxes().get("box").await?;
    assert_eq!(condition_of(&mailbox, "Ready").0, "True");
    let status_writes = site
        .writes()?
        .into_iter()
        .filter(|write| write.resource == "mailboxes")
        .count();
    until("more renewals", PATIENCE, async || {
        let refreshes = site
            .token_requests()
            .await?
            .iter()
            .filter(|(grant, _)| grant == "refresh_token")
            .count();
        Ok(refreshes >= 5)
    })
    .await?;
    let after = site
        .writes()?
        .into_iter()
        .filter(|write| write.resource == "mailboxes")
        .count();
    assert_eq!(after, status_writes, "a renewal writes no status");
    Ok(())
}

#[tokio::test]
async fn a_token_that_expired_while_the_operator_was_down_is_renewed() -> Result<()> {
    let mut site = Site::new("expired").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.lab
        .google
        .set_access_token_life(&site.client_id, Duration::from_secs(4))
        .await?;
    site.mailbox("box", "expired@example.com", |_| ()).await?;
    site.connect("box", "expired@example.com").await?;
    site.stop()?;
    let expires: jiff::Timestamp = String::from_utf8(
        site.grant("box").await?.data.context("no data")?["access-token-expires-at"]
            .0
            .clone(),
    )?
    .parse()?;
    until("the token to expire", PATIENCE, async || {
        Ok(jiff::Timestamp::now() > expires)
    })
    .await?;
    let dead = access_token(&site.grant("box").await?);
    site.start().await?;
    until("a new token", PATIENCE, async || {
        Ok(access_token(&site.grant("box").await?) != dead)
    })
    .await?;
    site.kubectl(&[
        "annotate",
        "mailbox",
        "box",
        "gmail-operator.dev/test-requested-at=1",
    ])
    .await?;
    let mailbox = site.until_mailbox("box", "the test to end", |mailbox| {
        let status = mailbox.status.as_ref();
        status.is_some_and(|status| {
            status.last_handled_test_request.as_deref() == Some("1")
                && status
                    .test
                    .as_ref()
                    .is_some_and(|test| test.finished_at.is_some())
        })
    });
    assert_eq!(condition_of(&mailbox.await?, "Ready").0, "True");
    Ok(())
}

#[tokio::test]
async fn google_away_signs_nobody_out() -> Result<()> {
    let mut site = Site::new("blip").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.lab
        .google
        .set_access_token_life(&site.client_id, Duration::from_secs(6))
        .await?;
    site.mailbox("box", "blip@example.com", |_| ()).await?;
    site.connect("box", "blip@example.com").await?;
    site.lab
        .google
        .set_fault(
            &site.client_id,
            503,
            json!({ "error": "temporarily_unavailable" }),
        )
        .await?;
    let tried = async || {
        Ok::<_, anyhow::Error>(
            site.metrics()
                .await?
                .contains("token_renewals_total{result=\"Unavailable\"}"),
        )
    };
    until("a renewal that could not be made", PATIENCE, tried).await?;
    let mailbox = site.mailboxes().get("box").await?;
    assert_eq!(
        condition_of(&mailbox, "SignedIn"),
        ("True".into(), "SignedIn".into())
    );
    assert_eq!(condition_of(&mailbox, "Ready").0, "True");
    let before = access_token(&site.grant("box").await?);
    site.lab.google.clear_fault(&site.client_id).await?;
    until("the renewal", PATIENCE, async || {
        Ok(access_token(&site.grant("box").await?) != before)
    })
    .await
}

#[tokio::test]
async fn a_rotated_client_secret_signs_nobody_out() -> Result<()> {
    let site = connected("rotated").await?;
    let callback = format!("{}/oauth2/callback", site.public_url);
    site.lab
        .google
        .put_client(&site.client_id, "GOCSPX-the-next-secret", &[&callback])
        .await?;
    site.client_secret("GOCSPX-the-next-secret").await?;
    site.kubectl(&["annotate", "gmailserverprofile", "google", "touched=1"])
        .await?;
    until("the check of the new secret", PATIENCE, async || {
        let requests = site.lab.google.requests().await?;
        let ours: Vec<_> = requests
            .iter()
            .filter(|request| {
                request.client_id.as_deref() == Some(&site.client_id)
                    && request.grant_type.as_deref() == Some("authorization_code")
            })
            .collect();
        Ok(ours.len() >= 3)
    })
    .await?;
    let mailbox = site.mailboxes().get("box").await?;
    assert_eq!(
        (
            condition_of(&mailbox, "SignedIn").0,
            condition_of(&mailbox, "Ready").0
        ),
        ("True".into(), "True".into())
    );
    Ok(())
}

#[tokio::test]
async fn a_deleted_mailbox_takes_its_grant_along_and_retain_keeps_it() -> Result<()> {
    let site = connected("deleted").await?;
    let grant = site.grant("box").await?.metadata.name.context("no name")?;
    site.kubectl(&["delete", "mailbox", "box"]).await?;
    until("the grant to go", PATIENCE, async || {
        Ok(site.own_secrets().get_opt(&grant).await?.is_none())
    })
    .await?;
    let retained =
        |mailbox: &mut serde_json::Value| mailbox["spec"]["deletionPolicy"] = "Retain".into();
    site.mailbox("kept", "kept@example.com", retained).await?;
    site.connect("kept", "kept@example.com").await?;
    let mut copy = site.grant("kept").await?;
    let old = copy.metadata.name.clone().context("no name")?;
    until("the policy in the grant", PATIENCE, async || {
        let data = site.own_secrets().get(&old).await?.data.unwrap_or_default();
        Ok(data
            .get("deletion-policy")
            .is_some_and(|policy| policy.0 == b"Retain"))
    })
    .await?;
    copy.data = site.own_secrets().get(&old).await?.data;
    site.kubectl(&["delete", "mailbox", "kept"]).await?;
    site.mailbox("kept", "kept@example.com", retained).await?;
    site.until_reason("kept", "Ready", "Enabled").await?;
    let gone = async || Ok(site.own_secrets().get_opt(&old).await?.is_none());
    until("the old copy to go", PATIENCE, gone).await?;
    // As a crash between the two writes of the adoption leaves it.
    copy.metadata.resource_version = None;
    copy.metadata.uid = None;
    site.own_secrets()
        .create(&Default::default(), &copy)
        .await?;
    until("what a crash left to go", PATIENCE, gone).await?;
    assert_eq!(
        site.lab
            .mail
            .messages_in("kept@example.com", "INBOX")?
            .len(),
        1,
        "no second receipt"
    );
    Ok(())
}

/// The cluster is lost; what comes back from the backup are the objects without their status and
/// with other uids, and the operator's Secrets.
#[tokio::test]
async fn after_a_restore_nobody_signs_in_again() -> Result<()> {
    let mut site = connected("restore").await?;
    site.kill()?;
    site.kubectl(&["delete", "mailbox", "box"]).await?;
    site.mailbox("box", "restore@example.com", |_| ()).await?;
    let exchanges = |requests: Vec<(String, Option<String>)>| {
        requests
            .iter()
            .filter(|(grant, account)| grant == "authorization_code" && account.is_some())
            .count()
    };
    let before = exchanges(site.token_requests().await?);
    site.start().await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    assert_eq!(exchanges(site.token_requests().await?), before);
    assert_eq!(
        site.lab
            .mail
            .messages_in("restore@example.com", "INBOX")?
            .len(),
        1,
        "no second receipt"
    );
    Ok(())
}

#[tokio::test]
async fn a_wiped_status_comes_back() -> Result<()> {
    let mut site = connected("wiped").await?;
    site.kill()?;
    site.kubectl(&[
        "patch",
        "mailbox",
        "box",
        "--subresource=status",
        "--type=json",
        "-p",
        r#"[{"op":"remove","path":"/status"}]"#,
    ])
    .await?;
    assert!(site.mailboxes().get("box").await?.status.is_none());
    site.start().await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    assert_eq!(
        site.lab
            .mail
            .messages_in("wiped@example.com", "INBOX")?
            .len(),
        1,
        "no second receipt"
    );
    Ok(())
}
