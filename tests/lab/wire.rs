//! A cable between the operator and a server that a test can pull out.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc as commands, watch};

use super::ports::free_port;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Open,
    Hanging,
    Cut,
}

type Done = mpsc::Sender<Result<()>>;

/// Forwards a port of its own to a server's. It lives on a thread of its own, and ends when dropped.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    accepted: Arc<AtomicU64>,
    // `None` only while dropping.
    orders: Option<commands::UnboundedSender<(Mode, Done)>>,
    thread: Option<JoinHandle<()>>,
}

impl Wire {
    /// Lays a wire to `target` on this machine.
    pub fn to(target: u16) -> Result<Wire> {
        let port = free_port()?;
        let accepted = Arc::new(AtomicU64::new(0));
        let (orders, inbox) = commands::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let counter = accepted.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(run(port, target, counter, inbox));
        });
        let wire = Wire {
            port,
            accepted,
            orders: Some(orders),
            thread: Some(thread),
        };
        wire.restore()?;
        Ok(wire)
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes all connections and refuses new ones.
    pub fn cut(&self) -> Result<()> {
        self.order(Mode::Cut)
    }

    /// Accepts connections and keeps those there are, but lets nothing through.
    pub fn hang(&self) -> Result<()> {
        self.order(Mode::Hanging)
    }

    /// Works again, on the same port; what was held back goes on.
    pub fn restore(&self) -> Result<()> {
        self.order(Mode::Open)
    }

    /// How many connections have been accepted so far.
    pub fn connections(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    // Returns when the order has been carried out, so that a test need not wait and hope.
    fn order(&self, mode: Mode) -> Result<()> {
        let (done, answer) = mpsc::channel();
        let orders = self.orders.as_ref().context("the wire is gone")?;
        orders.send((mode, done))?;
        answer.recv()?
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn run(
    port: u16,
    target: u16,
    accepted: Arc<AtomicU64>,
    mut inbox: commands::UnboundedReceiver<(Mode, Done)>,
) {
    let (mode, _) = watch::channel(Mode::Cut);
    let mut listener: Option<TcpListener> = None;
    loop {
        tokio::select! {
            order = inbox.recv() => {
                let Some((wanted, done)) = order else { return };
                let mut result = Ok(());
                if wanted == Mode::Cut {
                    listener = None;
                } else if listener.is_none() {
                    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                        Ok(open) => listener = Some(open),
                        Err(error) => result = Err(error.into()),
                    }
                }
                mode.send_replace(wanted);
                // The connections' turn: when `cut` returns, they are closed.
                tokio::task::yield_now().await;
                drop(done.send(result));
            }
            Some(client) = accept(&listener) => {
                accepted.fetch_add(1, Ordering::SeqCst);
                let mut cut = mode.subscribe();
                let mode = mode.subscribe();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = cut.wait_for(|mode| *mode == Mode::Cut) => {}
                        _ = forward(client, target, mode) => {}
                    }
                });
            }
        }
    }
}

async fn accept(listener: &Option<TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn forward(client: TcpStream, target: u16, mut mode: watch::Receiver<Mode>) -> Result<()> {
    mode.wait_for(|mode| *mode == Mode::Open).await?;
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, mode.clone()),
        pump(from_server, to_client, mode),
    )?;
    Ok(())
}

// Looks at the mode before each read and each write, so that nothing is lost when the wire hangs and goes on.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
) -> Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        mode.wait_for(|mode| *mode == Mode::Open).await?;
        let count = from.read(&mut buffer).await?;
        mode.wait_for(|mode| *mode == Mode::Open).await?;
        if count == 0 {
            return Ok(to.shutdown().await?);
        }
        to.write_all(&buffer[..count]).await?;
    }
}
