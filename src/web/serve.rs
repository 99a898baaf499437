//! The listener: who gets a connection, how long it may take over what, and its end.
//!
//! hyper serves each connection, since `axum::serve` bounds neither their number nor the time that a
//! request's headers may take.

mod certificate;
mod connections;
mod tls;

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use self::connections::{Connections, Place};
use super::Web;
use crate::domain::caller::Peer;

pub use tls::{Certificates, Source};

/// How long requests that are being answered at the end may take.
const GRACE: Duration = Duration::from_secs(10);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a trusted proxy may keep a connection open for the next request: longer than proxies do
/// (60 s in nginx and in Amazon's load balancers), so that no request meets one that is closing.
const PROXY_IDLE: Duration = Duration::from_secs(75);
/// The longest life of a connection: who does not read our answers cannot hold it for ever. Then it
/// may still finish what it is at, for as long as a request is worked on.
const MAX_AGE: Duration = Duration::from_secs(600);
const LAST_REQUEST: Duration = Duration::from_secs(80);
/// The largest head of a request, in bytes: a full query and some cookies of 4 KiB. More gets 431.
const MAX_HEAD: usize = 32 * 1024;
/// The wait after an error of the listener, such as too many open files.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Where requests come in.
pub struct Door {
    /// The port.
    pub listener: TcpListener,
    /// With TLS by the operator, its certificates.
    pub certificates: Option<Arc<Certificates>>,
    /// How long a request's headers may take, and how long a connection waits for the next request.
    pub patience: Duration,
}

/// Answers requests until `stop`, and finishes those that are being answered.
///
/// # Errors
/// Where there can be no TLS at all.
pub async fn serve(door: Door, web: Arc<Web>, stop: CancellationToken) -> io::Result<()> {
    let tls = match &door.certificates {
        Some(certificates) => Some(certificates.acceptor().map_err(io::Error::other)?),
        None => None,
    };
    let cut = CancellationToken::new();
    let connections = Connections::default();
    let house = Arc::new(House {
        router: web.clone().router(),
        tls,
        patience: door.patience,
        stop: stop.clone(),
        cut: cut.clone(),
    });
    loop {
        let next = async {
            let place = connections.place().await;
            (place, door.listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let (Some(place), Ok((tcp, address))) = (place, accepted) else {
            sleep(LISTEN_AGAIN).await;
            continue;
        };
        let peer = web.edge.peer(address.ip());
        // One that has too many is closed at once.
        if let Some(place) = place.of(peer.itself()) {
            tokio::spawn(house.clone().entertain(tcp, peer, place));
        }
    }
    // Nobody is let in any more, also not those who wait in the listener's queue.
    drop(door.listener);
    if timeout(GRACE, connections.all_gone()).await.is_err() {
        tracing::warn!("requests to the sign-in pages were cut off at the end");
        cut.cancel();
    }
    Ok(())
}

/// What all connections share.
struct House {
    router: Router,
    tls: Option<TlsAcceptor>,
    patience: Duration,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl House {
    /// One connection from its beginning to its end.
    async fn entertain(self: Arc<Self>, tcp: TcpStream, peer: Peer, place: Place) {
        // What is answered is sent at once; without it the pages are only slower.
        let _ = tcp.set_nodelay(true);
        tokio::select! {
            () = self.converse(tcp, peer) => {}
            () = self.cut.cancelled() => {}
        }
        drop(place);
    }

    async fn converse(&self, tcp: TcpStream, peer: Peer) {
        let Some(tls) = &self.tls else {
            return self.answer(TokioIo::new(tcp), peer).await;
        };
        let shaken = tokio::select! {
            shaken = timeout(HANDSHAKE, tls.accept(tcp)) => shaken,
            // Nobody is being answered yet.
            () = self.stop.cancelled() => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.answer(TokioIo::new(stream), peer).await,
            Ok(Err(error)) => tracing::debug!(%error, ?peer, "no TLS with a browser"),
            Err(_) => tracing::debug!(?peer, "a TLS handshake took too long"),
        }
    }

    async fn answer(&self, stream: impl Read + Write + Unpin, peer: Peer) {
        let patience = match peer {
            Peer::Proxy(_) => self.patience.max(PROXY_IDLE),
            Peer::Crowd(_) | Peer::Single(_) => self.patience,
        };
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                // hyper counts it from the end of the answer before: it bounds the idle time, too.
                .header_read_timeout(patience)
                // Of one read at once the buffer may hold more.
                .max_header_size(MAX_HEAD)
                .max_buf_size(MAX_HEAD)
                .serve_connection(stream, self.service(peer))
        );
        tokio::select! {
            ended = connection.as_mut() => return told(ended, peer),
            () = self.stop.cancelled() => {}
            () = sleep(MAX_AGE) => {}
        }
        connection.as_mut().graceful_shutdown();
        if let Ok(ended) = timeout(LAST_REQUEST, connection).await {
            told(ended, peer);
        }
    }

    fn service(
        &self,
        peer: Peer,
    ) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
    {
        let router = TowerToHyperService::new(self.router.clone());
        service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.call(request)
        })
    }
}

/// Connections end badly all the time, mostly because somebody closes a browser.
fn told(ended: hyper::Result<()>, peer: Peer) {
    if let Err(error) = ended {
        tracing::debug!(%error, ?peer, "a connection to the sign-in pages ended");
    }
}
