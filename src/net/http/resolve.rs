use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::server::Endpoint;
use crate::net::gate::{Gate, NoAddress};

/// Gives the HTTP library only addresses that the policy permits. What a name resolves to can
/// change between a check and a connection; this way the addresses that are connected to are the
/// ones that were checked.
pub(super) struct CheckedResolver(pub(super) Gate);

/// A name that has no address, with the system's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NameNotResolved(pub(super) String);

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let gate = self.0.clone();
        Box::pin(async move {
            // Port 0 stands for the URL's port, which a resolver is not told.
            match gate.addresses(&Endpoint::new(name.as_str(), 0)).await {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(NoAddress::NotAllowed(error)) => Err(error.into()),
                Err(NoAddress::NotResolved(words)) => Err(NameNotResolved(words).into()),
            }
        })
    }
}
