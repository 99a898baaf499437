//! Names to addresses, and only to those that may be connected to.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::lookup_host;

use crate::domain::egress::{EgressPolicy, NotAllowed};
use crate::domain::server::Endpoint;

/// Tells the addresses of a name. In production it is the system's.
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The addresses of `host`, each with `port`.
    ///
    /// # Errors
    /// The system's words where there is none.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// getaddrinfo(3).
#[derive(Debug)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        async move { Ok(lookup_host((host, port)).await?.collect()) }.boxed()
    }
}

/// The way out: the egress policy, and who tells the addresses that it is asked about.
#[derive(Clone, Debug)]
pub struct Gate {
    egress: Arc<EgressPolicy>,
    resolver: Arc<dyn Resolver>,
}

/// Why there is no address to connect to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoAddress {
    /// The policy forbids every address that the name has.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The name has no address, with the system's words.
    #[error("{0}")]
    NotResolved(String),
}

impl From<Arc<EgressPolicy>> for Gate {
    fn from(egress: Arc<EgressPolicy>) -> Self {
        Self::new(egress, Arc::new(SystemResolver))
    }
}

impl Gate {
    /// What `egress` allows of what `resolver` tells.
    pub fn new(egress: Arc<EgressPolicy>, resolver: Arc<dyn Resolver>) -> Self {
        Self { egress, resolver }
    }

    /// The policy.
    pub fn egress(&self) -> &EgressPolicy {
        &self.egress
    }

    /// Whether `endpoint` may be connected to, as far as that is known before a name is resolved:
    /// here, or by a proxy.
    ///
    /// # Errors
    /// [`NotAllowed`].
    pub fn permits(&self, endpoint: &Endpoint) -> Result<(), NotAllowed> {
        self.egress.permits(endpoint)?;
        match endpoint.host.parse() {
            Ok(address) => self.egress.permits_address(endpoint, address),
            Err(_) => Ok(()),
        }
    }

    /// The addresses of `endpoint` that may be connected to. It is these that must be connected to:
    /// a name that is asked for twice may have another answer the second time.
    ///
    /// # Errors
    /// [`NoAddress`].
    pub async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<SocketAddr>, NoAddress> {
        let found = self
            .resolver
            .resolve(&endpoint.host, endpoint.port)
            .await
            .map_err(|error| NoAddress::NotResolved(error.to_string()))?;
        let mut allowed = Vec::new();
        let mut refusal = None;
        for address in found {
            match self.egress.permits_address(endpoint, address.ip()) {
                Ok(()) => allowed.push(address),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            _ if !allowed.is_empty() => Ok(allowed),
            Some(error) => Err(error.into()),
            None => Err(NoAddress::NotResolved("it has no address".to_owned())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
