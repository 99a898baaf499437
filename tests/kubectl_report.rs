//! `kubectl gmail report`: all that helps is in it, and nothing that must not be passed on.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};

use crate::kubectl_gmail::{Ran, gmail, gmail_as};
use crate::kubectl_mailbox::pod;
use crate::lab::operator::{CLIENT_SECRET, Site, condition_of};

const ANN: &str = "report-ann@example.com";
const BOB: &str = "report-bob@example.com";

/// An installation with a Mailbox that works, one whose sign-in was taken back, and a Pod.
async fn site(name: &str) -> Result<Site> {
    let mut site = Site::new(name).await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    site.mailbox("good", ANN, |mailbox| {
        mailbox["spec"]["accessTokenSecret"] = json!({ "name": "good-gmail" })
    })
    .await?;
    site.mailbox("ended", BOB, |_| ()).await?;
    site.connect("good", ANN).await?;
    site.connect("ended", BOB).await?;
    site.lab.google.revoke(BOB).await?;
    let test = "gmail-operator.dev/test-requested-at=1";
    site.kubectl(&["annotate", "mailbox", "ended", test])
        .await?;
    site.until_mailbox("ended", "the end of its sign-in", |mailbox| {
        condition_of(mailbox, "SignedIn").0 == "False"
    })
    .await?;
    Ok(site)
}

/// What careless people and programs leave behind, where a report finds it.
async fn carelessness(site: &Site, secret: &str) -> Result<()> {
    let note = format!("example.com/note={secret}");
    site.kubectl(&["annotate", "mailbox", "good", &note])
        .await?;
    let about = json!({
        "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
        "name": "good", "namespace": site.tenant,
    });
    site.apply(&json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": { "name": "careless", "namespace": site.tenant },
        "involvedObject": about, "type": "Warning", "reason": "Careless",
        "message": format!("{ANN} was refused with Bearer {secret} of {CLIENT_SECRET}"),
    }))
    .await?;
    let labels = json!({ "app.kubernetes.io/name": "gmail-operator" });
    site.apply(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "gmail-operator", "namespace": site.namespace, "labels": labels },
        "spec": { "selector": { "matchLabels": labels }, "template": {
            "metadata": { "labels": labels },
            "spec": { "containers": [{
                "name": "gmail-operator", "image": "gmail-operator:0.1.0",
                "args": ["run", "--public-url=https://gmail.example.com"],
                "env": [{ "name": "DSN", "value": secret }],
            }] },
        } },
    }))
    .await
}

/// Nothing of it may be passed on.
async fn expect_clean(site: &Site, report: &str, token: &str) -> Result<()> {
    let mut secrets = site.lab.google.issued().await?;
    assert!(secrets.len() > 3, "{} secrets", secrets.len());
    assert!(secrets.iter().any(|secret| secret == token));
    secrets.push(CLIENT_SECRET.to_owned());
    for mailbox in ["good", "ended"] {
        let mailbox = site.mailboxes().get(mailbox).await?;
        secrets.push(mailbox.metadata.uid.context("no uid")?);
    }
    let people = [
        "report-ann",
        "report-bob",
        "it@example.com",
        "Customer mail",
    ];
    secrets.extend(people.map(str::to_owned));
    for secret in secrets {
        let start: String = secret.chars().take(6).collect();
        assert!(!report.contains(&secret), "{start}… is in it");
    }
    Ok(())
}

/// Each document as a reader of YAML sees it.
fn documents(report: &str) -> Result<Vec<Value>> {
    Ok(serde_saphyr::from_multiple(report)?)
}

fn object<'a>(documents: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let mut found = documents
        .iter()
        .filter(|document| document["kind"] == kind && document["metadata"]["name"] == name);
    found.next().unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// Objects, people, reasons.
fn expect_objects(site: &Site, all: &[Value]) -> Result<()> {
    assert!(all[0]["cluster"]["gitVersion"].is_string(), "{}", all[0]);
    let crd = object(
        all,
        "CustomResourceDefinition",
        "mailboxes.gmail-operator.dev",
    );
    assert_eq!(crd["status"]["storedVersions"], json!(["v1alpha1"]));
    let profile = object(all, "GmailServerProfile", "google");
    assert_eq!(profile["status"]["oauthClient"]["clientId"], site.client_id);
    let good = object(all, "Mailbox", "good");
    let ended = object(all, "Mailbox", "ended");
    // The same person is the same in spec and status, and another is another.
    let ann = &good["spec"]["emailAddress"];
    assert_eq!(&good["status"]["signIn"]["account"], ann);
    assert!(
        ann.as_str()
            .is_some_and(|ann| ann.ends_with("@example.com"))
    );
    assert_ne!(&ended["spec"]["emailAddress"], ann);
    let careless = object(all, "Event", "careless");
    let message = careless["message"].as_str().context("no message")?;
    let words = format!(
        "{} was refused with Bearer (cut) of (cut)",
        ann.as_str().unwrap()
    );
    assert_eq!(message, words);
    let reasons: Vec<_> = all.iter().map(|event| &event["reason"]).collect();
    assert!(
        reasons.contains(&&json!("Enabled")) && reasons.contains(&&json!("SignInRequired")),
        "{reasons:?}"
    );
    Ok(())
}

