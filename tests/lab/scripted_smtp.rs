//! An SMTP server that treats messages as no real one here can be made to treat them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::Lab;

/// What becomes of a message that has come in completely.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It is taken over.
    Taken,
    /// It is refused for now.
    NotNow,
    /// It is refused for good.
    Refused,
    /// It is taken over, and the connection ends without an answer.
    Dropped,
    /// It is taken over, and the answer never comes.
    Held,
}

/// A server on a free port, for as long as the test's runtime lives. Every login is good.
pub struct SmtpServer {
    /// Its port.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    fate: Fate,
    messages: Vec<String>,
}

impl SmtpServer {
    /// With a certificate of the lab's.
    pub async fn start(lab: &Lab, fate: Fate) -> Result<SmtpServer> {
        let chain = CertificateDer::pem_file_iter(&lab.tls.cert)?.collect::<Result<Vec<_>, _>>()?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(&lab.tls.key)?)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let messages = Vec::new();
        let state = Arc::new(Mutex::new(State { fate, messages }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), shared.clone());
                // A client that goes away ends its own conversation only.
                tokio::spawn(async move {
                    let _ = talk(acceptor, tcp, &state).await;
                });
            }
        });
        Ok(SmtpServer { port, state })
    }

    /// From now on.
    pub fn set(&self, fate: Fate) {
        locked(&self.state).fate = fate;
    }

    /// Every message that came in completely, whatever became of it.
    pub fn messages(&self) -> Vec<String> {
        locked(&self.state).messages.clone()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn talk(acceptor: TlsAcceptor, tcp: TcpStream, state: &Mutex<State>) -> Result<()> {
    let (read, mut write) = tokio::io::split(acceptor.accept(tcp).await?);
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 smtp.example.com ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let command = line.split(' ').next().unwrap_or_default();
        let answer = match command.to_ascii_uppercase().as_str() {
            "EHLO" => "250-smtp.example.com\r\n250 AUTH XOAUTH2",
            "AUTH" => "235 2.7.0 Accepted",
            "DATA" => {
                write.write_all(b"354 Go ahead\r\n").await?;
                let mut message = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    message.push_str(&line);
                    message.push('\n');
                }
                let fate = {
                    let mut state = locked(state);
                    state.messages.push(message);
                    state.fate
                };
                match fate {
                    Fate::Taken => "250 2.0.0 OK",
                    Fate::NotNow => "451 4.3.0 Mail server temporarily rejected message.",
                    Fate::Refused => "550 5.7.1 The message is refused.",
                    Fate::Dropped => return Ok(()),
                    // Until the client is gone.
                    Fate::Held => {
                        lines.next_line().await?;
                        return Ok(());
                    }
                }
            }
            "QUIT" => "221 2.0.0 closing connection",
            _ => "250 2.1.0 OK",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
