//! The installation, and the people who use it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gmail_operator::api::{GmailServerProfile, Mailbox};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use super::admin;
use crate::lab::Lab;
use crate::lab::apply::apply;
use crate::lab::cluster::Node;
use crate::lab::google::TokenRequest;
use crate::lab::operator::{PATIENCE, condition_of, url_of};
use crate::lab::person::Person;
use crate::lab::watch::until_object;

/// Name and namespace of the release.
pub const NAME: &str = "gmail-operator";
/// The host of its sign-in page.
const HOST: &str = "gmail.example.com";
/// The mailboxes of `deploy/samples` whose owners sign in, and the one whose page stays open.
pub const SIGNED_IN: [&str; 2] = ["support", "sales"];
pub const LEFT: &str = "info";
/// The life of an access token: each is renewed when three quarters of it or more are over. What is left must do for
/// the kubelet, which brings it into a Pod in five seconds or so.
pub const TOKEN_LIFE: Duration = Duration::from_secs(30);
/// For helm's own waiting.
pub const HELM_WAITS: &str = "--timeout=120s";

/// A release on a node, which may not be installed yet.
pub struct Release {
    pub lab: Lab,
    pub client: Client,
    node: Node,
}

impl Release {
    pub async fn new(lab: Lab, node: Node) -> Result<Release> {
        let client = lab.control_plane.admin().await?;
        Ok(Release { lab, client, node })
    }

    /// Takes away what another story has left.
    pub async fn clear(&self) -> Result<()> {
        self.helm(&["uninstall", NAME, "--ignore-not-found", "--wait"])
            .await?;
        let (platform, app) = (admin::PLATFORM_NAMESPACE, admin::APP_NAMESPACE);
        let namespaces = format!("namespace {NAME} {platform} {app} --ignore-not-found");
        for left in [
            "crd mailboxes.gmail-operator.dev gmailserverprofiles.gmail-operator.dev --ignore-not-found",
            &format!("{namespaces} --wait=false"),
            // A workload would take half a minute to end.
            &format!("pods --all --namespace {app} --grace-period=0 --force"),
            &namespaces,
        ] {
            self.kubectl(&format!("delete {left}")).await?;
        }
        Ok(())
    }

