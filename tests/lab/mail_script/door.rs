//! A port that people come in by, and what is wrong with it before anything is said.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};

use super::certificates::{Certificate, Certificates};
use super::fault::{Act, At, Fault};
use super::login::Offers;
use super::post::Post;
use super::talk::Talk;
use super::{Protocol, imap, pop3, smtp};
use crate::lab::ports::free_port;

/// How somebody who comes is received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// With TLS, at once or after STARTTLS, and this certificate.
    Tls(Certificate),
    /// In the clear, where TLS should be.
    Plain,
    /// Nobody listens.
    Refused,
    /// The queue of connections is full: what comes is dropped, as a firewall does.
    Dropped,
    /// The connection is taken, and closed.
    Closed,
    /// The connection is taken, and nothing is said.
    Silent,
    /// It is closed when the client has begun with TLS.
    ClosedInHandshake,
    /// The client's TLS is too new: a handshake of TLS 1.1 comes back.
    OldTls,
    /// A TLS alert comes back: no version that the client speaks.
    Alert,
    /// A TLS alert comes before the client has said anything, as from a server that has waited for TLS long enough.
    AlertAtOnce,
}

/// What can be switched at a door.
pub struct Setting {
    fault: Mutex<Option<Fault>>,
    offers: Mutex<Offers>,
    connections: Mutex<Vec<Instant>>,
}

/// A port with a server of its own. It lives as long as the test's runtime.
pub struct Door {
    /// Where it is.
    pub port: u16,
    setting: Arc<Setting>,
    orders: mpsc::UnboundedSender<Order>,
}

type Order = (Entry, oneshot::Sender<Result<()>>);

impl Door {
    pub(super) async fn open(
        protocol: Protocol,
        post: Arc<Post>,
        certificates: Arc<Certificates>,
    ) -> Result<Door> {
        let setting = Arc::new(Setting {
            fault: Mutex::default(),
            offers: Mutex::default(),
            connections: Mutex::default(),
        });
        let (orders, inbox) = mpsc::unbounded_channel();
        let port = free_port()?;
        let host = Host {
            protocol,
            setting: setting.clone(),
            post,
            certificates,
        };
        tokio::spawn(keep(port, host, inbox));
        let door = Door {
            port,
            setting,
            orders,
        };
        door.set_entry(Entry::Tls(Certificate::Good)).await?;
        Ok(door)
    }

    /// Who comes from now on is received so. Carried out when this returns.
    pub async fn set_entry(&self, entry: Entry) -> Result<()> {
        let (done, answer) = oneshot::channel();
        self.orders
            .send((entry, done))
            .ok()
            .context("the door is gone")?;
        answer.await?
    }

    /// From now on this goes wrong for everybody here.
    pub fn set_fault(&self, fault: Fault) {
        *lock(&self.setting.fault) = Some(fault);
    }

    /// What is said of the ways to log in.
    pub fn set_offers(&self, offers: Offers) {
        *lock(&self.setting.offers) = offers;
    }

    /// All is as it should be again; there may be fewer ways to log in than at Gmail.
    pub async fn restore(&self) -> Result<()> {
        *lock(&self.setting.fault) = None;
        if self.setting.offers() == Offers::Passwords {
            self.set_offers(Offers::Both);
        }
        self.set_entry(Entry::Tls(Certificate::Good)).await
    }

    /// When each connection came. Those that were refused or dropped are not known.
    pub fn connections(&self) -> Vec<Instant> {
        lock(&self.setting.connections).clone()
    }
}

impl Setting {
    pub(super) fn fault(&self) -> Option<Fault> {
        *lock(&self.fault)
    }

    pub(super) fn offers(&self) -> Offers {
        *lock(&self.offers)
    }

    /// Whether TLS follows on STARTTLS: it does where what is said to it says so.
    pub(super) fn goes_on_with_tls(&self) -> bool {
        match self.fault().map(|fault| (fault.at, fault.act)) {
            Some((At::Command("STARTTLS"), act)) => {
                matches!(act, Act::Say(text) if text.starts_with("220"))
            }
            _ => true,
        }
    }
}

/// All that a connection needs.
#[derive(Clone)]
struct Host {
    protocol: Protocol,
    setting: Arc<Setting>,
    post: Arc<Post>,
    certificates: Arc<Certificates>,
}

