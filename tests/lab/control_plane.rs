//! A real Kubernetes API: etcd, the API server and the controllers that matter to an operator. There are no nodes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::audit::AuditLog;
use super::cluster::Node;
use super::keeper::Kept;
use super::ports::free_port;
use super::tls::Tls;
use super::{lab_folder, source_folder, until};

/// The longest that kubectl or helm may take: helm itself gives up after 300 s.
const PROGRAM_LIMIT: Duration = Duration::from_secs(400);

// Owner-reference garbage collection, deletion of namespaces, the `default` accounts and their CA, aggregated roles.
const CONTROLLERS: [&str; 5] = [
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
];

/// The API server of the lab.
#[derive(Debug)]
pub struct ControlPlane {
    dir: PathBuf,
    ca: PathBuf,
    url: String,
    servers: Vec<Kept>,
    audit: AuditLog,
}

/// The path of one of the lab's programs; fails with advice when it has not been installed.
pub fn program(name: &str) -> Result<PathBuf> {
    let given =
        std::env::var_os("KUBEBUILDER_ASSETS").map(|folder| PathBuf::from(folder).join(name));
    let built = lab_folder().join("bin").join(version()?).join(name);
    let other = lab_folder().join("bin").join(name);
    given
        .into_iter()
        .chain([built, other])
        .find(|path| path.exists())
        .with_context(|| format!("{name} is not installed: run tests/lab/install.sh"))
}

fn version() -> Result<&'static str> {
    include_str!("control-plane/go.mod")
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "))
        .and_then(|rest| rest.split(' ').next())
        .context("go.mod names no version of Kubernetes")
}

impl ControlPlane {
    /// Starts the servers; [`ControlPlane::ready`] waits for them.
    pub fn spawn(lab: &Path, tls: &Tls) -> Result<ControlPlane> {
        let dir = lab.join("control-plane");
        fs::create_dir_all(&dir)?;
        let token = rcgen::KeyPair::generate()?.serialize_der();
        let token: String = token.iter().skip(40).map(|b| format!("{b:02x}")).collect();
        fs::write(
            dir.join("tokens.csv"),
            format!("{token},admin,admin,system:masters\n"),
        )?;
        let (public, private) = service_account_keys(&dir)?;

        let audit = AuditLog::at(dir.join("audit.log"));
        let port = free_port()?;
        let url = format!("https://127.0.0.1:{port}");
        let (etcd, etcd_url) = etcd(&dir)?;
        let api_server = Kept::start(
            Command::new(program("kube-apiserver")?)
                // Memory is plenty here and the cores are few: collect garbage less often.
                .env("GOGC", "400")
                .arg(flag("etcd-servers", &etcd_url))
                .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
                // It would publish the address to pods, and refuses to publish this one.
                .arg("--endpoint-reconciler-type=none")
                .arg(flag("secure-port", port.to_string()))
                .arg(flag("tls-cert-file", &tls.cert))
                .arg(flag("tls-private-key-file", &tls.key))
                .arg(flag("cert-dir", dir.join("certs")))
                .arg(flag("token-auth-file", dir.join("tokens.csv")))
                .arg("--service-account-issuer=https://kubernetes.default.svc")
                .arg(flag("service-account-signing-key-file", &private))
                .arg(flag("service-account-key-file", &public))
                .arg("--authorization-mode=RBAC")
                .arg("--enable-admission-plugins=OwnerReferencesPermissionEnforcement")
                .arg("--service-cluster-ip-range=10.0.0.0/24")
                .args([
                    "--max-requests-inflight=2000",
                    "--max-mutating-requests-inflight=1000",
                ])
                .arg(flag(
                    "audit-policy-file",
                    source_folder().join("audit-policy.yaml"),
                ))
                .arg(flag("audit-log-path", audit.path()))
                .args(["--profiling=false", "--v=1"]),
            &dir.join("kube-apiserver.log"),
        )?;
        let mut plane = ControlPlane {
            audit,
            dir,
            ca: tls.ca.clone(),
            url,
            servers: vec![etcd, api_server],
        };
        plane.write_kubeconfig("admin", "default", &token)?;
        let admin = plane.admin_kubeconfig();
        plane.servers.push(Kept::start(
            Command::new(program("kube-controller-manager")?)
                .arg(flag("kubeconfig", &admin))
                .arg(flag("controllers", CONTROLLERS.join(",")))
                .arg(flag("root-ca-file", &tls.ca))
                .arg(flag("service-account-private-key-file", &private))
                .args([
                    "--leader-elect=false",
                    "--secure-port=0",
                    "--profiling=false",
                ])
                // Deleting a namespace deletes kind by kind; the default pace makes that take seconds.
                .args(["--kube-api-qps=500", "--kube-api-burst=1000"]),
            &plane.dir.join("kube-controller-manager.log"),
        )?);
        Ok(plane)
    }

    /// That of a node, which runs already and is somebody else's to end.
    pub fn of(node: &Node, lab: &Path) -> Result<ControlPlane> {
        let dir = lab.join("control-plane");
        fs::create_dir_all(&dir)?;
        let admin = Kubeconfig::read_from(node.kubeconfig())?;
        let cluster = admin.clusters.into_iter().find_map(|named| named.cluster);
        let plane = ControlPlane {
            audit: AuditLog::at(dir.join("audit.log")),
            dir,
            ca: node.authority(),
            url: cluster.and_then(|c| c.server).context("no API server")?,
            servers: Vec::new(),
        };
        fs::copy(node.kubeconfig(), plane.admin_kubeconfig())?;
        Ok(plane)
    }