    /// Namespaces, the certificate of the sign-in page, and the chart.
    pub async fn install(&self) -> Result<()> {
        self.kubectl(&format!("create namespace {NAME}")).await?;
        self.restrict(NAME).await?;
        let (certificate, key) = self.lab.tls.certificate(&[HOST])?;
        let tls = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": { "name": "gmail-operator-tls", "namespace": NAME },
            "stringData": { "tls.crt": certificate, "tls.key": key },
        });
        apply(&self.client, &tls).await?;
        self.helm_install().await?;
        ensure!(self.pods().await?.len() == 2);
        Ok(())
    }

    /// The chart alone.
    pub async fn helm_install(&self) -> Result<()> {
        self.helm(&[
            "install",
            NAME,
            &chart()?,
            "--values",
            &self.values()?,
            "--wait",
            HELM_WAITS,
        ])
        .await
    }

    /// kubectl with words that have no space in them.
    pub async fn kubectl(&self, words: &str) -> Result<String> {
        self.lab.control_plane.kubectl(words.split(' ')).await
    }

    /// helm in the namespace of the release.
    pub async fn helm(&self, args: &[&str]) -> Result<()> {
        let namespace = ["--namespace", NAME];
        let args = args.iter().chain(&namespace);
        self.lab.control_plane.helm(args).await.map(drop)
    }

    /// What a platform team writes for servers in a private network, as a file.
    pub fn values(&self) -> Result<String> {
        let values = json!({
            "replicas": 2,
            "publicUrl": public_url(),
            "tlsSecret": "gmail-operator-tls",
            "clusterName": "node",
            "allowEndpoints": self.lab.endpoints(),
            "allowCidrs": [format!("{}/32", self.lab.place.address)],
            "logLevel": "info,gmail_operator=debug",
        });
        let file = self.lab.dir().join("values.yaml");
        std::fs::write(&file, values.to_string())?;
        Ok(file.display().to_string())
    }

    /// The OAuth client, with tokens of a short life, and `deploy/samples`.
    pub async fn samples(&self) -> Result<()> {
        let file = admin::register_client(&self.lab, &public_url()).await?;
        let google = &self.lab.google;
        google
            .set_access_token_life(admin::CLIENT_ID, TOKEN_LIFE)
            .await?;
        admin::apply_samples(&self.lab, &file).await?;
        self.restrict(admin::APP_NAMESPACE).await?;
        let profiles: Api<GmailServerProfile> =
            Api::namespaced(self.client.clone(), admin::PLATFORM_NAMESPACE);
        until_object(
            profiles,
            admin::PROFILE,
            "a ready profile",
            PATIENCE,
            |profile| {
                let conditions = profile.status.iter().flat_map(|status| &status.conditions);
                conditions
                    .into_iter()
                    .any(|c| c.type_ == "Ready" && c.status == "True")
            },
        )
        .await
        .map(drop)
    }

    async fn restrict(&self, namespace: &str) -> Result<()> {
        let label = "pod-security.kubernetes.io/enforce=restricted";
        self.kubectl(&format!("label namespace {namespace} {label}"))
            .await
            .map(drop)
    }

    /// Those of the samples but one.
    pub async fn owners_sign_in(&self) -> Result<()> {
        for name in SIGNED_IN {
            self.connect(name).await?;
        }
        Ok(())
    }

    /// The owner of a Mailbox signs in, and it becomes Ready.
    pub async fn connect(&self, name: &str) -> Result<()> {
        let mailbox = until_object(
            self.mailboxes(),
            name,
            "an open page",
            PATIENCE,
            |mailbox| {
                url_of(mailbox).is_some() && condition_of(mailbox, "ProfileReady").0 == "True"
            },
        )
        .await?;
        let url = url_of(&mailbox).context("no sign-in page")?;
        ensure!(url.starts_with(&public_url()), "{url}");
        let owner = self.person(&mailbox.spec.email_address).await?;
        let page = owner.sign_in(&url).await?;
        ensure!(page.status == 200, "{} {}", page.status, page.words()?);
        self.until_ready(name).await
    }

    pub async fn until_ready(&self, name: &str) -> Result<()> {
        until_object(self.mailboxes(), name, "Ready", PATIENCE, |mailbox| {
            condition_of(mailbox, "Ready").0 == "True"
        })
        .await
        .map(drop)
    }

    /// Somebody whose browser finds the sign-in page at the address of its Service.
    pub async fn person(&self, email: &str) -> Result<Person> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), NAME);
        let service = services.get(NAME).await?;
        let address = service.spec.and_then(|spec| spec.cluster_ip);
        let address: IpAddr = address.context("no address")?.parse()?;
        Person::new(&self.lab, email)?.finding(&self.lab, HOST, address)
    }

    /// Each Mailbox, and its place.
    pub fn mailboxes(&self) -> Api<Mailbox> {
        Api::namespaced(self.client.clone(), admin::APP_NAMESPACE)
    }

    /// The operator's Pods that are not about to end.
    pub async fn pods(&self) -> Result<Vec<Pod>> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAME);
        let ours = ListParams::default().labels("app.kubernetes.io/name=gmail-operator");
        let mut pods = pods.list(&ours).await?.items;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        Ok(pods)
    }

    /// What the token endpoint was asked with a refresh token and granted, oldest first.
    pub async fn renewals(&self) -> Result<Vec<TokenRequest>> {
        self.token_requests("refresh_token").await
    }

    /// How often a code was exchanged.
    pub async fn sign_ins(&self) -> Result<usize> {
        Ok(self.token_requests("authorization_code").await?.len())
    }

    async fn token_requests(&self, grant_type: &str) -> Result<Vec<TokenRequest>> {
        let mut requests = self.lab.google.requests().await?;
        requests.retain(|r| r.client_id.as_deref() == Some(admin::CLIENT_ID));
        requests.retain(|r| r.status == 200 && r.grant_type.as_deref() == Some(grant_type));
        Ok(requests)
    }

    /// The chart's own tests.
    pub async fn helm_test(&self) -> Result<()> {
        self.announce_services().await?;
        self.helm(&["test", NAME, HELM_WAITS]).await
    }

    /// The node's DNS knows no Services by itself.
    pub async fn announce_services(&self) -> Result<()> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), NAME);
        for service in services.list(&ListParams::default()).await? {
            let name = format!("{}.{NAME}.svc.cluster.local", service.name_any());
            let own = service.spec.and_then(|spec| spec.cluster_ip);
            let own = own.and_then(|ip| ip.parse::<Ipv4Addr>().ok());
            let address = match own {
                Some(address) => address,
                None => self.pod_address().await?,
            };
            self.node.announce(&name, address)?;
        }
        Ok(())
    }

    // A headless Service leads to its Pods.
    async fn pod_address(&self) -> Result<Ipv4Addr> {
        let pod = self.pods().await?.into_iter().next().context("no Pod")?;
        let address = pod.status.and_then(|status| status.pod_ip);
        Ok(address.context("no address")?.parse()?)
    }
}

fn public_url() -> String {
    format!("https://{HOST}")
}

/// Where the chart is.
pub fn chart() -> Result<String> {
    path("charts/gmail-operator")
}

fn path(within: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(within);
    Ok(path.to_str().context("the path is no text")?.to_owned())
}

/// Objects of a folder below `deploy/`, as kustomize renders them.
pub async fn rendered(lab: &Lab, folder: &str) -> Result<Vec<Value>> {
    let folder = path(&format!("deploy/{folder}"))?;
    let yaml = lab.control_plane.kubectl(["kustomize", &folder]).await?;
    Ok(serde_saphyr::from_multiple(&yaml)?)
}
