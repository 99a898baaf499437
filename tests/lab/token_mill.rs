//! A token endpoint for thousands of accounts, where the stand-in for Google would take most of the machine. It knows
//! one client and as many refresh tokens as asked for, never replaces them, and remembers each request.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::Lab;

/// The most that a request's head or body may have, in bytes.
const MAX: usize = 16 * 1024;

/// A server on a free port, on a thread of its own, until it is dropped.
pub struct TokenMill {
    /// Its port.
    pub port: u16,
    shop: Arc<Shop>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// One renewal that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// When.
    pub at: Instant,
    /// The number of the account; `None` for a token that was never given.
    pub account: Option<usize>,
    /// Whether it got a token.
    pub given: bool,
}

struct Shop {
    accounts: usize,
    life: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fails: bool,
    /// What it answers to the renewals of an account in place of a token.
    answers: HashMap<usize, Answer>,
    asked: Vec<Asked>,
}

/// A status line without its version, and a body.
type Answer = (&'static str, &'static str);

impl TokenMill {
    /// With refresh tokens for so many accounts, whose access tokens live so long.
    pub fn new(lab: &Lab, accounts: usize, life: Duration) -> Result<TokenMill> {
        let chain = CertificateDer::pem_file_iter(&lab.tls.cert)?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&lab.tls.key)?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let shop = Arc::new(Shop {
            accounts,
            life,
            state: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let served = shop.clone();
        runtime.spawn(async move {
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, shop) = (acceptor.clone(), served.clone());
                // A client that goes away ends its own conversation only.
                tokio::spawn(async move {
                    let _ = talk(acceptor, tcp, &shop).await;
                });
            }
        });
        Ok(TokenMill {
            port,
            shop,
            runtime: Some(runtime),
        })
    }

    /// The refresh token of an account.
    pub fn refresh_token(account: usize) -> String {
        format!("1//0mill-{account}")
    }

    /// From now on it answers 503, or works again.
    pub fn fail(&self, fails: bool) {
        self.shop.lock().fails = fails;
    }

    /// From now on it answers this to the renewals of an account: status and body.
    pub fn set_answer(&self, account: usize, status: &'static str, body: &'static str) {
        let mut state = self.shop.lock();
        state.answers.insert(account, (status, body));
    }

    /// From now on an account is given tokens again.
    pub fn clear_answer(&self, account: usize) {
        self.shop.lock().answers.remove(&account);
    }

    /// Every renewal that was asked for, oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        self.shop.lock().asked.clone()
    }
}

impl Drop for TokenMill {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shop {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Status and body for a form.
    fn answer(&self, form: &HashMap<String, String>) -> (&'static str, String) {
        let mut state = self.lock();
        let fails = state.fails;
        if form.get("grant_type").map(String::as_str) != Some("refresh_token") {
            return match fails {
                true => ("503 Service Unavailable", String::new()),
                // The check of the client.
                false => ("400 Bad Request", r#"{"error":"invalid_grant"}"#.to_owned()),
            };
        }
        let token = form.get("refresh_token").map(String::as_str);
        let number = token.and_then(|token| token.strip_prefix("1//0mill-")?.parse().ok());
        let account = number.filter(|number| *number < self.accounts);
        let instead = account.and_then(|account| state.answers.get(&account).copied());
        let given = !fails && account.is_some() && instead.is_none();
        state.asked.push(Asked {
            at: Instant::now(),
            account,
            given,
        });
        let nth = state.asked.len();
        if let Some((status, body)) = instead {
            return (status, body.to_owned());
        }
        match (fails, account) {
            (true, _) => ("503 Service Unavailable", String::new()),
            (false, None) => ("400 Bad Request", r#"{"error":"invalid_grant"}"#.to_owned()),
            (false, Some(account)) => {
                let life = self.life.as_secs();
                let body = format!(
                    r#"{{"access_token":"ya29.mill-{account}-{nth}","expires_in":{life},"token_type":"Bearer"}}"#
                );
                ("200 OK", body)
            }
        }
    }
}

async fn talk(acceptor: TlsAcceptor, tcp: TcpStream, shop: &Shop) -> Result<()> {
    tcp.set_nodelay(true)?;
    let (read, mut write) = tokio::io::split(acceptor.accept(tcp).await?);
    let mut read = BufReader::new(read);
    while let Some(body) = request(&mut read).await? {
        let form = url::form_urlencoded::parse(&body).into_owned().collect();
        let (status, body) = shop.answer(&form);
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        write.write_all(answer.as_bytes()).await?;
        write.flush().await?;
    }
    Ok(())
}

/// The body of the next request; `None` at the end.
async fn request(read: &mut (impl AsyncBufReadExt + Unpin)) -> Result<Option<Vec<u8>>> {
    let (mut length, mut head) = (0, 0);
    loop {
        let mut line = String::new();
        let count = read.read_line(&mut line).await?;
        if count == 0 {
            return Ok(None);
        }
        head += count;
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().context("no length")?;
        }
        if head > MAX || length > MAX {
            bail!("too large");
        }
    }
    let mut body = vec![0; length];
    read.read_exact(&mut body).await?;
    Ok(Some(body))
}
