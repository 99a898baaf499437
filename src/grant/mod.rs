//! The life of a grant: accept it from a sign-in, move its account from another Mailbox, do what its
//! owner asks for, renew it, adopt it, note what must outlive a status.

mod accept;
mod adopt;
mod moving;
mod oauth_client;
mod owner;
mod renew;
mod revoke;
mod store_rest;
mod traffic;
mod unsaved;
mod update;

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use url::Url;

use crate::api::Reason;
use crate::cluster::ClusterError;
use crate::cluster::grants::Grants;
use crate::domain::grant::Grant;
use crate::net::network::Network;

pub use accept::{AcceptError, Accepted, Consent};
pub use oauth_client::{ClientError, ProfileClient};
pub use renew::Renewal;
pub use revoke::RevokeError;
use traffic::Traffic;
pub use traffic::{HeldBack, NotYet, TrafficRules};
use unsaved::Unsaved;

/// Keeps grants: the one place that talks to Google about them and writes them.
#[derive(Clone)]
pub struct GrantKeeper {
    client: Client,
    grants: Grants,
    network: Arc<Network>,
    traffic: Traffic,
    unsaved: Unsaved,
}

/// A grant that was written, with the Secret as it is stored now.
#[derive(Clone, Debug)]
pub struct Written {
    /// The grant.
    pub grant: Grant,
    /// The Secret.
    pub secret: Secret,
}

/// Why a grant could not be worked on now. It says nothing of the grant.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The OAuth client is not there or is refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Google could not be asked.
    #[error("{0}")]
    Google(String),
    /// The grant is of another OAuth client or server than the profile's. Nothing was sent.
    #[error(
        "the sign-in is of the OAuth client {client_id} at {token_endpoint}, which is not the profile's now"
    )]
    ForeignGrant {
        /// The client that it was granted to.
        client_id: String,
        /// The server that gave it.
        token_endpoint: Url,
    },
    /// Google refused the client rather than the grant.
    #[error("Google refused the OAuth client: {said}")]
    ClientRefused {
        /// Why, as far as Google says.
        reason: Reason,
        /// In Google's words.
        said: String,
    },
    /// The API server.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl GrantKeeper {
    /// Grants in `namespace`, with connections from `network`, and requests to OAuth servers within
    /// `rules`.
    pub fn new(
        client: Client,
        namespace: &str,
        network: Arc<Network>,
        rules: TrafficRules,
    ) -> Self {
        Self {
            grants: Grants::new(client.clone(), namespace),
            client,
            network,
            traffic: Traffic::new(rules),
            unsaved: Unsaved::default(),
        }
    }

    /// The stored grants.
    pub fn stored(&self) -> &Grants {
        &self.grants
    }
}
