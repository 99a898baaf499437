//! `deploy/samples/workload`: a Pod that moves mail itself, with the access-token Secret as a volume.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::admin::APP_NAMESPACE;
use super::release::{Release, TOKEN_LIFE, rendered};
use crate::lab::apply::apply;
use crate::lab::operator::PATIENCE;
use crate::lab::until;

/// The Mailbox of the sample.
pub const MAILBOX: &str = "router";
const ADDRESS: &str = "router@example.com";
const DEPLOYMENT: &str = "deployment/mail-router";

/// The sample as it is, but for the lab's authority: its owner signs in, its Pod starts and counts the receipt.
pub async fn reads_mail(release: &Release) -> Result<()> {
    let authority = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "authority", "namespace": APP_NAMESPACE },
        "data": { "ca.pem": release.lab.tls.ca_pem },
    });
    apply(&release.client, &authority).await?;
    for mut object in rendered(&release.lab, "samples/workload").await? {
        if object["kind"] == "Deployment" {
            trust_the_lab(&mut object)?;
        }
        apply(&release.client, &object).await?;
    }
    release.connect(MAILBOX).await?;
    let available =
        format!("rollout status {DEPLOYMENT} --namespace {APP_NAMESPACE} --timeout=60s");
    release.kubectl(&available).await?;
    until_it_counts(release, 1).await
}

fn trust_the_lab(deployment: &mut Value) -> Result<()> {
    let pod = &mut deployment["spec"]["template"]["spec"];
    let add = |list: &mut Value, item| {
        list.as_array_mut()
            .map(|list| list.push(item))
            .context("no list")
    };
    add(
        &mut pod["volumes"],
        json!({ "name": "authority", "configMap": { "name": "authority" } }),
    )?;
    let container = &mut pod["containers"][0];
    add(
        &mut container["volumeMounts"],
        json!({ "name": "authority", "mountPath": "/authority" }),
    )?;
    add(
        &mut container["env"],
        json!({ "name": "SSL_CERT_FILE", "value": "/authority/ca.pem" }),
    )
}

/// The next token comes into the running Pod before the one that it had has ended, and is good.
pub async fn reads_on(release: &Release) -> Result<()> {
    let first = token(release).await?;
    until("the next token in the volume", 2 * TOKEN_LIFE, async || {
        Ok(token(release).await? != first)
    })
    .await?;
    release
        .lab
        .mail
        .deliver(ADDRESS, "Subject: Hello\n\nAfter the renewal.")
        .await?;
    until_it_counts(release, 2).await
}

async fn token(release: &Release) -> Result<String> {
    let read = "print(open('/bindings/gmail/access-token').read())";
    in_pod(release, &["python3", "-c", read]).await
}

async fn in_pod(release: &Release, command: &[&str]) -> Result<String> {
    let exec = ["exec", DEPLOYMENT, "--namespace", APP_NAMESPACE, "--"];
    let all = exec.iter().chain(command);
    release.lab.control_plane.kubectl(all).await
}

async fn until_it_counts(release: &Release, messages: usize) -> Result<()> {
    let mut told = String::new();
    let counted = until("the Pod to see the mail", PATIENCE, async || {
        told = in_pod(release, &["python3", "/app/mail.py", "count"]).await?;
        Ok(told.trim() == format!("{messages} messages"))
    });
    counted.await.with_context(|| told.clone())
}
