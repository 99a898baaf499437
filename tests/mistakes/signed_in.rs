//! What a sign-in proves, and what of it outlives the admin's later mistakes.

use anyhow::{Context, Result, ensure};
use gmail_operator::api::GmailServerProfile;
use serde_json::json;

use crate::lab::operator::{CLIENT_SECRET, PATIENCE, Site, condition_of};
use crate::lab::until;

/// A profile that names its client by ID, with the secret alone in a Secret of its name.
async fn by_id(site: &Site, name: &str, id: &str) -> Result<()> {
    site.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": name, "namespace": site.tenant },
        "stringData": { "secret": CLIENT_SECRET },
    }))
    .await?;
    let mut profile = site.profile_manifest(name, site.ports());
    let client = profile["spec"]["oauthClient"]
        .as_object_mut()
        .context("no client")?;
    client.remove("credentialsSecretRef");
    client.insert("clientId".to_owned(), json!(id));
    client.insert(
        "clientSecretRef".to_owned(),
        json!({ "name": name, "key": "secret" }),
    );
    profile["spec"]["defaultForNewMailboxes"] = json!(name == "google");
    site.apply(&profile).await
}

fn reason(profile: &GmailServerProfile, condition: &str) -> String {
    let conditions = profile.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.into_iter().find(|c| c.type_ == condition);
    found
        .map(|c| format!("{}/{}", c.status, c.reason))
        .unwrap_or_default()
}

#[tokio::test]
async fn a_sign_in_proves_the_redirect_uri_of_its_own_client() -> Result<()> {
    let mut site = Site::new("proved").await?;
    site.start().await?;
    let other = format!("9{}", site.client_id);
    let uri = format!("{}/oauth2/callback", site.public_url);
    site.lab
        .google
        .put_client(&other, CLIENT_SECRET, &[&uri])
        .await?;
    by_id(&site, "google", &site.client_id).await?;
    by_id(&site, "other", &other).await?;
    for name in ["google", "other"] {
        site.until_profile(name, "RedirectRegistered", "NotVerifiable")
            .await?;
    }
    site.mailbox("ann", "proved-ann@example.com", |_| ())
        .await?;
    site.connect("ann", "proved-ann@example.com").await?;
    site.until_profile("google", "RedirectRegistered", "SignedIn")
        .await?;
    let grant = site.grant("ann").await?;
    let kept = grant.data.and_then(|mut data| data.remove("redirect-uri"));
    ensure!(kept.is_some_and(|kept| kept.0 == uri.as_bytes()));

    // What was proved stays so when the mailbox that proved it goes; a profile with another client
    // has been looked at since, and nothing is proved for that.
    site.kubectl(&["delete", "mailbox", "ann"]).await?;
    let gone = "the grant to go and the profiles to be counted again";
    until(gone, PATIENCE, async || {
        let profile = site.profiles().get("google").await?;
        let counts = profile.status.and_then(|status| status.mailboxes);
        let grants = site.own_secrets().list(&Default::default()).await?;
        let left = grants
            .items
            .iter()
            .filter(|secret| secret.type_.as_deref() == Some("gmail-operator.dev/grant"));
        Ok(left.count() == 0 && counts.is_some_and(|counts| counts.assigned == 0))
    })
    .await?;
    for (name, says) in [
        ("google", "True/SignedIn"),
        ("other", "Unknown/NotVerifiable"),
    ] {
        let profile = site.profiles().get(name).await?;
        assert_eq!(reason(&profile, "RedirectRegistered"), says, "{name}");
    }

    // Under another public URL nothing is proved.
    site.stop()?;
    site.public_url.push_str("/gmail");
    site.start().await?;
    let profile = site
        .until_profile("google", "RedirectRegistered", "NotVerifiable")
        .await?;
    ensure!(reason(&profile, "Ready") == "True/ProfileReady");
    Ok(())
}

#[tokio::test]
async fn a_secret_that_goes_signs_nobody_out() -> Result<()> {
    let mut site = Site::new("secret-goes").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("ann", "goes-ann@example.com", |_| ()).await?;
    let before = site.connect("ann", "goes-ann@example.com").await?;
    let signed_in_at = |mailbox: gmail_operator::api::Mailbox| {
        let status = mailbox.status.unwrap_or_default();
        status.sign_in.and_then(|sign_in| sign_in.signed_in_at)
    };
    let grant = site.grant("ann").await?;
    site.kubectl(&["delete", "secret", "google-oauth-client"])
        .await?;
    site.until_profile("google", "CredentialsAccepted", "ClientSecretMissing")
        .await?;
    let without = site.until_reason("ann", "Ready", "ProfileNotReady").await?;
    assert_eq!(condition_of(&without, "SignedIn").0, "True");
    site.client_secret(CLIENT_SECRET).await?;
    let after = site.until_reason("ann", "Ready", "Enabled").await?;
    assert_eq!(signed_in_at(after), signed_in_at(before));
    let token = |secret: k8s_openapi::api::core::v1::Secret| {
        secret
            .data
            .and_then(|mut data| data.remove("refresh-token"))
    };
    assert!(token(site.grant("ann").await?) == token(grant));
    Ok(())
}

/// A check that cannot be made changes nothing that was known: here the secret changes while Google
/// is down.
#[tokio::test]
async fn what_was_known_of_a_client_stands_while_google_is_down() -> Result<()> {
    let mut site = Site::new("known").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    let google = &site.lab.google;
    google
        .set_fault(&site.client_id, 503, json!("down"))
        .await?;
    site.client_secret("GOCSPX-of-the-year-after").await?;
    let tries = async || {
        let requests = google.requests().await?;
        let ours = requests
            .iter()
            .filter(|request| request.client_id.as_deref() == Some(&site.client_id));
        Ok::<_, anyhow::Error>(ours.filter(|request| request.status == 503).count())
    };
    // By the second try the first one has been reported.
    until("two tries", PATIENCE, async || Ok(tries().await? >= 2)).await?;
    let profile = site.profiles().get("google").await?;
    assert_eq!(reason(&profile, "Ready"), "True/ProfileReady");
    google.clear_fault(&site.client_id).await?;
    site.until_profile("google", "Ready", "ClientSecretRejected")
        .await?;
    Ok(())
}