/// All that somebody who helps asks for.
fn expect_helpful(site: &Site, report: &str) -> Result<()> {
    let all = documents(report)?;
    expect_objects(site, &all)?;
    let deployment = object(&all, "Deployment", "gmail-operator");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        container["args"][1],
        "--public-url=https://gmail.example.com"
    );
    let title = format!("# Lease {}/gmail-operator\n", site.namespace);
    assert!(report.contains(&title), "{report}");
    object(&all, "Pod", "gmail-operator-0");
    for secret in [
        "google-oauth-client",
        "good-gmail",
        "gmail-operator-web-key",
    ] {
        assert!(report.contains(&format!("name: {secret}")), "{secret}");
    }
    let log = all.iter().find_map(|document| document["log"].as_str());
    let log = log.context("no log")?;
    assert!(log.contains("the sign-in page is served"), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_report_has_what_helps_and_nothing_that_must_not_be_passed_on() -> Result<()> {
    let site = site("plugin-report").await?;
    let _kubelet = pod(&site).await?;
    let secrets: Api<Secret> = Api::namespaced(site.client.clone(), &site.tenant);
    let given = secrets.get("good-gmail").await?.data.unwrap_or_default();
    let token = given.get("access-token").context("no token")?;
    let token = String::from_utf8(token.0.clone())?;
    carelessness(&site, &token).await?;
    let file = site.lab.dir().join(&site.namespace).join("report.yaml");
    let name = file.display().to_string();
    let operator = site.namespace.clone();
    let args = ["report", "--operator-namespace", &operator, "-o", &name];
    gmail(&site, &args).await?.expect(0, &["Report ", &name]);
    assert_eq!(
        std::fs::metadata(&file)?.permissions().mode() & 0o777,
        0o600
    );
    let report = std::fs::read_to_string(&file)?;
    expect_clean(&site, &report, &token).await?;
    assert!(report.starts_with("# Report of gmail-operator"), "{report}");
    assert!(!report.contains("could not be read:"), "{report}");

    expect_helpful(&site, &report)?;

    gmail(&site, &args)
        .await?
        .expect(1, &["is there already", "--force"]);
    assert_eq!(std::fs::read_to_string(&file)?, report);
    let args = [&args[..], &["--force", "--with-addresses"]].concat();
    gmail(&site, &args).await?.expect(0, &[]);
    let report = std::fs::read_to_string(&file)?;
    assert!(report.contains(ANN) && !report.contains(CLIENT_SECRET));
    Ok(())
}

/// Somebody who may do what `rules` say in the namespace of the Mailboxes.
async fn somebody(site: &Site, name: &str, rules: Value) -> Result<PathBuf> {
    let metadata = json!({ "name": name, "namespace": site.tenant });
    let rbac = "rbac.authorization.k8s.io/v1";
    let items = json!([
        { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata },
        { "apiVersion": rbac, "kind": "Role", "metadata": metadata, "rules": rules },
        { "apiVersion": rbac, "kind": "RoleBinding", "metadata": metadata,
          "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
          "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": site.tenant }] },
    ]);
    site.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": items }))
        .await?;
    let control_plane = &site.lab.control_plane;
    control_plane.kubeconfig_for(&site.tenant, name).await
}

async fn report_of(site: &Site, kubeconfig: &Path, place: &[&str]) -> Result<Ran> {
    let args = ["report", "--operator-namespace", &site.namespace, "-o", "-"];
    gmail_as(kubeconfig, &[&args[..], place].concat()).await
}

#[tokio::test]
async fn what_one_may_not_read_is_named_and_the_rest_is_written() -> Result<()> {
    let site = Site::new("plugin-report-rights").await?;
    site.mailbox("support", ANN, |_| ()).await?;
    let reads = json!([{ "apiGroups": ["gmail-operator.dev"], "resources": ["mailboxes"], "verbs": ["list"] }]);
    let lee = somebody(&site, "lee", reads).await?;
    let here = ["-n", &site.tenant];
    let said = report_of(&site, &lee, &here).await?;
    said.expect(0, &["warning: not all could be read"]);
    object(&documents(&said.out)?, "Mailbox", "support");
    // The lines of comments are broken where they are full.
    let flat = said.out.replace("\n#   ", " ");
    for (place, right) in [
        (&site.tenant, "cannot list resource \"gmailserverprofiles\""),
        (&site.tenant, "cannot list resource \"events\""),
        (&site.namespace, "cannot list resource \"pods\""),
        (&site.namespace, "cannot list resource \"secrets\""),
    ] {
        let missing = |line: &str| line.contains(right) && line.contains(place.as_str());
        assert!(flat.lines().any(missing), "{right} in {place}:\n{flat}");
        assert!(said.err.lines().any(missing), "{right}:\n{}", said.err);
    }

    // What is everywhere, nothing of which is Lee's, is nothing.
    let said = report_of(&site, &lee, &["-A"]).await?;
    said.expect(
        1,
        &["listing the Mailboxes of all namespaces: you lack a permission"],
    );

    let nobody = somebody(&site, "nobody", json!([])).await?;
    let said = report_of(&site, &nobody, &here).await?;
    said.expect(1, &["error: nothing could be read", "cannot list resource"]);
    assert_eq!(said.out, "");

    let nowhere = site.lab.dir().join(format!("{}.nowhere", site.namespace));
    let here_only = std::fs::read_to_string(&lee)?;
    let url = site.lab.control_plane.url();
    std::fs::write(&nowhere, here_only.replace(url, "https://127.0.0.1:1"))?;
    let said = report_of(&site, &nowhere, &here).await?;
    said.expect(1, &["the API server cannot be reached"]);
    Ok(())
}
