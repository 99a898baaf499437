//! From an earlier chart to this one, back again, away, and here once more. What people made stays as it is.
//!
//! There is no release before this one, so the earlier chart is that of the commit 46a1dc7, as `helm package` packs it: its
//! kinds lack fields that they have now. With the first release its archive takes this one's place.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gmail_operator::api::Mailbox;
use kube::Api;
use serde_json::{Value, json};

use crate::check::check;
use crate::lab::apply::apply;
use crate::lab::control_plane::ControlPlane;
use crate::lab::keeper::Kept;
use crate::lab::operator::{PATIENCE, condition_of, operator_binary, readiness_at};
use crate::lab::ports::free_port;
use crate::lab::watch::until_object;
use crate::lab::{Lab, until};
use crate::manifests::{CHART, path, text};

const EARLIER: &str = "tests/upgrade/gmail-operator-46a1dc7.tgz";
const NAMESPACE: &str = "gmail-operator";
const URL: &str = "publicUrl=https://gmail.example.com";
const TOGETHER: &str = "replicas=1";

#[tokio::test]
async fn an_upgrade_a_rollback_and_an_uninstall_keep_what_people_made() -> Result<()> {
    let lab = Lab::shared().await;
    // An API server of its own: the kinds are everybody's.
    let plane = ControlPlane::spawn(&lab.dir().join("upgrade"), &lab.tls)?;
    plane.ready().await?;
    let release = Release { plane: &plane };
    let early = Early::start(&plane, lab).await?;
    let missing = check(&plane.admin_kubeconfig(), &[]).err();
    let missing = missing.context("without its kinds an installation is well")?;
    ensure!(missing.contains("install the custom resource"), "{missing}");
    early.are_not_ready().await?;

    release.put("install", EARLIER, TOGETHER).await?;
    release.people_make_objects().await?;
    early.get_ready().await?;
    let made = release.objects().await?;
    ensure!(release.keeps_the_newest_fields().await.is_err());
    ensure!(release.deployments().await? == ["gmail-operator"]);

    release.put("upgrade", CHART, TOGETHER).await?;
    ensure!(release.objects().await? == made);
    ensure!(release.deployments().await? == ["gmail-operator"]);
    check(&plane.admin_kubeconfig(), &[]).map_err(anyhow::Error::msg)?;
    until("the newest fields", PATIENCE, async || {
        Ok(release.keeps_the_newest_fields().await.is_ok())
    })
    .await?;
    let upgraded = release.objects().await?;

    release.put("upgrade", CHART, "web.separate=true").await?;
    ensure!(release.objects().await? == upgraded);
    let parts = ["gmail-operator-controller", "gmail-operator-web"];
    ensure!(release.deployments().await? == parts);

    release.helm(&["rollback", "1"]).await?;
    ensure!(release.deployments().await? == ["gmail-operator"]);
    // What the earlier kinds do not know is not shown, and the rest is as it was.
    release.until_they_are(&made).await?;

    release.helm(&["uninstall"]).await?;
    ensure!(release.deployments().await?.is_empty());
    ensure!(release.objects().await? == made);

    release.put("install", CHART, TOGETHER).await?;
    release.until_they_are(&upgraded).await?;
    release.looks_after_every_namespace(lab).await
}

/// Two replicas that are there before the kinds: one leads and has nothing to read, the other waits.
struct Early {
    replicas: Vec<(Kept, PathBuf, u16)>,
}

impl Early {
    async fn start(plane: &ControlPlane, lab: &Lab) -> Result<Self> {
        plane.kubectl(["create", "namespace", NAMESPACE]).await?;
        let mut replicas = Vec::new();
        for name in ["one", "other"] {
            let port = free_port()?;
            let mut command = Command::new(operator_binary()?);
            command
                .env("KUBECONFIG", plane.admin_kubeconfig())
                .args(["run", "--components=controller", "--identity", name])
                .args(["--namespace", NAMESPACE])
                .arg(format!("--telemetry-listen=127.0.0.1:{port}"));
            let log = lab.dir().join(format!("upgrade/early-{name}.log"));
            replicas.push((Kept::start(&command, &log)?, log, port));
        }
        Ok(Self { replicas })
    }

