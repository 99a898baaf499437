//! TCP and TLS to one endpoint, no further than the egress policy allows.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::{CertificateError, ClientConfig, Error as TlsError};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::gate::{Gate, NoAddress};
use crate::domain::egress::NotAllowed;
use crate::domain::server::Endpoint;

/// Makes the connections of one profile.
#[derive(Clone)]
pub struct Dialer {
    gate: Gate,
    tls: Arc<ClientConfig>,
    timeout: Duration,
}

/// Why there is no connection, in words for a person.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The policy forbids the name, or every address that it has.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The name has no address, or the name server did not say in time.
    #[error("the name does not resolve: {0}")]
    NameNotResolved(String),
    /// ECONNREFUSED.
    #[error("nothing listens there, or something on the way refuses the connection")]
    Refused,
    /// Another error of connect(2), such as "No route to host".
    #[error("no connection could be made: {0}")]
    Unreachable(String),
    /// Neither yes nor no in time, from the connection or from the handshake.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended in the handshake.
    #[error("the connection was closed in the TLS handshake")]
    Lost,
    /// TLS, but not with a server that can be trusted: which of the rules its certificate breaks.
    #[error("the server's certificate is not trusted: {0}")]
    CertificateNotTrusted(String),
    /// What is spoken there is not TLS, or none that both sides know.
    #[error("no TLS connection could be agreed on: {0}")]
    NotTls(String),
}

impl Dialer {
    /// `timeout` is for each step: name and connection together, and the handshake.
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
        let deadline = Instant::now() + self.timeout;
        let addresses = self.addresses(endpoint).await?;
        let mut failure = ConnectError::NameNotResolved("it has no address".to_owned());
        for (tried, address) in addresses.iter().enumerate() {
            // Each has its share of what is left, so that a silent address does not keep the next
            // from being tried.
            let untried = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let share = deadline.saturating_duration_since(Instant::now()) / untried;
            let error = match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => match stream.set_nodelay(true) {
                    Ok(()) => return Ok(stream),
                    Err(error) => connection_error(&error),
                },
                Ok(Err(error)) => connection_error(&error),
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
    pub async fn tls(
        &self,
        tcp: TcpStream,
        host: &str,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            ConnectError::CertificateNotTrusted(format!("no certificate can be for {host}"))
        })?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        match timeout(self.timeout, connector.connect(name, tcp)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(handshake_error(&error)),
            Err(_) => Err(ConnectError::TimedOut),
        }
    }

    async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<SocketAddr>, ConnectError> {
        match timeout(self.timeout, self.gate.addresses(endpoint)).await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(NoAddress::NotAllowed(error))) => Err(error.into()),
            Ok(Err(NoAddress::NotResolved(words))) => Err(ConnectError::NameNotResolved(words)),
            Err(_) => Err(ConnectError::NameNotResolved(
                "the name server did not answer in time".to_owned(),
            )),
        }
    }
}

fn connection_error(error: &io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused,
        io::ErrorKind::TimedOut => ConnectError::TimedOut,
        _ => ConnectError::Unreachable(error.to_string()),
    }
}

fn handshake_error(error: &io::Error) -> ConnectError {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsError>());
    match tls {
        // The operating system's own: the connection was reset or ended.
        None => ConnectError::Lost,
        Some(TlsError::InvalidCertificate(why)) => {
            ConnectError::CertificateNotTrusted(certificate_fault(why))
        }
        Some(TlsError::InvalidMessage(_)) => {
            ConnectError::NotTls("the server answers with something that is not TLS".to_owned())
        }
        Some(other) => ConnectError::NotTls(other.to_string()),
    }
}

/// The three that people meet, in words; rustls's own for the rest.
fn certificate_fault(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "it is not from a known authority (is spec.caBundle missing, or does a proxy replace certificates?)".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet (is a clock wrong?)".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
