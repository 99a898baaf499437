//! An IMAP server that says what no real one here can be made to say.

use std::sync::Arc;

use anyhow::Result;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::Lab;

/// A server on a free port, for as long as the test's runtime lives.
pub struct ImapServer {
    /// Its port.
    pub port: u16,
}

/// What it answers, by the first word of a command.
#[derive(Clone, Copy)]
struct Script {
    login: &'static str,
    examine: &'static str,
}

impl ImapServer {
    /// With a certificate of nobody's.
    pub async fn untrusted() -> Result<ImapServer> {
        Ok(Self::own_authority().await?.0)
    }

    /// Good for reading, with a certificate that is an authority of its own, in PEM.
    pub async fn own_authority() -> Result<(ImapServer, String)> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivateKeyDer::from_pem_slice(signing_key.serialize_pem().as_bytes())?;
        let script = Script {
            login: "OK",
            examine: "OK",
        };
        let server = Self::serve(vec![cert.der().clone()], key, script).await?;
        Ok((server, cert.pem()))
    }

    /// Logged in, but there is no INBOX.
    pub async fn without_inbox(lab: &Lab) -> Result<ImapServer> {
        Self::trusted(
            lab,
            Script {
                login: "OK authenticated (Success)",
                examine: "NO [NONEXISTENT] Unknown Mailbox: INBOX (Failure)",
            },
        )
        .await
    }

    /// As Gmail refuses: a challenge, and after the client's empty line the refusal.
    pub async fn refusing_login(lab: &Lab) -> Result<ImapServer> {
        Self::trusted(
            lab,
            Script {
                login: "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
                examine: "BAD",
            },
        )
        .await
    }

    async fn trusted(lab: &Lab, script: Script) -> Result<ImapServer> {
        let chain = CertificateDer::pem_file_iter(&lab.tls.cert)?.collect::<Result<Vec<_>, _>>()?;
        Self::serve(chain, PrivateKeyDer::from_pem_file(&lab.tls.key)?, script).await
    }

    async fn serve(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        script: Script,
    ) -> Result<ImapServer> {
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                // A client that goes away ends its own conversation only.
                tokio::spawn(async move {
                    let _ = talk(acceptor, tcp, script).await;
                });
            }
        });
        Ok(ImapServer { port })
    }
}

async fn talk(acceptor: TlsAcceptor, tcp: TcpStream, script: Script) -> Result<()> {
    let (read, mut write) = tokio::io::split(acceptor.accept(tcp).await?);
    let mut lines = BufReader::new(read).lines();
    write
        .write_all(b"* OK Gimap ready for requests from 203.0.113.7 a640c23a62f3amb123456ejc\r\n")
        .await?;
    while let Some(line) = lines.next_line().await? {
        let mut words = line.split(' ');
        let tag = words.next().unwrap_or_default().to_owned();
        let answer = match words
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase()
            .as_str()
        {
            "CAPABILITY" => {
                "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\nTAG OK Thats all she wrote!"
                    .to_owned()
            }
            "AUTHENTICATE" => {
                if words.count() < 2 {
                    write.write_all(b"+ \r\n").await?;
                    lines.next_line().await?;
                }
                if script.login.starts_with("NO") {
                    write.write_all(b"+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==\r\n").await?;
                    lines.next_line().await?;
                }
                format!("TAG {}", script.login)
            }
            "EXAMINE" => format!("TAG {}", script.examine),
            "LOGOUT" => "* BYE LOGOUT Requested\r\nTAG OK 73 good day (Success)".to_owned(),
            _ => "TAG OK".to_owned(),
        };
        write
            .write_all(format!("{}\r\n", answer.replace("TAG", &tag)).as_bytes())
            .await?;
    }
    Ok(())
}