    /// Waits until the API answers and the controllers work.
    pub async fn ready(&self) -> Result<()> {
        let client = self.admin().await?;
        let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
        until("the control plane", Duration::from_secs(60), async || {
            self.servers.iter().try_for_each(Kept::expect_running)?;
            Ok(accounts.get("default").await.is_ok())
        })
        .await
    }

    /// The process ids of etcd and the API server.
    pub fn processes(&self) -> Vec<u32> {
        self.servers.iter().take(2).map(Kept::pid).collect()
    }

    /// Where the API is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The API server's port, for a [`super::wire::Wire`].
    pub fn port(&self) -> Result<u16> {
        let url = url::Url::parse(&self.url)?;
        url.port().context("the API server has no port")
    }

    /// A kubeconfig that may do everything.
    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.dir.join("admin.kubeconfig")
    }

    /// A client that may do everything. Clients belong to the runtime that made them: every test makes its own.
    pub async fn admin(&self) -> Result<Client> {
        client(&self.admin_kubeconfig()).await
    }

    /// A kubeconfig with a 12-hour token of a service account that exists, and with its rights and no others.
    pub async fn kubeconfig_for(&self, namespace: &str, account: &str) -> Result<PathBuf> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.admin().await?, namespace);
        let spec = TokenRequestSpec {
            expiration_seconds: Some(12 * 3600),
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest {
            spec,
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await?;
        let token = answer.status.context("no token")?.token;
        self.write_kubeconfig(&format!("{namespace}.{account}"), namespace, &token)
    }

    /// A client with the rights of a service account.
    pub async fn client_for(&self, namespace: &str, account: &str) -> Result<Client> {
        client(&self.kubeconfig_for(namespace, account).await?).await
    }

    /// Runs kubectl as admin and returns what it prints; its complaint is the error.
    pub async fn kubectl<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Result<String> {
        self.kubectl_with_input(args, "").await
    }

    /// Like [`ControlPlane::kubectl`], with something to read, for `apply -f -`.
    pub async fn kubectl_with_input<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Result<String> {
        self.run("kubectl", args, input).await
    }

    /// Runs helm as admin.
    pub async fn helm<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<String> {
        self.run("helm", args, "").await
    }

    async fn run<A: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Result<String> {
        let mut child = tokio::process::Command::new(program(name)?)
            .args(args)
            .env("KUBECONFIG", self.admin_kubeconfig())
            // Caches of whoever runs the tests are none of the lab's business.
            .env("HOME", &self.dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // Beside the reading, since a full pipe on either side would stop both.
            tokio::spawn(async move { stdin.write_all(input.as_bytes()).await });
        }
        let output = tokio::time::timeout(PROGRAM_LIMIT, child.wait_with_output());
        let output = output
            .await
            .with_context(|| format!("{name} does not end"))??;
        if !output.status.success() {
            bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// What service accounts have changed.
    pub fn audit(&self) -> &AuditLog {
        &self.audit
    }

    fn write_kubeconfig(&self, name: &str, namespace: &str, token: &str) -> Result<PathBuf> {
        let path = self.dir.join(format!("{name}.kubeconfig"));
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "clusters": [{ "name": "lab", "cluster": { "server": self.url, "certificate-authority": self.ca } }],
            "users": [{ "name": "lab", "user": { "token": token } }],
            "contexts": [{ "name": "lab", "context": { "cluster": "lab", "user": "lab", "namespace": namespace } }],
        });
        fs::write(&path, serde_json::to_vec_pretty(&config)?)?;
        Ok(path)
    }
}

async fn client(kubeconfig: &Path) -> Result<Client> {
    let file = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

fn etcd(dir: &Path) -> Result<(Kept, String)> {
    let url = format!("http://127.0.0.1:{}", free_port()?);
    let peers = format!("http://127.0.0.1:{}", free_port()?);
    let etcd = Kept::start(
        Command::new(program("etcd")?)
            .arg(flag("data-dir", dir.join("etcd")))
            .arg(flag("listen-client-urls", &url))
            .arg(flag("advertise-client-urls", &url))
            .arg(flag("listen-peer-urls", &peers))
            .arg(flag("initial-advertise-peer-urls", &peers))
            .arg(flag("initial-cluster", format!("default={peers}")))
            // What is lost in a power cut would not be missed.
            .arg("--unsafe-no-fsync"),
        &dir.join("etcd.log"),
    )?;
    Ok((etcd, url))
}

fn service_account_keys(dir: &Path) -> Result<(PathBuf, PathBuf)> {
    let key = rcgen::KeyPair::generate()?;
    let (public, private) = (dir.join("accounts.pub"), dir.join("accounts.key"));
    fs::write(&public, key.public_key_pem())?;
    fs::write(&private, key.serialize_pem())?;
    Ok((public, private))
}

fn flag(name: &str, value: impl AsRef<OsStr>) -> std::ffi::OsString {
    let mut flag = std::ffi::OsString::from(format!("--{name}="));
    flag.push(value);
    flag
}
