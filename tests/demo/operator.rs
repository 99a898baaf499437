//! The operator as a process, under the ServiceAccount that `deploy/` gives it.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::lab::keeper::Kept;
use crate::lab::operator::{PATIENCE, operator_binary};
use crate::lab::ports::free_port;
use crate::lab::{Lab, until};
use crate::terminal::short;

/// The operator's namespace and ServiceAccount in `deploy/`.
const NAMESPACE: &str = "gmail-operator";
const ACCOUNT: &str = "gmail-operator";

/// Where the documents and the samples say that it is.
const USUAL_PORT: u16 = 8080;

/// How long it may take over what is going on when it ends.
const LAST_WORK: Duration = Duration::from_secs(10);

/// The port of the sign-in page: known before the operator runs, and kept from others until it does.
pub struct FrontDoor {
    listener: TcpListener,
    port: u16,
    public_url: String,
}

impl FrontDoor {
    /// Port 8080, or another if that is taken.
    pub fn reserve() -> Result<FrontDoor> {
        let (listener, port) = match usual_port() {
            Some(listener) => (listener, USUAL_PORT),
            None => {
                let port = free_port()?;
                (TcpListener::bind((Ipv4Addr::LOCALHOST, port))?, port)
            }
        };
        Ok(FrontDoor {
            listener,
            port,
            public_url: format!("http://localhost:{port}"),
        })
    }

    /// Lets go of the port, for who is about to listen there.
    pub fn open(self) -> u16 {
        drop(self.listener);
        self.port
    }

    /// Where browsers find it.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }
}

fn usual_port() -> Option<TcpListener> {
    // A browser would ask whoever listens on the other localhost first.
    let other = TcpListener::bind((Ipv6Addr::LOCALHOST, USUAL_PORT));
    if other.is_err_and(|error| error.kind() == ErrorKind::AddrInUse) {
        return None;
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, USUAL_PORT)).ok()
}

/// The running operator, or what leads to it.
pub struct Operator {
    process: Kept,
    log: String,
}

impl Operator {
    /// Starts it and waits until it says that it is ready.
    pub async fn start(lab: &Lab, door: FrontDoor) -> Result<Operator> {
        let kubeconfig = lab.control_plane.kubeconfig_for(NAMESPACE, ACCOUNT).await?;
        let telemetry_port = free_port()?;
        let log = lab.dir().join("operator.log");
        let mut command = Command::new(operator_binary()?);
        command
            .env("KUBECONFIG", kubeconfig)
            .args(["run", "--namespace", NAMESPACE, "--identity", "demo"])
            .args(["--cluster-name", "demo", "--log-level", "info"])
            .args(["--public-url", &door.public_url])
            .arg(format!("--listen=127.0.0.1:{}", door.port))
            .arg(format!("--telemetry-listen=127.0.0.1:{telemetry_port}"))
            .args(["--allow-cidr", "127.0.0.0/8", "--allow-cidr", "::1/128"]);
        let mail = &lab.mail;
        let ports = [mail.imap_port, mail.pop3_port, mail.smtps_port];
        for port in ports.into_iter().chain([lab.google.port()]) {
            command.arg(format!("--allow-endpoint=localhost:{port}"));
        }
        drop(door.listener);
        let operator = Operator::run(&command, &log, short(&log))?;
        operator.ready(telemetry_port).await?;
        Ok(operator)
    }

    /// Starts a program; `log_of_operator` tells people where to find that.
    pub fn run(command: &Command, log: &Path, log_of_operator: String) -> Result<Operator> {
        Ok(Operator {
            process: Kept::start(command, log)?,
            log: log_of_operator,
        })
    }

    async fn ready(&self, telemetry_port: u16) -> Result<()> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://127.0.0.1:{telemetry_port}/readyz");
        until("the operator to be ready", PATIENCE, async || {
            self.expect_running()?;
            let answer = http.get(&url).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()))
        })
        .await
    }

    /// Fails when it has ended.
    pub fn expect_running(&self) -> Result<()> {
        self.process.expect_running()
    }

    /// Where it logs to, for people.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// Ends it as Kubernetes does, while everything that it may still need runs.
    pub async fn stop(mut self) -> Result<()> {
        if !self.process.is_running() {
            return Ok(());
        }
        self.process.signal("TERM")?;
        // One that does not end is killed with the servers.
        let ends = tokio::task::spawn_blocking(move || self.process.wait(LAST_WORK).is_ok());
        ends.await?;
        Ok(())
    }
}
