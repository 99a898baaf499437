//! With Roles in named namespaces and no rights in the cluster.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::rules::until_known;
use crate::lab::installed;
use crate::lab::operator::Site;

#[tokio::test]
async fn an_operator_without_rights_in_the_cluster_serves_its_named_namespaces() -> Result<()> {
    let mut site = Site::new("roles-only").await?;
    let (lab, own, elsewhere) = (
        site.lab,
        site.namespace.clone(),
        format!("{}-elsewhere", site.tenant),
    );
    let home =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": elsewhere } });
    site.apply(&home).await?;
    // One of the named namespaces is gone, and with it the rights there.
    let missing = format!("{}-gone", site.tenant);
    site.watch(&own);
    site.watch(&missing);
    let values = format!(
        "rbac.clusterWide=false,admissionPolicy.enabled=false,watchNamespaces={{{own},{}}}",
        site.tenant
    );
    let rights = installed::chart_rights(lab, &site.client, &own, &values).await?;
    ensure!(
        rights
            .iter()
            .all(|object| object["metadata"]["namespace"].is_string())
    );
    let account = format!("{own}-gmail-operator");
    until_known(&site.client, &own, &account, &rights).await?;
    site.act_as(&account, "--roles-only").await?;
    site.start().await?;

    // A profile serves its own namespace, and says why it serves no other.
    let shared = |profile: &mut Value| {
        profile["spec"]["allowedNamespaces"] = json!({ "from": "All" });
    };
    site.profile(site.ports(), shared).await?;
    site.until_profile("google", "Accepted", "SharingNotPermitted")
        .await?;
    let told = site
        .kubectl(&["get", "gsp", "google", "--output=yaml"])
        .await?;
    ensure!(
        told.contains(&format!("Move the profile to the namespace {own}")),
        "{told}"
    );
    site.profile(site.ports(), |_| ()).await?;
    let email = "box.roles-only@example.com";
    site.mailbox("box", email, |mailbox| {
        mailbox["spec"]["accessTokenSecret"] = json!({ "name": "token" })
    })
    .await?;
    site.connect("box", email).await?;
    site.kubectl(&["get", "secret", "token"]).await?;

    // One in the operator's own namespace serves the others; what it selects them by is their name.
    shared_by_the_operators_namespace(&mut site).await?;

    // Elsewhere it is as if the operator were not there.
    let tenant = std::mem::replace(&mut site.tenant, elsewhere);
    site.mailbox("box", "elsewhere.roles-only@example.com", |_| ())
        .await?;
    site.tenant = tenant;
    site.mailbox("last", "last.roles-only@example.com", |_| ())
        .await?;
    site.until_reason("last", "Ready", "SignInRequired").await?;
    site.tenant.push_str("-elsewhere");
    ensure!(site.mailboxes().get("box").await?.status.is_none());

    let log = site.log()?;
    let refused = log.lines().filter(|line| line.contains("orbidden"));
    let strange: Vec<_> = refused.filter(|line| !line.contains(&missing)).collect();
    ensure!(strange.is_empty(), "{strange:#?}");
    Ok(())
}

async fn shared_by_the_operators_namespace(site: &mut Site) -> Result<()> {
    let tenant = std::mem::replace(&mut site.tenant, site.namespace.clone());
    let selects = json!({ "from": "Selector", "selector": { "matchLabels": {
        "kubernetes.io/metadata.name": tenant,
    }}});
    site.profile(site.ports(), |profile| {
        profile["spec"]["allowedNamespaces"] = selects;
        profile["spec"]["defaultForNewMailboxes"] = json!(false);
    })
    .await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    site.tenant = tenant;
    let email = "shared.roles-only@example.com";
    let own = site.namespace.clone();
    site.mailbox("shared", email, |mailbox| {
        mailbox["spec"]["profileRef"] = json!({ "name": "google", "namespace": own })
    })
    .await?;
    site.connect("shared", email).await.map(drop)
}
