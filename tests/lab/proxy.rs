//! The proxy of a company: tinyproxy.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use tokio::net::TcpStream;

use super::keeper::Kept;
use super::operator::PATIENCE;
use super::ports::free_port;
use super::{Lab, until};

/// Who may use a [`CompanyProxy`] that asks for it.
pub const USER: &str = "operator";

/// Its password, as it stands in a URL: `s3cret-of-the.proxy`.
pub const PASSWORD: &str = "s3cret-of-the%2Eproxy";

/// What is wrong where it is shown.
pub const SECRETS: [&str; 3] = ["s3cret-of-the", "czNjcmV0", "b3BlcmF0b3I6czNj"];

/// An HTTP proxy that connects to some ports only and writes down what it is asked for.
pub struct CompanyProxy {
    port: u16,
    log: PathBuf,
    kept: Option<Kept>,
    command: (PathBuf, PathBuf),
}

impl CompanyProxy {
    /// Starts one that wants the name and password, and connects to `ports`.
    pub async fn start(lab: &Lab, name: &str, ports: &[u16]) -> Result<CompanyProxy> {
        let folder = lab.dir().join(name);
        std::fs::create_dir_all(&folder)?;
        let port = free_port()?;
        let log = folder.join("requests.log");
        let mut config = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogLevel Connect\nLogFile \"{}\"\nBasicAuth {USER} s3cret-of-the.proxy\n",
            log.display()
        );
        for port in ports {
            writeln!(config, "ConnectPort {port}")?;
        }
        let config_file = folder.join("tinyproxy.conf");
        std::fs::write(&config_file, config)?;
        let mut proxy = CompanyProxy {
            port,
            log,
            kept: None,
            command: (config_file, folder.join("output.log")),
        };
        proxy.start_again().await?;
        Ok(proxy)
    }

    /// After [`CompanyProxy::stop`].
    pub async fn start_again(&mut self) -> Result<()> {
        let (config, output) = &self.command;
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(config);
        let kept = self.kept.insert(Kept::start(&command, output)?);
        until("the proxy to listen", PATIENCE, async || {
            kept.expect_running()?;
            Ok(TcpStream::connect(("127.0.0.1", self.port)).await.is_ok())
        })
        .await
    }

    /// Nobody listens at its port any more.
    pub fn stop(&mut self) {
        self.kept = None;
    }

    /// Where it is.
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// With a name and password that it takes.
    pub fn url(&self) -> String {
        format!("http://{USER}:{PASSWORD}@{}", self.place())
    }

    /// How often it was asked to connect to this port of localhost.
    pub fn connected_to(&self, port: u16) -> Result<usize> {
        let log = std::fs::read_to_string(&self.log)?;
        let asked = format!("CONNECT localhost:{port} ");
        Ok(log.lines().filter(|line| line.contains(&asked)).count())
    }
}
