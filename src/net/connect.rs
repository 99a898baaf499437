//! TCP and TLS to one endpoint, no further than the egress policy allows.

mod error;
mod link;
mod opening;
mod tunnel;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::detour::{Detour, Toll};
use super::gate::{Gate, NoAddress};
use crate::domain::server::Endpoint;

pub use error::ConnectError;
pub use link::Link;
pub use opening::Opening;
pub use tunnel::ProxyError;

/// Makes the connections of one profile.
#[derive(Clone)]
pub struct Dialer {
    gate: Gate,
    detour: Option<Detour>,
    tls: Arc<ClientConfig>,
    timeout: Duration,
}

/// A connection with TLS.
pub type Encrypted = TlsStream<Opening<Link>>;

impl Dialer {
    /// `timeout` is for each step: the name, the connection, and the handshake.
    pub fn new(gate: impl Into<Gate>, tls: Arc<ClientConfig>, timeout: Duration) -> Self {
        Self {
            gate: gate.into(),
            detour: None,
            tls,
            timeout,
        }
    }

    /// The same through a proxy.
    #[must_use]
    pub fn through(self, detour: Option<Detour>) -> Self {
        Self { detour, ..self }
    }

    /// The same with another time-out.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How long a server may take for each step.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A TCP connection to `endpoint`, where that is allowed: directly, or made by a proxy.
    ///
    /// # Errors
    /// Every [`ConnectError`] but those of the handshake.
    pub async fn tcp(&self, endpoint: &Endpoint) -> Result<Link, ConnectError> {
        self.gate.permits(endpoint)?;
        let detour = self.detour.as_ref();
        match detour.and_then(|detour| detour.toll(endpoint)) {
            Some(toll) => self.by_proxy(&toll, endpoint).await,
            None => {
                let addresses = self.addresses(endpoint).await?;
                Ok(self.first_of(&addresses).await?.into())
            }
        }
    }

    /// A connection that the proxy makes, which resolves the name, too. The time-out is for the
    /// proxy's name, for the connection to it, and for its answer each.
    async fn by_proxy(&self, toll: &Toll, endpoint: &Endpoint) -> Result<Link, ConnectError> {
        let unavailable = |what: &str| ProxyError::Unavailable {
            proxy: toll.proxy.clone(),
            what: what.to_owned(),
        };
        let addresses = match timeout(self.timeout, toll.addresses()).await {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(error)) => Err(unavailable(&format!(
                "has a name that does not resolve: {error}"
            )))?,
            Err(_) => Err(unavailable(
                "has a name for which no name server answered in time",
            ))?,
        };
        let tcp = match self.first_of(&addresses).await {
            Ok(tcp) => tcp,
            Err(error) => Err(unavailable(&format!("cannot be reached: {error}")))?,
        };
        match timeout(self.timeout, tunnel::dig(tcp, toll, endpoint)).await {
            Ok(dug) => Ok(dug?),
            Err(_) => Err(unavailable("did not answer in time"))?,
        }
    }

    /// To the first of `addresses` that answers.
    async fn first_of(&self, addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
        // It begins here, so that a slow name server is not told as a server that does not answer.
        let deadline = Instant::now() + self.timeout;
        let mut failure = ConnectError::NameNotResolved("it has no address".to_owned());
        for (tried, address) in addresses.iter().enumerate() {
            // Each has its share of what is left, so that a silent address does not keep the next
            // from being tried.
            let untried = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let share = deadline.saturating_duration_since(Instant::now()) / untried;
            let error = match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => match stream.set_nodelay(true) {
                    Ok(()) => return Ok(stream),
                    Err(error) => ConnectError::of_connection(&error),
                },
                Ok(Err(error)) => ConnectError::of_connection(&error),
                Err(_) => ConnectError::TimedOut,
            };
            // A cluster without IPv6 has no route to half of the addresses, which says nothing
            // about the server.
            if tried == 0 || matches!(failure, ConnectError::Unreachable(_)) {
                failure = error;
            }
        }
        Err(failure)
    }

    /// TLS on `tcp` with the server that calls itself `host`.
    ///
    /// # Errors
    /// The [`ConnectError`]s of the handshake.
    pub async fn tls(&self, tcp: Link, host: &str) -> Result<Encrypted, ConnectError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            ConnectError::CertificateNotTrusted(format!("no certificate can be for {host}"))
        })?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let handshake = connector.connect(name, Opening::new(tcp)).into_fallible();
        match timeout(self.timeout, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err((error, stream))) => Err(ConnectError::of_handshake(stream.began(), &error)),
            Err(_) => Err(ConnectError::TlsTimedOut),
        }
    }

    async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<SocketAddr>, ConnectError> {
        match timeout(self.timeout, self.gate.addresses(endpoint)).await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(NoAddress::NotAllowed(error))) => Err(error.into()),
            Ok(Err(NoAddress::NotResolved(words))) => Err(ConnectError::of_name(words)),
            Err(_) => Err(ConnectError::NameServerSilent(
                "the name server did not answer in time".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
