//! A mail server for hundreds of logins at once, where the lab's own would take minutes. It lets everybody in, and keeps
//! book of who is there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use crate::lab::Lab;

/// Both protocols, each on a free port, for as long as the test's runtime lives.
pub struct CountingServer {
    pub imap_port: u16,
    pub smtp_port: u16,
    book: Book,
}

/// Connections, and those of one account that have said whose they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Count {
    pub open: usize,
    pub peak: usize,
    /// Logins that were followed by a command, over IMAP and SMTP.
    pub tests: [usize; 2],
}

#[derive(Clone, Default)]
struct Book(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    all: Count,
    accounts: HashMap<String, Count>,
}

#[derive(Clone, Copy)]
enum Protocol {
    Imap,
    Smtp,
}

/// A connection until its client was told goodbye, or left without one. By then the client may make the next.
struct Visit {
    book: Book,
    account: Option<String>,
}

impl CountingServer {
    pub async fn start(lab: &Lab) -> Result<CountingServer> {
        let chain = CertificateDer::pem_file_iter(&lab.tls.cert)?.collect::<Result<Vec<_>, _>>()?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(&lab.tls.key)?)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let book = Book::default();
        Ok(CountingServer {
            imap_port: serve(Protocol::Imap, &acceptor, &book).await?,
            smtp_port: serve(Protocol::Smtp, &acceptor, &book).await?,
            book,
        })
    }

    /// All connections.
    pub fn all(&self) -> Count {
        self.book.lock().all.clone()
    }

    /// Those of each account.
    pub fn accounts(&self) -> HashMap<String, Count> {
        self.book.lock().accounts.clone()
    }
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    fn enter(&mut self) {
        self.open += 1;
        self.peak = self.peak.max(self.open);
    }
}

impl Visit {
    fn begin(book: &Book) -> Visit {
        book.lock().all.enter();
        Visit {
            book: book.clone(),
            account: None,
        }
    }

    /// `login` is what XOAUTH2 sends.
    fn log_in(&mut self, login: &str) -> Result<()> {
        let login = String::from_utf8(STANDARD.decode(login)?)?;
        let (user, _) = login.split_once('\x01').context("not XOAUTH2")?;
        let user = user.strip_prefix("user=").context("no user")?;
        let mut counts = self.book.lock();
        counts.accounts.entry(user.to_owned()).or_default().enter();
        self.account = Some(user.to_owned());
        Ok(())
    }

    fn tested(&self, protocol: Protocol) {
        let mut counts = self.book.lock();
        let account = self.account.as_ref();
        if let Some(count) = account.and_then(|user| counts.accounts.get_mut(user)) {
            count.tests[protocol as usize] += 1;
        }
        counts.all.tests[protocol as usize] += 1;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut counts = self.book.lock();
        counts.all.open -= 1;
        let account = self.account.as_ref();
        if let Some(count) = account.and_then(|user| counts.accounts.get_mut(user)) {
            count.open -= 1;
        }
    }
}

async fn serve(protocol: Protocol, acceptor: &TlsAcceptor, book: &Book) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (acceptor, book) = (acceptor.clone(), book.clone());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, visit) = (acceptor.clone(), Visit::begin(&book));
            // A client that goes away ends its own conversation only.
            tokio::spawn(async move {
                let _ = Conversation::talk(protocol, acceptor, tcp, visit).await;
            });
        }
    });
    Ok(port)
}

struct Conversation {
    lines: Lines<BufReader<ReadHalf<TlsStream<TcpStream>>>>,
    write: WriteHalf<TlsStream<TcpStream>>,
    visit: Visit,
}

impl Conversation {
    async fn talk(
        protocol: Protocol,
        acceptor: TlsAcceptor,
        tcp: TcpStream,
        visit: Visit,
    ) -> Result<()> {
        tcp.set_nodelay(true)?;
        let (read, write) = split(acceptor.accept(tcp).await?);
        let conversation = Conversation {
            lines: BufReader::new(read).lines(),
            write,
            visit,
        };
        match protocol {
            Protocol::Imap => conversation.imap().await,
            Protocol::Smtp => conversation.smtp().await,
        }
    }

    async fn imap(mut self) -> Result<()> {
        self.say("* OK Gimap ready").await?;
        while let Some(line) = self.lines.next_line().await? {
            let words: Vec<&str> = line.split(' ').collect();
            let (tag, command) = (words[0], words.get(1).copied().unwrap_or_default());
            match command.to_ascii_uppercase().as_str() {
                "CAPABILITY" => {
                    self.say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2")
                        .await?;
                }
                "AUTHENTICATE" => match words.get(3) {
                    Some(login) => self.visit.log_in(login)?,
                    None => {
                        self.say("+ ").await?;
                        let login = self.lines.next_line().await?.context("no login")?;
                        self.visit.log_in(&login)?;
                    }
                },
                "EXAMINE" => self.visit.tested(Protocol::Imap),
                "LOGOUT" => return self.leave(&format!("* BYE\r\n{tag} OK")).await,
                _ => {}
            }
            self.say(&format!("{tag} OK")).await?;
        }
        Ok(())
    }

    async fn smtp(mut self) -> Result<()> {
        self.say("220 smtp.example.com ESMTP").await?;
        while let Some(line) = self.lines.next_line().await? {
            let words: Vec<&str> = line.split(' ').collect();
            match words[0].to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.say("250-smtp.example.com\r\n250 AUTH XOAUTH2").await?;
                    continue;
                }
                "AUTH" => {
                    self.visit.log_in(words.get(2).context("no login")?)?;
                    self.say("235 2.7.0 Accepted").await?;
                    continue;
                }
                "NOOP" => self.visit.tested(Protocol::Smtp),
                "QUIT" => return self.leave("221 2.0.0 closing connection").await,
                _ => {}
            }
            self.say("250 2.0.0 OK").await?;
        }
        Ok(())
    }

    /// The next connection may come as soon as its client has read this.
    async fn leave(mut self, goodbye: &str) -> Result<()> {
        drop(self.visit);
        let goodbye = format!("{goodbye}\r\n");
        Ok(self.write.write_all(goodbye.as_bytes()).await?)
    }

    async fn say(&mut self, answer: &str) -> Result<()> {
        let answer = format!("{answer}\r\n");
        Ok(self.write.write_all(answer.as_bytes()).await?)
    }
}
