//! Another mail program of a mailbox's owner: it waits for new mail with IDLE (RFC 2177).

use std::sync::Arc;

use anyhow::{Result, bail};
use k8s_openapi::ByteString;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Lab;
use super::tokens::Tokens;

/// A connection straight to the mail server that stays open.
pub struct Idle(BufReader<TlsStream<TcpStream>>);

impl Idle {
    /// Logs in, opens the inbox and begins to wait.
    pub async fn begin(lab: &Lab, account: &Tokens) -> Result<Idle> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(lab.tls.ca_pem.as_bytes())?)?;
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = TcpStream::connect(("127.0.0.1", lab.mail.imap_port)).await?;
        let tls = TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from("localhost")?, tcp)
            .await?;
        let mut idle = Idle(BufReader::new(tls));
        idle.until("* OK").await?;
        let login = format!(
            "user={}\x01auth=Bearer {}\x01\x01",
            account.email, account.access_token
        );
        let login = serde_json::to_value(ByteString(login.into_bytes()))?;
        let login = login.as_str().unwrap_or_default().to_owned();
        idle.say(&format!("a AUTHENTICATE XOAUTH2 {login}"), "a OK")
            .await?;
        idle.say("b EXAMINE INBOX", "b OK").await?;
        idle.say("c IDLE", "+ ").await?;
        Ok(idle)
    }

    /// Ends the waiting; fails if the server had ended it before.
    pub async fn end(mut self) -> Result<()> {
        self.say("DONE", "c OK").await
    }

    async fn say(&mut self, line: &str, wanted: &str) -> Result<()> {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.until(wanted).await
    }

    async fn until(&mut self, wanted: &str) -> Result<()> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                bail!("the mail server hung up");
            }
            if line.starts_with(wanted) {
                return Ok(());
            }
            // What it tells without being asked begins with a star.
            if !line.starts_with('*') {
                bail!("the mail server says {}", line.trim());
            }
        }
    }
}