async fn keep(port: u16, host: Host, mut inbox: mpsc::UnboundedReceiver<Order>) {
    let mut entry = Entry::Refused;
    let mut listener = None;
    // They fill the queue.
    let mut fillers = Vec::new();
    loop {
        tokio::select! {
            order = inbox.recv() => {
                let Some((wanted, done)) = order else { return };
                let result = listen(port, wanted, &mut listener, &mut fillers).await;
                entry = wanted;
                drop(done.send(result));
            }
            Some(tcp) = accept(&listener, entry) => {
                lock(&host.setting.connections).push(Instant::now());
                let host = host.clone();
                // A client that goes away ends its own conversation only.
                tokio::spawn(async move {
                    let _ = host.receive(tcp, entry).await;
                });
            }
        }
    }
}

async fn accept(listener: &Option<TcpListener>, entry: Entry) -> Option<TcpStream> {
    match listener {
        Some(listener) if entry != Entry::Dropped => {
            listener.accept().await.ok().map(|(tcp, _)| tcp)
        }
        _ => std::future::pending().await,
    }
}

async fn listen(
    port: u16,
    wanted: Entry,
    listener: &mut Option<TcpListener>,
    fillers: &mut Vec<TcpStream>,
) -> Result<()> {
    let address = (Ipv4Addr::LOCALHOST, port).into();
    fillers.clear();
    match wanted {
        Entry::Refused => *listener = None,
        Entry::Dropped => {
            *listener = None;
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            *listener = Some(socket.listen(0)?);
            let mut is_full = false;
            while !is_full {
                let filler = TcpStream::connect(address);
                match tokio::time::timeout(Duration::from_millis(100), filler).await {
                    Ok(filler) => fillers.push(filler?),
                    Err(_) => is_full = true,
                }
            }
        }
        _ if listener.is_none() => *listener = Some(TcpListener::bind(address).await?),
        _ => {}
    }
    Ok(())
}

impl Host {
    async fn receive(&self, mut tcp: TcpStream, entry: Entry) -> Result<()> {
        // RFC 8446 section 5.1: the alert protocol_version, and a hello of a server in TLS 1.1.
        const ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];
        tcp.set_nodelay(true)?;
        match entry {
            Entry::Tls(certificate) => {
                let acceptor = self.certificates.acceptor(certificate);
                match self.protocol {
                    Protocol::Submission => {
                        let talk = self.talk(tcp);
                        smtp::talk(talk, Some(acceptor)).await
                    }
                    _ => self.speak(self.talk(acceptor.accept(tcp).await?)).await,
                }
            }
            Entry::Plain => self.speak(self.talk(tcp)).await,
            Entry::Refused | Entry::Dropped | Entry::Closed => Ok(()),
            Entry::Silent => ignore(&mut tcp).await,
            Entry::ClosedInHandshake => hello(&mut tcp).await,
            Entry::OldTls => {
                hello(&mut tcp).await?;
                tcp.write_all(&old_hello()).await?;
                ignore(&mut tcp).await
            }
            Entry::Alert => {
                hello(&mut tcp).await?;
                tcp.write_all(&ALERT).await?;
                ignore(&mut tcp).await
            }
            Entry::AlertAtOnce => {
                tcp.write_all(&ALERT).await?;
                ignore(&mut tcp).await
            }
        }
    }

    fn talk(&self, stream: impl super::talk::Stream + 'static) -> Talk {
        Talk::new(
            self.protocol,
            self.setting.clone(),
            self.post.clone(),
            Box::new(stream),
        )
    }

    async fn speak(&self, talk: Talk) -> Result<()> {
        match self.protocol {
            Protocol::Imap => imap::talk(talk).await,
            Protocol::Pop3 => pop3::talk(talk).await,
            Protocol::Smtp | Protocol::Submission => smtp::talk(talk, None).await,
        }
    }
}

/// Takes the client's first record, so that the end of the connection is not a reset.
async fn hello(tcp: &mut TcpStream) -> Result<()> {
    let mut header = [0; 5];
    tcp.read_exact(&mut header).await?;
    let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    tcp.read_exact(&mut record).await?;
    Ok(())
}

async fn ignore(tcp: &mut TcpStream) -> Result<()> {
    let mut ignored = [0; 1024];
    while tcp.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// A ServerHello of TLS 1.1 (RFC 4346 section 7.4.1.3): version, random, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no
/// compression.
fn old_hello() -> Vec<u8> {
    const BODY: u8 = 2 + 32 + 1 + 2 + 1;
    let mut hello = vec![22, 3, 2, 0, BODY + 4, 2, 0, 0, BODY, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    hello
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
