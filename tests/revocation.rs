//! `deletionPolicy: Revoke`, and what deletes a grant without it.

use anyhow::{Context, Result};
use gmail_operator::cluster::grant_secret;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::lab::operator::{PATIENCE, Ports, Site};
use crate::lab::tokens::Tokens;
use crate::lab::until;
use crate::lab::wire::Wire;

/// How often a grant of this installation was revoked at Google.
async fn revocations(site: &Site) -> Result<usize> {
    let requests = site.token_requests().await?;
    Ok(requests
        .iter()
        .filter(|(kind, _)| kind == "revocation")
        .count())
}

fn revoked(mailbox: &mut Value) {
    mailbox["spec"]["deletionPolicy"] = json!("Revoke");
}

async fn until_gone(site: &Site, secret: &str) -> Result<()> {
    until("the grant to go", PATIENCE, async || {
        Ok(site.own_secrets().get_opt(secret).await?.is_none())
    })
    .await
}

#[tokio::test]
async fn what_another_mailbox_needs_is_not_revoked() -> Result<()> {
    let mut site = Site::new("shared").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let tokens = Tokens::of(&site, "shared@example.com").await?;
    let mut secrets = Vec::new();
    for (name, address) in [("one", "shared@example.com"), ("two", "alias@example.com")] {
        let mut manifest = site.mailbox_manifest(name, address);
        manifest["spec"]["googleAccount"] = json!("shared@example.com");
        let mailbox = tokens.connect(&site, manifest.clone(), "google").await?;
        let secret = grant_secret::name(&mailbox.uid().context("no uid")?);
        // Written later, and deleted soon after.
        revoked(&mut manifest);
        site.apply(&manifest).await?;
        until("the policy in the grant", PATIENCE, async || {
            let data = site.own_secrets().get(&secret).await?.data;
            let data = data.unwrap_or_default();
            Ok(data
                .get("deletion-policy")
                .is_some_and(|policy| policy.0 == b"Revoke"))
        })
        .await?;
        secrets.push(secret);
    }
    site.kubectl(&["delete", "mailbox", "one"]).await?;
    until_gone(&site, &secrets[0]).await?;
    assert_eq!(revocations(&site).await?, 0, "the other one needs it");
    site.kubectl(&["delete", "mailbox", "two"]).await?;
    until_gone(&site, &secrets[1]).await?;
    assert_eq!(revocations(&site).await?, 1);
    Ok(())
}

/// A Mailbox that is signed in at a Google behind a wire.
async fn behind_a_wire(name: &str) -> Result<(Site, Wire, String)> {
    let mut site = Site::new(name).await?;
    let wire = Wire::to(site.lab.google.port())?;
    site.allow(wire.port());
    site.start().await?;
    let ports = Ports {
        google: wire.port(),
        ..site.ports()
    };
    site.profile(ports, |_| ()).await?;
    let email = format!("{name}@example.com");
    site.mailbox("box", &email, revoked).await?;
    site.connect("box", &email).await?;
    let secret = site.grant("box").await?.name_any();
    Ok((site, wire, secret))
}

#[tokio::test]
async fn google_away_holds_up_no_deletion() -> Result<()> {
    let (site, wire, secret) = behind_a_wire("revoke-away").await?;
    wire.cut()?;
    site.kubectl(&["delete", "mailbox", "box"]).await?;
    until_gone(&site, &secret).await?;
    until("the Event of the profile", PATIENCE, async || {
        let events = site.kubectl(&["get", "events", "-o", "json"]).await?;
        let events: Value = serde_json::from_str(&events)?;
        let mut events = events["items"].as_array().into_iter().flatten();
        Ok(events.any(|event| {
            event["reason"] == "NotRevoked"
                && event["type"] == "Warning"
                && event["involvedObject"]["kind"] == "GmailServerProfile"
        }))
    })
    .await
}

#[tokio::test]
async fn a_whole_namespace_goes_with_google_away() -> Result<()> {
    let (site, wire, secret) = behind_a_wire("revoke-namespace").await?;
    wire.cut()?;
    site.kubectl(&["delete", "namespace", &site.tenant, "--wait=false"])
        .await?;
    until_gone(&site, &secret).await?;
    let namespaces: Api<Namespace> = Api::all(site.client.clone());
    until("the namespace to go", PATIENCE, async || {
        Ok(namespaces.get_opt(&site.tenant).await?.is_none())
    })
    .await
}

#[tokio::test]
async fn who_does_not_say_that_the_account_moves_has_signed_in_nowhere() -> Result<()> {
    let mut site = Site::new("not-moved").await?;
    site.pace("move-answer", 2.0);
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "not-moved@example.com", revoked)
        .await?;
    let mailbox = site.until_reason("box", "Ready", "SignInRequired").await?;
    let tokens = Tokens::of(&site, "not-moved@example.com").await?;
    let uid = mailbox.uid().context("no uid")?;
    let mut grant = tokens.grant(&site, "box", &uid, "google")?;
    grant.move_asked_at = Some(Timestamp::now());
    let secret = grant_secret::secret(&grant, &site.namespace, None);
    let made = site.own_secrets();
    made.create(&PostParams::default(), &secret).await?;
    until_gone(&site, &secret.name_any()).await?;
    assert_eq!(
        revocations(&site).await?,
        0,
        "the account's other Mailbox goes on"
    );
    site.until_reason("box", "Ready", "SignInRequired").await?;
    Ok(())
}
