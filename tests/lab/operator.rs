//! The operator itself, as a process under its own ServiceAccount, with namespaces of its own.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use gmail_operator::api::{GmailServerProfile, Mailbox};
use gmail_operator::domain::egress::EgressPolicy;
use gmail_operator::domain::server::Endpoint;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use serde_json::{Value, json};

use super::apply::apply;
use super::audit::AuditRequest;
use super::keeper::Kept;
use super::person::{Page, Person};
use super::ports::free_port;
use super::process::Process;
use super::watch::{until_object, until_objects};
use super::{Lab, until};

/// The longest that anything here may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The secret of every OAuth client of the lab that a test does not spoil.
pub const CLIENT_SECRET: &str = "GOCSPX-lab-client-secret";

/// An installation of the operator: its own namespace with its rights, a namespace with profiles and
/// one with mailboxes, and the process.
pub struct Site {
    /// The lab it is in.
    pub lab: &'static Lab,
    /// The operator's namespace.
    pub namespace: String,
    /// The namespace of profiles and mailboxes.
    pub tenant: String,
    /// Its OAuth client.
    pub client_id: String,
    /// Admin.
    pub client: Client,
    /// Where its sign-in page is; empty: it is told nothing of that.
    pub public_url: String,
    telemetry_port: u16,
    web_port: u16,
    forwarded_port: Option<u16>,
    kubeconfig: PathBuf,
    endpoints: Vec<(String, u16)>,
    pace: Vec<(String, f64)>,
    watched: Vec<String>,
    log_level: String,
    flags: Vec<String>,
    environment: Vec<(&'static str, String)>,
    operator: Option<Kept>,
    /// The number of the replica that `operator` is, and of the newest.
    replica: u32,
    replicas: u32,
}

/// The ports that a profile names; the lab's own unless a test puts a wire between.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub imap: u16,
    pub smtp: u16,
    pub google: u16,
}

