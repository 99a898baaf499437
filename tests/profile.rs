//! What an admin sees of a profile, before and after the first user.

use anyhow::Result;
use serde_json::json;

use crate::lab::operator::{CLIENT_SECRET, Site, condition_of};

#[tokio::test]
async fn what_to_paste_is_there_before_the_secret() -> Result<()> {
    let mut site = Site::new("paste").await?;
    site.start().await?;
    site.profile_only(site.ports(), |_| ()).await?;
    let profile = site
        .until_profile("google", "CredentialsAccepted", "ClientSecretMissing")
        .await?;
    let client = profile
        .status
        .and_then(|status| status.oauth_client)
        .unwrap();
    assert_eq!(
        client.redirect_uris,
        [format!("{}/oauth2/callback", site.public_url)]
    );
    assert_eq!(
        client.java_script_origin.as_deref(),
        Some(site.public_url.as_str())
    );
    site.client_secret(CLIENT_SECRET).await?;
    let profile = site
        .until_profile("google", "Ready", "ProfileReady")
        .await?;
    let status = profile.status.unwrap();
    assert!(
        status
            .conditions
            .iter()
            .any(|c| c.type_ == "RedirectRegistered"
                && c.status == "True"
                && c.reason == "InDownloadedFile")
    );
    assert_eq!(status.conditions.len(), 6);
    let client = status.oauth_client.unwrap();
    assert_eq!(client.client_id.as_ref(), Some(&site.client_id));
    assert_eq!(
        client.project_number.as_deref(),
        site.client_id.split('-').next()
    );
    Ok(())
}

#[tokio::test]
async fn a_wrong_secret_and_a_deleted_client_are_told_apart_and_mended() -> Result<()> {
    let mut site = Site::new("credentials").await?;
    site.start().await?;
    site.client_secret("GOCSPX-wrong-client-secret").await?;
    site.profile_only(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ClientSecretRejected")
        .await?;
    site.mailbox("ann", "ann@example.com", |_| ()).await?;
    let mailbox = site.until_reason("ann", "Ready", "ProfileNotReady").await?;
    assert_eq!(condition_of(&mailbox, "Accepted").0, "True");
    site.client_secret(CLIENT_SECRET).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    site.until_reason("ann", "Ready", "SignInRequired").await?;
    site.lab.google.delete_client(&site.client_id).await?;
    site.client_secret("GOCSPX-changed-client-secret").await?;
    site.until_profile("google", "Ready", "ClientDeleted")
        .await?;
    Ok(())
}

#[tokio::test]
async fn id_and_secret_alone_are_read_too() -> Result<()> {
    let mut site = Site::new("id-and-secret").await?;
    site.start().await?;
    site.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "plain", "namespace": site.tenant },
        "stringData": { "secret": CLIENT_SECRET, "spoilt": format!("{CLIENT_SECRET}\n") },
    }))
    .await?;
    let named = |key: &str| {
        let (id, key) = (site.client_id.clone(), key.to_owned());
        move |profile: &mut serde_json::Value| {
            let client = &mut profile["spec"]["oauthClient"];
            client
                .as_object_mut()
                .unwrap()
                .remove("credentialsSecretRef");
            client["clientId"] = id.into();
            client["clientSecretRef"] = json!({ "name": "plain", "key": key });
        }
    };
    site.profile_only(site.ports(), named("spoilt")).await?;
    let profile = site
        .until_profile("google", "CredentialsAccepted", "ClientSecretInvalid")
        .await?;
    assert!(serde_json::to_string(&profile.status)?.contains("white space"));
    site.profile_only(site.ports(), named("secret")).await?;
    let profile = site
        .until_profile("google", "Ready", "ProfileReady")
        .await?;
    assert!(
        profile
            .status
            .unwrap()
            .conditions
            .iter()
            .any(|c| c.reason == "NotVerifiable" && c.status == "Unknown")
    );
    site.profile_only(site.ports(), |profile| {
        named("secret")(profile);
        profile["spec"]["oauthClient"]["clientId"] = "1-nobody-has-this-one".into();
    })
    .await?;
    site.until_profile("google", "Ready", "ClientIdNotFound")
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_allowed_is_named() -> Result<()> {
    let mut site = Site::new("egress").await?;
    site.start().await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["servers"]["imap"] = json!({ "host": "imap.evil.example", "port": 993 })
    })
    .await?;
    let profile = site
        .until_profile("google", "Accepted", "EndpointNotAllowed")
        .await?;
    let said = serde_json::to_string(&profile.status)?;
    assert!(
        said.contains("imap.evil.example:993") && said.contains("--allow-endpoint"),
        "{said}"
    );
    Ok(())
}

/// A tenant's profile that offers itself to all serves nobody else until the cluster admin labels
/// its Namespace; and what is not offered looks as if it were not there.
#[tokio::test]
async fn sharing_needs_the_label_on_the_namespace() -> Result<()> {
    let mut site = Site::new("sharing").await?;
    let other = format!("{}-other", site.tenant);
    site.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": other } }))
        .await?;
    site.watch(&other);
    site.start().await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["allowedNamespaces"] = json!({ "from": "All" })
    })
    .await?;
    site.until_profile("google", "Accepted", "SharingNotPermitted")
        .await?;
    site.mailbox("own", "own@example.com", |_| ()).await?;
    site.until_reason("own", "Ready", "SignInRequired").await?;
    let tenant = site.tenant.clone();
    site.tenant = other;
    for (name, wanted) in [("named", tenant.as_str()), ("missing", "nowhere")] {
        site.mailbox(name, &format!("{name}@example.com"), |mailbox| {
            mailbox["spec"]["profileRef"] = json!({ "name": "google", "namespace": wanted })
        })
        .await?;
        site.until_reason(name, "Ready", "ProfileNotAvailable")
            .await?;
    }
    site.mailbox("default", "default@example.com", |_| ())
        .await?;
    site.until_reason("default", "Ready", "NoDefaultProfile")
        .await?;
    site.kubectl(&[
        "label",
        "namespace",
        &tenant,
        "gmail-operator.dev/shares-profiles=true",
    ])
    .await?;
    site.until_reason("named", "Ready", "SignInRequired")
        .await?;
    site.until_reason("default", "Ready", "SignInRequired")
        .await?;
    site.until_reason("missing", "Ready", "ProfileNotAvailable")
        .await?;
    site.kubectl(&[
        "label",
        "namespace",
        &tenant,
        "gmail-operator.dev/shares-profiles-",
    ])
    .await?;
    site.until_reason("named", "Ready", "ProfileNotAvailable")
        .await?;
    Ok(())
}

#[tokio::test]
async fn mailboxes_are_counted() -> Result<()> {
    let mut site = Site::new("counts").await?;
    site.start().await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["maxMailboxes"] = json!(5)
    })
    .await?;
    for name in ["ann", "bob"] {
        site.mailbox(name, &format!("count-{name}@example.com"), |_| ())
            .await?;
    }
    site.connect("ann", "count-ann@example.com").await?;
    let counted = |profile: &gmail_operator::api::GmailServerProfile| {
        let counts = profile
            .status
            .as_ref()
            .and_then(|status| status.mailboxes.clone());
        counts.is_some_and(|counts| {
            (
                counts.assigned,
                counts.signed_in,
                counts.ready,
                counts.summary.as_str(),
            ) == (2, 1, 1, "1/5")
        })
    };
    crate::lab::until("the counts", crate::lab::operator::PATIENCE, async || {
        Ok(counted(&site.profiles().get("google").await?))
    })
    .await
}
