//! The lab: a real Kubernetes API, an OAuth server that behaves as Google's, and real mail servers, all on this
//! machine. `tests/lab/install.sh` installs what it needs.
#![allow(
    dead_code,
    reason = "each program that uses the lab uses another part of it"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub mod apply;
pub mod audit;
pub mod browser;
pub mod cluster;
pub mod control_plane;
pub mod cookies;
pub mod google;
pub mod grants;
pub mod idle;
pub mod installed;
pub mod keeper;
pub mod kubelet;
pub mod mail;
pub mod mail_script;
pub mod operator;
pub mod person;
pub mod place;
pub mod ports;
pub mod process;
pub mod prometheus;
pub mod proxy;
pub mod tls;
pub mod token_mill;
pub mod tokens;
pub mod watch;
pub mod wire;

use cluster::Node;
use control_plane::ControlPlane;
use google::GoogleStandIn;
use keeper::Kept;
use mail::MailServers;
use place::Place;
use tls::Tls;
use tokio::net::TcpStream;

/// How many folders of earlier runs are kept, for their logs.
const RUNS_KEPT: usize = 3;

/// All the servers. They end with the process, whatever way it ends, or when the lab is dropped.
#[derive(Debug)]
pub struct Lab {
    /// The Kubernetes API.
    pub control_plane: ControlPlane,
    /// Where people sign in.
    pub google: GoogleStandIn,
    /// Where their mail is.
    pub mail: MailServers,
    /// The certificates of all of them.
    pub tls: Tls,
    /// Where the OAuth server and the mail servers are.
    pub place: Place,
    dir: PathBuf,
}

impl Lab {
    /// The one lab of this process, started by whichever test comes first.
    pub async fn shared() -> &'static Lab {
        static LAB: OnceLock<Result<Lab>> = OnceLock::new();
        let start = || {
            // On a runtime of its own: the first test's ends with that test.
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(Lab::start())
        };
        let lab = tokio::task::spawn_blocking(move || LAB.get_or_init(start)).await;
        match lab {
            Ok(Ok(lab)) => lab,
            Ok(Err(error)) => panic!("the lab does not start: {error:#}"),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Starts a lab, all servers at once.
    pub async fn start() -> Result<Lab> {
        Lab::start_at(Place::here(), ControlPlane::spawn).await
    }

    /// Starts the OAuth server and the mail servers beside a node, for its pods.
    pub async fn beside(node: &Node) -> Result<Lab> {
        let place = Place {
            name: "lab.example.com".to_owned(),
            address: node.machine(),
        };
        node.announce(&place.name, place.address)?;
        Lab::start_at(place, |dir, _| ControlPlane::of(node, dir)).await
    }

    async fn start_at(
        place: Place,
        control_plane: impl FnOnce(&Path, &Tls) -> Result<ControlPlane>,
    ) -> Result<Lab> {
        // One TLS stack, as in the operator; somebody else may have chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = new_run_folder()?;
        let tls = Tls::create(&dir.join("tls"), &place)?;
        let control_plane = control_plane(&dir, &tls)?;
        let google = GoogleStandIn::spawn(&dir, &tls, &place)?;
        let mail = MailServers::spawn(&dir, &tls, &place, &google)?;
        tokio::try_join!(control_plane.ready(), google.ready(), mail.ready())
            .with_context(|| format!("the logs are in {}", dir.display()))?;
        Ok(Lab {
            control_plane,
            google,
            mail,
            tls,
            place,
            dir,
        })
    }

    /// HOST:PORT of each server that a profile names, and of the page to which it sends browsers.
    pub fn endpoints(&self) -> Vec<String> {
        let (google, mail, name) = (self.google.port(), &self.mail, &self.place.name);
        let ports = [google, mail.imap_port, mail.pop3_port, mail.smtps_port];
        let mut all = ports.map(|port| format!("{name}:{port}")).to_vec();
        all.push(format!("localhost:{google}"));
        all
    }

    /// The folder with logs and state of this run.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Asks `question` until the answer is yes; an error ends the waiting.
pub async fn until(
    what: &str,
    limit: Duration,
    mut question: impl AsyncFnMut() -> Result<bool>,
) -> Result<()> {
    let began = Instant::now();
    while !question().await? {
        let waited = began.elapsed();
        if waited > limit {
            bail!("waited {limit:?} in vain for {what}");
        }
        // What takes long is asked less often: the answer is late by a twentieth at most.
        let pause = (waited / 20).clamp(Duration::from_millis(25), Duration::from_millis(250));
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

async fn until_open(server: &Kept, port: u16) -> Result<()> {
    let what = format!("port {port}");
    until(&what, Duration::from_secs(60), async || {
        server.expect_running()?;
        Ok(TcpStream::connect(("127.0.0.1", port)).await.is_ok())
    })
    .await
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab")
}

fn lab_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab")
}

// Folders of runs that are over stay for their logs, the last few of them.
fn new_run_folder() -> Result<PathBuf> {
    let runs = lab_folder().join("run");
    fs::create_dir_all(&runs)?;
    let mut over = Vec::new();
    for entry in fs::read_dir(&runs)? {
        let entry = entry?;
        let name = entry.file_name();
        let pid = name
            .to_string_lossy()
            .split('-')
            .next()
            .unwrap_or_default()
            .to_owned();
        if !Path::new("/proc").join(pid).exists() {
            over.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    over.sort();
    for (_, folder) in over.iter().rev().skip(RUNS_KEPT) {
        // Another process may be about the same.
        drop(fs::remove_dir_all(folder));
    }
    let dir = tempfile::Builder::new()
        .prefix(&format!("{}-", std::process::id()))
        .tempdir_in(&runs)?;
    Ok(dir.keep())
}