impl Site {
    /// Makes the namespaces, the rights and the OAuth client. Nothing runs yet.
    pub async fn new(name: &str) -> Result<Site> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let lab = Lab::shared().await;
        Site::in_lab(
            lab,
            &format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
        )
        .await
    }

    /// The same under this very name, which no other test may have.
    pub async fn in_lab(lab: &'static Lab, name: &str) -> Result<Site> {
        let control_plane = &lab.control_plane;
        super::installed::crds(lab).await?;
        let client = control_plane.admin().await?;
        let (namespace, tenant) = (format!("op-{name}"), name.to_owned());
        super::installed::rights(lab, &client, &namespace).await?;
        let home =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": tenant } });
        apply(&client, &home).await?;
        let kubeconfig = control_plane
            .kubeconfig_for(&namespace, "gmail-operator")
            .await?;
        let (web_port, telemetry_port) = (free_port()?, free_port()?);
        let public_url = format!("http://localhost:{web_port}");
        let client_id = format!(
            "{}-{name}.apps.googleusercontent.com",
            100_000 + u32::from(web_port)
        );
        lab.google
            .put_client(
                &client_id,
                CLIENT_SECRET,
                &[&format!("{public_url}/oauth2/callback")],
            )
            .await?;
        let ports = lab_ports(lab);
        Ok(Site {
            lab,
            namespace,
            client_id,
            client,
            public_url,
            telemetry_port,
            web_port,
            forwarded_port: None,
            kubeconfig,
            endpoints: [
                ports.imap,
                ports.smtp,
                lab.mail.submission_port,
                lab.mail.pop3_port,
                ports.google,
            ]
            .map(|port| ("localhost".to_owned(), port))
            .into(),
            pace: QUICK
                .iter()
                .map(|(name, seconds)| ((*name).to_owned(), *seconds))
                .collect(),
            watched: vec![tenant.clone()],
            log_level: "info,gmail_operator=debug".to_owned(),
            flags: Vec::new(),
            environment: Vec::new(),
            tenant,
            operator: None,
            replica: 0,
            replicas: 0,
        })
    }

    /// It has no public URL: people reach it through a port-forward from this port, which is returned
    /// and registered with its OAuth client.
    pub async fn without_public_url(&mut self) -> Result<u16> {
        let port = free_port()?;
        let redirect_uri = format!("http://localhost:{port}/oauth2/callback");
        let google = &self.lab.google;
        google
            .put_client(&self.client_id, CLIENT_SECRET, &[&redirect_uri])
            .await?;
        self.forwarded_port = Some(port);
        self.public_url.clear();
        Ok(port)
    }

    /// Another server that profiles may name.
    pub fn allow(&mut self, port: u16) {
        self.allow_host("localhost", port);
    }

    /// Another server by name.
    pub fn allow_host(&mut self, host: &str, port: u16) {
        self.endpoints.push((host.to_owned(), port));
    }

    /// Another namespace to look after.
    pub fn watch(&mut self, namespace: &str) {
        self.watched.push(namespace.to_owned());
    }

    /// Where this operator may connect to.
    pub fn egress(&self) -> Result<EgressPolicy> {
        let endpoints = self.endpoints.iter();
        let networks = ["127.0.0.0/8".parse()?, "::1/128".parse()?];
        Ok(EgressPolicy::new(
            endpoints
                .map(|(host, port)| Endpoint::new(host, *port))
                .collect(),
            networks.into(),
        ))
    }

    /// How much is logged.
    pub fn log_level(&mut self, level: &str) {
        level.clone_into(&mut self.log_level);
    }

    /// The waits and the log of production, for what only such an operator says of its cost.
    pub fn with_production_waits(&mut self) {
        self.log_level("info");
        for (wait, seconds) in [
            ("counts", 10.0),
            ("look-at-secret", 50.0),
            ("lease-retry", 2.0),
        ] {
            self.pace(wait, seconds);
        }
    }

    /// Another flag of the operator.
    pub fn flag(&mut self, flag: &str) {
        self.flags.push(flag.to_owned());
    }

    /// A variable of its environment.
    pub fn env(&mut self, name: &'static str, value: &str) {
        self.environment.push((name, value.to_owned()));
    }

    /// Where it tells how it is.
    pub fn telemetry_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.telemetry_port)
    }

    /// What is started from now on has the rights of another account of the operator's namespace, and one flag of its own.
    pub async fn act_as(&mut self, account: &str, flag: &str) -> Result<()> {
        let control_plane = &self.lab.control_plane;
        self.kubeconfig = control_plane
            .kubeconfig_for(&self.namespace, account)
            .await?;
        self.flags = vec![flag.to_owned()];
        Ok(())
    }

    /// Another public URL on the same port, of which Google is told.
    pub async fn serve_at(&mut self, scheme: &str, path: &str) -> Result<()> {
        self.page_at(format!("{scheme}://localhost:{}{path}", self.web_port))
            .await
    }

    async fn page_at(&mut self, public_url: String) -> Result<()> {
        self.public_url = public_url;
        let callback = format!("{}/oauth2/callback", self.public_url);
        let google = &self.lab.google;
        google
            .put_client(&self.client_id, CLIENT_SECRET, &[&callback])
            .await
    }

    /// What is started from now on has a clock of its own, as far from the right one as the file says, in the words
    /// of libfaketime; time itself passes as ever.
    pub fn by_clock(&mut self, file: &std::path::Path) {
        // The dynamic linker puts its own folder in place of $LIB.
        let library = "/usr/$LIB/faketime/libfaketimeMT.so.1";
        self.environment = vec![
            ("LD_PRELOAD", library.to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ];
    }

    /// What is started from now on has this machine's clock.
    pub fn by_the_right_clock(&mut self) {
        self.environment.clear();
    }

    /// Another wait.
    pub fn pace(&mut self, name: &str, seconds: f64) {
        self.pace.push((name.to_owned(), seconds));
    }

    /// The operator reaches the API server through `wire` from its next start on.
    pub fn api_through(&mut self, wire: &super::wire::Wire) -> Result<()> {
        let direct = std::fs::read_to_string(&self.kubeconfig)?;
        let through = format!("https://127.0.0.1:{}", wire.port());
        self.kubeconfig = self.lab.dir().join(format!("{}.wired", self.namespace));
        let wired = direct.replace(self.lab.control_plane.url(), &through);
        anyhow::ensure!(wired != direct, "the kubeconfig names another server");
        Ok(std::fs::write(&self.kubeconfig, wired)?)
    }

    /// Its sign-in page is reached through `wire` from its next start on, as through an ingress.
    pub async fn page_through(&mut self, wire: &super::wire::Wire) -> Result<()> {
        self.page_at(format!("http://localhost:{}", wire.port()))
            .await
    }

    /// The port of its sign-in page.
    pub fn web_port(&self) -> u16 {
        self.web_port
    }

    /// Starts the operator and waits until it is ready.
    pub async fn start(&mut self) -> Result<()> {
        self.launch()?;
        self.until_ready().await
    }

    /// Starts the operator, which may never be ready.
    pub fn launch(&mut self) -> Result<()> {
        self.replica = self.new_replica();
        self.launch_again()
    }

    /// Starts it as a container that has crashed: in the same Pod, so under the same name.
    pub async fn start_again(&mut self) -> Result<()> {
        self.launch_again()?;
        self.until_ready().await
    }

    /// The same where it may never be ready.
    pub fn launch_again(&mut self) -> Result<()> {
        self.operator = Some(self.spawn(self.replica, self.web_port, self.telemetry_port)?);
        Ok(())
    }

    fn new_replica(&mut self) -> u32 {
        self.replicas += 1;
        self.replicas
    }

    /// Starts another replica, whose sign-in page nobody is sent to.
    pub fn second_replica(&mut self) -> Result<Kept> {
        let number = self.new_replica();
        self.spawn(number, free_port()?, free_port()?)
    }

    /// Starts another replica with a sign-in page on a port, and waits until it is ready.
    pub async fn replica_at(&mut self, web_port: u16) -> Result<Kept> {
        let telemetry_port = free_port()?;
        let number = self.new_replica();
        let replica = self.spawn(number, web_port, telemetry_port)?;
        self.ready(telemetry_port).await?;
        Ok(replica)
    }

    fn spawn(&self, number: u32, web_port: u16, telemetry_port: u16) -> Result<Kept> {
        let folder = self.lab.dir().join(&self.namespace);
        std::fs::create_dir_all(&folder)?;
        let mut pace = String::new();
        let newest: std::collections::BTreeMap<_, _> = self.pace.iter().cloned().collect();
        for (name, seconds) in newest {
            writeln!(pace, "{name}: {seconds}")?;
        }
        let pace_file = folder.join("pace.yaml");
        std::fs::write(&pace_file, pace)?;
        let mut command = Command::new(operator_binary()?);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("RUST_BACKTRACE", "1")
            .env("NO_PROXY", "*")
            .envs(self.environment.iter().cloned())
            .args([
                "run",
                "--log-level",
                &self.log_level,
                "--allow-cidr",
                "127.0.0.0/8",
                "--allow-cidr",
                "::1/128",
            ])
            .args(["--cluster-name", "lab", "--namespace", &self.namespace])
            .args(["--identity", &format!("replica-{number}")])
            .args(
                self.watched
                    .iter()
                    .map(|namespace| format!("--watch-namespace={namespace}")),
            )
            .arg(format!("--listen=127.0.0.1:{web_port}"))
            .arg(format!("--telemetry-listen=127.0.0.1:{telemetry_port}"))
            .arg("--pace-file")
            .arg(&pace_file);
        if !self.public_url.is_empty() {
            command.args(["--public-url", &self.public_url]);
        }
        if let Some(port) = self.forwarded_port {
            command.arg(format!("--forwarded-port={port}"));
        }
        for (host, port) in &self.endpoints {
            command.args(["--allow-endpoint", &format!("{host}:{port}")]);
        }
        command.args(&self.flags);
        Kept::start(&command, &self.log_file())
    }

    /// Waits until the operator says that it is ready.
    pub async fn until_ready(&self) -> Result<()> {
        self.ready(self.telemetry_port).await
    }

    /// Where it says whether it is ready.
    pub fn ready_url(&self) -> String {
        format!("http://127.0.0.1:{}/readyz", self.telemetry_port)
    }

    /// What the operator says of its readiness, as an HTTP status; `None` before it says anything.
    pub async fn readiness(&self) -> Result<Option<u16>> {
        self.running()?.expect_running()?;
        readiness_at(self.telemetry_port).await
    }

    async fn ready(&self, port: u16) -> Result<()> {
        until("the operator to be ready", PATIENCE, async || {
            self.running()?.expect_running()?;
            Ok(readiness_at(port).await? == Some(200))
        })
        .await
    }

    /// Waits until it has logged this.
    pub async fn until_logged(&self, text: &str) -> Result<()> {
        until(&format!("{text:?} in the log"), PATIENCE, async || {
            self.running()?.expect_running()?;
            // It may not have begun yet.
            Ok(self.log().is_ok_and(|log| log.contains(text)))
        })
        .await
    }

    /// The process.
    pub fn running(&self) -> Result<&Kept> {
        self.operator
            .as_ref()
            .context("the operator is not running")
    }

    /// What the kernel knows of it.
    pub fn process(&self) -> Result<Process> {
        Ok(Process(self.running()?.pid()))
    }

    /// Ends it as a node failure would.
    pub fn kill(&mut self) -> Result<()> {
        self.operator
            .take()
            .context("the operator is not running")?
            .kill()
            .map(drop)
    }

    /// Ends it as Kubernetes does.
    pub fn stop(&mut self) -> Result<std::process::ExitStatus> {
        let mut operator = self
            .operator
            .take()
            .context("the operator is not running")?;
        operator.signal("TERM")?;
        operator.wait(Duration::from_secs(40))
    }

    fn log_file(&self) -> PathBuf {
        self.lab.dir().join(&self.namespace).join("operator.log")
    }

    /// All that it has logged, over all of its lives.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.log_file())?)
    }

    /// Its metrics.
    pub async fn metrics(&self) -> Result<String> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(http
            .get(self.telemetry_url("/metrics"))
            .send()
            .await?
            .text()
            .await?)
    }

    /// Waits until this process has looked at so many Mailboxes, and at so many profiles once more
    /// after their OAuth client was checked.
    pub async fn until_looked_at(&self, mailboxes: usize, profiles: usize) -> Result<()> {
        until("the operator to have looked at all", PATIENCE, async || {
            Ok(self.reconciles("Mailbox").await? >= mailboxes
                && self.reconciles("GmailServerProfile").await? >= 2 * profiles)
        })
        .await
    }

    /// How often this process has looked at objects of a kind.
    pub async fn reconciles(&self, kind: &str) -> Result<usize> {
        let series = format!("reconciles_total{{kind=\"{kind}\",result=\"Ok\"}} ");
        let metrics = self.metrics().await?;
        let line = metrics.lines().find_map(|line| line.split_once(&series));
        let count = line.map(|(_, count)| count.parse());
        Ok(count.transpose()?.unwrap_or(0))
    }

    /// What it has changed, or tried to.
    pub fn writes(&self) -> Result<Vec<AuditRequest>> {
        let writes = self
            .lab
            .control_plane
            .audit()
            .writes_by(&self.namespace, "gmail-operator")?;
        Ok(writes
            .into_iter()
            .filter(|write| write.resource != "leases")
            .collect())
    }

    /// The Secret and the profile `google`, which is the default; `change` may spoil its spec.
    pub async fn profile(&self, ports: Ports, change: impl FnOnce(&mut Value)) -> Result<()> {
        self.client_secret(CLIENT_SECRET).await?;
        self.profile_only(ports, change).await
    }

    /// The profile without its Secret.
    pub async fn profile_only(&self, ports: Ports, change: impl FnOnce(&mut Value)) -> Result<()> {
        let mut profile = self.profile_manifest("google", ports);
        change(&mut profile);
        self.apply(&profile).await
    }

    /// A profile with the lab's servers.
    pub fn profile_manifest(&self, name: &str, ports: Ports) -> Value {
        let google = format!("https://localhost:{}", ports.google);
        // Through a wire the port differs; the issuer stays what the server says of itself.
        let through = |url: String| url.replace(&self.lab.google.issuer(), &google);
        json!({
            "apiVersion": "gmail-operator.dev/v1alpha1",
            "kind": "GmailServerProfile",
            "metadata": { "name": name, "namespace": self.tenant },
            "spec": {
                "defaultForNewMailboxes": true,
                "contact": "Platform team, it@example.com",
                "caBundle": self.lab.tls.ca_pem,
                "oauthClient": {
                    "credentialsSecretRef": { "name": "google-oauth-client", "key": "client_secret.json" },
                    "consentScreen": { "appName": "Acme CRM", "userType": "Internal" },
                    "endpoints": {
                        "issuer": self.lab.google.issuer(),
                        "authorization": self.lab.google.authorization_url(),
                        "token": through(self.lab.google.token_url()),
                        "revocation": through(self.lab.google.revocation_url()),
                        "jwks": through(self.lab.google.jwks_url()),
                    },
                },
                "servers": {
                    "imap": { "host": "localhost", "port": ports.imap },
                    "pop3": { "host": "localhost", "port": self.lab.mail.pop3_port },
                    "smtp": { "host": "localhost", "port": ports.smtp, "security": "TLS" },
                },
                "processing": { "connectionTimeout": "5s" },
            },
        })
    }

    /// What Google's console downloads, with `secret`, as a Secret.
    pub async fn client_secret(&self, secret: &str) -> Result<()> {
        let root = match self.forwarded_port {
            Some(port) => format!("http://localhost:{port}"),
            None => self.public_url.clone(),
        };
        let file = json!({ "web": {
            "client_id": self.client_id,
            "client_secret": secret,
            "redirect_uris": [format!("{root}/oauth2/callback")],
        }});
        self.apply(&json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "google-oauth-client", "namespace": self.tenant },
            "stringData": { "client_secret.json": file.to_string() },
        }))
        .await
    }

    /// A Mailbox; `change` may change its spec.
    pub async fn mailbox(
        &self,
        name: &str,
        email: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<()> {
        let mut mailbox = self.mailbox_manifest(name, email);
        change(&mut mailbox);
        self.apply(&mailbox).await
    }

    /// A Mailbox with nothing but its address.
    pub fn mailbox_manifest(&self, name: &str, email: &str) -> Value {
        json!({
            "apiVersion": "gmail-operator.dev/v1alpha1",
            "kind": "Mailbox",
            "metadata": { "name": name, "namespace": self.tenant },
            "spec": { "emailAddress": email, "purpose": "Customer mail into the CRM" },
        })
    }

    /// Applies a manifest as admin.
    pub async fn apply(&self, manifest: &Value) -> Result<()> {
        apply(&self.client, manifest).await
    }

    /// kubectl in the namespace of the mailboxes.
    pub async fn kubectl(&self, args: &[&str]) -> Result<String> {
        let mut all = vec!["--namespace", &self.tenant];
        all.extend(args);
        self.lab.control_plane.kubectl(all).await
    }

    /// The mailboxes.
    pub fn mailboxes(&self) -> Api<Mailbox> {
        Api::namespaced(self.client.clone(), &self.tenant)
    }

    /// The profiles.
    pub fn profiles(&self) -> Api<GmailServerProfile> {
        Api::namespaced(self.client.clone(), &self.tenant)
    }

    /// The operator's own Secrets.
    pub fn own_secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The Secret with the grant of a Mailbox.
    pub async fn grant(&self, name: &str) -> Result<Secret> {
        let uid = self
            .mailboxes()
            .get(name)
            .await?
            .metadata
            .uid
            .context("no uid")?;
        Ok(self.own_secrets().get(&format!("grant-{uid}")).await?)
    }

    /// Waits until a Mailbox is as `wanted`; says how it is otherwise.
    pub async fn until_mailbox(
        &self,
        name: &str,
        what: &str,
        wanted: impl FnMut(&Mailbox) -> bool,
    ) -> Result<Mailbox> {
        until_object(self.mailboxes(), name, what, PATIENCE, wanted).await
    }

    /// Waits until so many Mailboxes are as `wanted`.
    pub async fn until_mailboxes(
        &self,
        count: usize,
        what: &str,
        wanted: impl Fn(&Mailbox) -> bool,
    ) -> Result<()> {
        until_objects(self.mailboxes(), count, what, 2 * PATIENCE, wanted).await
    }

    /// Waits until a condition of a Mailbox has a reason.
    pub async fn until_reason(&self, name: &str, condition: &str, reason: &str) -> Result<Mailbox> {
        self.until_mailbox(name, &format!("{condition} {reason}"), |mailbox| {
            condition_of(mailbox, condition).1 == reason
        })
        .await
    }

    /// Waits until a condition of a profile has a reason.
    pub async fn until_profile(
        &self,
        name: &str,
        condition: &str,
        reason: &str,
    ) -> Result<GmailServerProfile> {
        let what = format!("{condition} {reason}");
        until_object(self.profiles(), name, &what, PATIENCE, |profile| {
            let conditions = profile.status.iter().flat_map(|status| &status.conditions);
            let mut found = conditions.filter(|c| c.type_ == condition);
            found.any(|c| c.reason == reason)
        })
        .await
    }

    /// The sign-in page of a Mailbox, once it has one.
    pub async fn sign_in_url(&self, name: &str) -> Result<String> {
        let mailbox = self.until_mailbox(name, "a sign-in page and a ready profile", |mailbox| {
            url_of(mailbox).is_some() && condition_of(mailbox, "ProfileReady").0 == "True"
        });
        url_of(&mailbox.await?).context("no sign-in page")
    }

    /// Somebody signs in to a Mailbox.
    pub async fn sign_in(&self, name: &str, person: &Person) -> Result<Page> {
        person.sign_in(&self.sign_in_url(name).await?).await
    }

    /// The account of its owner signs in, and the Mailbox becomes Ready.
    pub async fn connect(&self, name: &str, email: &str) -> Result<Mailbox> {
        let page = self.sign_in(name, &Person::new(self.lab, email)?).await?;
        if page.status != 200 {
            bail!(
                "the sign-in ended with {} at {}: {}",
                page.status,
                page.url.path(),
                page.words()?
            );
        }
        self.until_reason(name, "Ready", "Enabled").await
    }

    /// The token endpoint's requests of this installation, as (grant type, account).
    pub async fn token_requests(&self) -> Result<Vec<(String, Option<String>)>> {
        let all = self.lab.google.requests().await?;
        let ours = all
            .into_iter()
            .filter(|request| request.client_id.as_deref() == Some(&self.client_id));
        Ok(ours
            .map(|request| (request.grant_type.unwrap_or_default(), request.account))
            .collect())
    }

    /// Whether the token endpoint has a request of this installation, after the first `seen`, that
    /// it has not answered yet.
    pub async fn pending_token_requests(&self, seen: usize) -> Result<bool> {
        let all = self.lab.google.requests().await?;
        let mut ours = all
            .iter()
            .filter(|request| request.client_id.as_deref() == Some(&self.client_id))
            .skip(seen);
        Ok(ours.any(|request| request.status == 0))
    }

    /// The lab's own ports.
    pub fn ports(&self) -> Ports {
        lab_ports(self.lab)
    }
}

