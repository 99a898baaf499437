use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::egress::EgressPolicy;
use crate::domain::server::Endpoint;

/// Resolves names, and gives only addresses that the policy permits. What a name resolves to can
/// change between a check and a connection; this way the addresses that are connected to are the
/// ones that were checked.
pub(super) struct CheckedResolver {
    egress: Arc<EgressPolicy>,
}

/// A name that has no address, with the system's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NameNotResolved(pub(super) String);

impl CheckedResolver {
    pub(super) fn new(egress: Arc<EgressPolicy>) -> Self {
        Self { egress }
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.egress.clone();
        Box::pin(async move {
            // Port 0 stands for the URL's port, which a resolver is not told.
            let endpoint = Endpoint::new(name.as_str(), 0);
            let found = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(|error| NameNotResolved(error.to_string()))?;
            let mut forbidden = None;
            let mut permitted: Vec<SocketAddr> = Vec::new();
            for address in found {
                match egress.permits_address(&endpoint, address.ip()) {
                    Ok(()) => permitted.push(address),
                    Err(not_allowed) => forbidden = Some(not_allowed),
                }
            }
            match forbidden {
                Some(not_allowed) if permitted.is_empty() => Err(not_allowed.into()),
                None if permitted.is_empty() => {
                    Err(NameNotResolved("it has no address".to_owned()).into())
                }
                _ => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}