    async fn are_not_ready(&self) -> Result<()> {
        for (_, log, port) in &self.replicas {
            until("a replica to miss the kinds", PATIENCE, async || {
                Ok(fs::read_to_string(log)?.contains("it looks again"))
            })
            .await?;
            ensure!(readiness_at(*port).await? == Some(503));
        }
        Ok(())
    }

    async fn get_ready(self) -> Result<()> {
        for (_, _, port) in &self.replicas {
            until("a replica to be ready", PATIENCE, async || {
                Ok(readiness_at(*port).await? == Some(200))
            })
            .await?;
        }
        Ok(())
    }
}

struct Release<'a> {
    plane: &'a ControlPlane,
}

impl Release<'_> {
    /// A verb of helm's, and what follows the release's name.
    async fn helm(&self, words: &[&str]) -> Result<()> {
        let (verb, rest) = words.split_first().context("no verb")?;
        let mut args = vec![*verb, "gmail-operator", "--namespace", NAMESPACE];
        args.extend(rest);
        self.plane.helm(args).await.map(drop)
    }

    /// Installs a chart, or upgrades to it.
    async fn put(&self, verb: &str, chart: &str, values: &str) -> Result<()> {
        let chart = path(chart);
        let put = [
            verb,
            &chart,
            "--create-namespace",
            "--set",
            URL,
            "--set",
            values,
        ];
        self.helm(&put).await?;
        self.established().await
    }

    async fn established(&self) -> Result<()> {
        let wait = [
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "crd/mailboxes.gmail-operator.dev",
            "crd/gmailserverprofiles.gmail-operator.dev",
        ];
        self.plane.kubectl(wait).await.map(drop)
    }

    /// A profile, a Mailbox and a grant, with a status as the operator writes it.
    async fn people_make_objects(&self) -> Result<()> {
        let admin = self.plane.admin().await?;
        let kind = |kind: &str, name: &str, spec: Value| {
            json!({
                "apiVersion": "gmail-operator.dev/v1alpha1", "kind": kind,
                "metadata": { "name": name, "namespace": "mail" }, "spec": spec,
            })
        };
        for object in [
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "mail" } }),
            kind(
                "GmailServerProfile",
                "google",
                json!({
                    "defaultForNewMailboxes": true, "maxMailboxes": 5, "contact": "it@example.com",
                    "oauthClient": { "credentialsSecretRef": { "name": "google", "key": "client_secret.json" } },
                    "processing": { "minPollingInterval": "10m" },
                }),
            ),
            kind(
                "Mailbox",
                "support",
                json!({
                    "emailAddress": "support@example.com", "purpose": "Customer mail",
                    "incoming": { "method": "External" }, "outgoing": { "method": "None" },
                    "accessTokenSecret": { "name": "token" }, "deletionPolicy": "Retain",
                }),
            ),
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "gmail-operator.dev/grant",
                "metadata": { "name": "grant-1", "namespace": NAMESPACE }, "stringData": { "refresh-token": "1//token" },
            }),
        ] {
            apply(&admin, &object).await?;
        }
        let mailbox = json!({ "observedGeneration": 1, "profileName": "mail/google", "signIn": {
            "account": "support@example.com", "signedInAt": "2026-11-26T10:00:00Z",
        }});
        self.status("mailbox/support", &mailbox).await?;
        let counts =
            json!({ "assigned": 1, "signedIn": 1, "ready": 1, "capacity": 5, "summary": "1/5" });
        self.status(
            "gsp/google",
            &json!({ "observedGeneration": 1, "mailboxes": counts }),
        )
        .await
    }

    async fn status(&self, object: &str, status: &Value) -> Result<()> {
        let status = json!({ "status": status }).to_string();
        let patch = [
            "patch",
            object,
            "--namespace=mail",
            "--subresource=status",
            "--type=merge",
            "--patch",
            &status,
        ];
        self.plane.kubectl(patch).await.map(drop)
    }

    /// A part of the status that the earlier kinds do not have.
    async fn keeps_the_newest_fields(&self) -> Result<()> {
        let test = json!({
            "request": "now", "startedAt": "2026-11-26T10:00:00Z", "mailboxes": 1, "tested": 1, "failing": 0,
        });
        self.status("gsp/google", &json!({ "test": test })).await?;
        let get = ["get", "gsp/google", "--namespace=mail", "--output=json"];
        let stored: Value = serde_json::from_str(&self.plane.kubectl(get).await?)?;
        ensure!(stored["status"]["test"] == test, "{stored:#}");
        Ok(())
    }

    /// What people made, without what the API server notes of each write.
    async fn objects(&self) -> Result<Vec<Value>> {
        let mut objects = Vec::new();
        for (kinds, namespace) in [
            ("gmailserverprofiles,mailboxes", "--namespace=mail"),
            ("secrets", "--namespace=gmail-operator"),
        ] {
            let get = ["get", kinds, namespace, "--output=json"];
            let list: Value = serde_json::from_str(&self.plane.kubectl(get).await?)?;
            for item in list["items"].as_array().into_iter().flatten() {
                // Helm keeps its own Secrets there.
                if text(&item["type"]) != "helm.sh/release.v1" {
                    objects.push(json!({
                        "name": item["metadata"]["name"], "uid": item["metadata"]["uid"],
                        "spec": item["spec"], "status": item["status"], "data": item["data"],
                    }));
                }
            }
        }
        ensure!(objects.len() == 3, "{objects:#?}");
        Ok(objects)
    }

    /// What the chart installs, as its Deployment starts it: those namespaces too that come later.
    async fn looks_after_every_namespace(&self, lab: &Lab) -> Result<()> {
        let account = self.plane.kubeconfig_for(NAMESPACE, NAMESPACE).await?;
        let mut command = Command::new(operator_binary()?);
        command
            .env("KUBECONFIG", account)
            .args(["run", "--public-url=http://localhost"]);
        for flag in ["listen", "telemetry-listen"] {
            command.arg(format!("--{flag}=127.0.0.1:{}", free_port()?));
        }
        let operator = Kept::start(&command, &lab.dir().join("upgrade/operator.log"))?;
        let admin = self.plane.admin().await?;
        let ready = async |namespace: &str, name: &str, reason: &str| {
            let mailboxes = Api::<Mailbox>::namespaced(admin.clone(), namespace);
            let is = |mailbox: &Mailbox| condition_of(mailbox, "Ready").1 == reason;
            until_object(mailboxes, name, reason, PATIENCE, is)
                .await
                .map(drop)
        };
        ready("mail", "support", "ProfileNotReady").await?;
        let later =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "later" } });
        let mailbox = json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
            "metadata": { "name": "box", "namespace": "later" }, "spec": { "emailAddress": "box@example.com" },
        });
        for object in [later, mailbox] {
            apply(&admin, &object).await?;
        }
        ready("later", "box", "NoDefaultProfile").await?;
        operator.kill().map(drop)
    }

    /// The API server takes a moment to show objects as their new kinds have them.
    async fn until_they_are(&self, wanted: &[Value]) -> Result<()> {
        let what = format!("the objects to be {wanted:#?}");
        until(
            &what,
            PATIENCE,
            async || Ok(self.objects().await? == wanted),
        )
        .await
    }

    async fn deployments(&self) -> Result<Vec<String>> {
        let get = [
            "get",
            "deployments",
            "--namespace=gmail-operator",
            "--output=jsonpath={.items[*].metadata.name}",
        ];
        let names = self.plane.kubectl(get).await?;
        Ok(names.split_whitespace().map(str::to_owned).collect())
    }
}
