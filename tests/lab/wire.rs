//! A cable between the operator and a server that a test can pull out.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc as commands, watch};

use super::ports::free_port;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Open,
    /// For connections that come now; those there are go on.
    Full,
    Hanging,
    Cut,
}

impl Mode {
    fn lets_through(self) -> bool {
        matches!(self, Mode::Open | Mode::Full)
    }
}

type Done = mpsc::Sender<Result<()>>;

/// How many connections are open at once, over all wires that share it.
#[derive(Clone, Debug)]
pub struct Gauge {
    open: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
    post: Arc<Post>,
}

/// The one thread of all wires that share a gauge: what happens on them has one order.
#[derive(Debug)]
struct Post(Option<Runtime>);

impl Drop for Post {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connection that the client has not closed yet.
struct Counted(Gauge);

impl Gauge {
    /// With no wires yet.
    pub fn new() -> Result<Gauge> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Gauge {
            open: Arc::default(),
            peak: Arc::default(),
            post: Arc::new(Post(Some(runtime))),
        })
    }

    /// Now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// The most so far.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    /// The peak is counted anew.
    pub fn restart(&self) {
        self.peak.store(self.open(), Ordering::SeqCst);
    }

    fn count(&self) -> Counted {
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(open, Ordering::SeqCst);
        Counted(self.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Forwards a port of its own to a server's. It lives on its gauge's thread, and ends when dropped.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    accepted: Arc<AtomicU64>,
    gauge: Gauge,
    orders: commands::UnboundedSender<(Mode, Done)>,
    target: Arc<AtomicU16>,
}

impl Wire {
    /// Lays a wire to `target` on this machine.
    pub fn to(target: u16) -> Result<Wire> {
        Wire::counted(target, &Gauge::new()?)
    }

    /// The same, with its connections in `gauge`.
    pub fn counted(target: u16, gauge: &Gauge) -> Result<Wire> {
        let port = free_port()?;
        let accepted = Arc::new(AtomicU64::new(0));
        let (orders, inbox) = commands::unbounded_channel();
        let runtime = gauge.post.0.as_ref().context("the gauge is gone")?;
        let counters = (accepted.clone(), gauge.clone());
        let target = Arc::new(AtomicU16::new(target));
        runtime.spawn(run(port, target.clone(), counters, inbox));
        let wire = Wire {
            port,
            accepted,
            gauge: gauge.clone(),
            orders,
            target,
        };
        wire.restore()?;
        Ok(wire)
    }

    /// New connections lead to another server, as an ingress leads to another replica.
    pub fn lead_to(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
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

    /// Accepts connections and lets nothing through them; those there are go on.
    pub fn hang_new(&self) -> Result<()> {
        self.order(Mode::Full)
    }

    /// Works again, on the same port; what was held back goes on.
    pub fn restore(&self) -> Result<()> {
        self.order(Mode::Open)
    }

    /// How many connections have been accepted so far.
    pub fn connections(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many are open, and were at most.
    pub fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    // Returns when the order has been carried out, so that a test need not wait and hope.
    fn order(&self, mode: Mode) -> Result<()> {
        let (done, answer) = mpsc::channel();
        self.orders.send((mode, done))?;
        answer.recv()?
    }
}

async fn run(
    port: u16,
    target: Arc<AtomicU16>,
    (accepted, gauge): (Arc<AtomicU64>, Gauge),
    mut inbox: commands::UnboundedReceiver<(Mode, Done)>,
) {
    let (mode, _) = watch::channel(Mode::Cut);
    let mut listener: Option<TcpListener> = None;
    loop {
        tokio::select! {
            order = inbox.recv() => {
                let Some((wanted, done)) = order else {
                    mode.send_replace(Mode::Cut);
                    return;
                };
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
                let (gauge, target) = (gauge.clone(), target.load(Ordering::SeqCst));
                tokio::spawn(async move {
                    // Those that the client closed before it opened this one are taken note of first.
                    for _ in 0..100 {
                        tokio::task::yield_now().await;
                    }
                    let counted = gauge.count();
                    tokio::select! {
                        _ = cut.wait_for(|mode| *mode == Mode::Cut) => {}
                        _ = forward(client, target, mode, counted) => {}
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

async fn forward(
    client: TcpStream,
    target: u16,
    mut mode: watch::Receiver<Mode>,
    counted: Counted,
) -> Result<()> {
    let late = *mode.borrow() == Mode::Full;
    mode.wait_for(|mode| *mode == Mode::Open || (!late && mode.lets_through()))
        .await?;
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let upstream = mode.clone();
    tokio::try_join!(
        async move {
            let pumped = pump(from_client, to_server, upstream).await;
            drop(counted);
            pumped
        },
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
        mode.wait_for(|mode| mode.lets_through()).await?;
        let count = from.read(&mut buffer).await?;
        mode.wait_for(|mode| mode.lets_through()).await?;
        if count == 0 {
            return Ok(to.shutdown().await?);
        }
        to.write_all(&buffer[..count]).await?;
    }
}