/// What the operator whose telemetry is on `port` says of its readiness, as an HTTP status; `None` before it says
/// anything.
pub async fn readiness_at(port: u16) -> Result<Option<u16>> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("http://127.0.0.1:{port}/readyz");
    let answer = http.get(&url).send().await.ok();
    Ok(answer.map(|answer| answer.status().as_u16()))
}

fn lab_ports(lab: &Lab) -> Ports {
    Ports {
        imap: lab.mail.imap_port,
        smtp: lab.mail.smtps_port,
        google: lab.google.port(),
    }
}

/// Waits that fit tests.
const QUICK: [(&str, f64); 17] = [
    ("progress", 0.3),
    ("backoff-first", 0.2),
    ("backoff-longest", 1.0),
    ("pause-first", 0.4),
    ("pause-longest", 2.0),
    ("pop3-gap", 0.2),
    ("between-requested-tests", 0.1),
    ("messages-at-most", 100.0),
    ("retest-failed", 2.0),
    ("arrival", 15.0),
    ("look-for-message", 0.1),
    ("look-at-secret", 0.5),
    ("look-at-certificate", 0.3),
    ("recheck-refused-client", 1.0),
    ("counts", 0.5),
    ("lease-retry", 0.5),
    // Two cores with six tests stand still for seconds.
    ("lease-deadline", 14.0),
];

/// A condition's status and reason; empty where it is missing.
pub fn condition_of(mailbox: &Mailbox, condition: &str) -> (String, String) {
    let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.into_iter().find(|c| c.type_ == condition);
    found
        .map(|c| (c.status.clone(), c.reason.clone()))
        .unwrap_or_default()
}

/// Where its owner signs in, once it has that.
pub fn url_of(mailbox: &Mailbox) -> Option<String> {
    mailbox.status.as_ref()?.sign_in.as_ref()?.url.clone()
}

/// The binary that was built beside this program.
pub fn operator_binary() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    let folder = me
        .parent()
        .and_then(|folder| folder.parent())
        .context("no target folder")?;
    let binary = folder.join("gmail-operator");
    if !binary.exists() {
        bail!("there is no {}: build it first", binary.display());
    }
    Ok(binary)
}
