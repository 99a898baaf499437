//! TCP and TLS to one endpoint, no further than the egress policy allows.

mod error;
mod opening;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::gate::{Gate, NoAddress};
use crate::domain::server::Endpoint;

pub use error::ConnectError;
pub use opening::Opening;

/// Makes the connections of one profile.
#[derive(Clone)]
pub struct Dialer {
    gate: Gate,
    tls: Arc<ClientConfig>,
    timeout: Duration,
}

/// A connection with TLS.
pub type Encrypted = TlsStream<Opening<TcpStream>>;

impl Dialer {
    /// `timeout` is for each step: the name, the connection, and the handshake.
    pub fn new(gate: impl Into<Gate>, tls: Arc<ClientConfig>, timeout: Duration) -> Self {
        Self {
            gate: gate.into(),
            tls,
            timeout,
        }
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

    /// A TCP connection to the first address of `endpoint` that answers and is allowed.
    ///
    /// # Errors
    /// Every [`ConnectError`] but those of the handshake.
    pub async fn tcp(&self, endpoint: &Endpoint) -> Result<TcpStream, ConnectError> {
        self.gate.egress().permits(endpoint)?;
        let addresses = self.addresses(endpoint).await?;
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
    pub async fn tls(&self, tcp: TcpStream, host: &str) -> Result<Encrypted, ConnectError> {
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
