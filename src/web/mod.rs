//! The pages on which a mailbox's owner signs in, and the address that Google sends them back to.
//!
//! There is no memory in the process: a sign-in that is going on lives in an encrypted cookie, so
//! that any replica may answer any request. Nothing is watched and nothing is listed: each request
//! gets by name what it needs.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `routes` | which request goes where, and the bounds on all of them |
//! | `serve` | the listener: connections, TLS with a certificate from a Secret, the end |
//! | `edge` | what holds for every request: the host, and how much each caller may have |
//! | `link`, `mailbox` | the Mailbox that a link names, and the profile that serves it |
//! | `show`, `begin`, `callback` | the three requests of a sign-in |
//! | `act`, `origin` | the buttons of a mailbox's owner; whether a form is ours |
//! | `cookies`, `keys` | what the browser keeps, sealed: a `flow` between the last two requests of a sign-in, the `session` of an owner, the `outcome` of a request |
//! | `answer` | what Google puts into the URL |
//! | `progress` | the running test, from status |
//! | `stopped`, `refusal`, `attempt` | requests that end without what they ask for: why, the page, the status |
//! | `page`, `words`, `headers` | what a browser gets |

mod act;
mod answer;
mod attempt;
mod begin;
mod callback;
mod cookies;
mod edge;
mod flow;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod headers;
mod keys;
mod link;
mod mailbox;
mod origin;
mod outcome;
mod page;
mod progress;
mod refusal;
mod routes;
mod serve;
mod session;
mod show;
mod stopped;
mod words;

use std::sync::Arc;

use kube::Client;
use tokio::sync::Semaphore;

use self::edge::Edge;
use crate::cluster::ClusterError;
use crate::domain::caller::TrustedProxies;
use crate::domain::console::PublicUrl;
use crate::domain::reach::Reach;
use crate::grant::GrantKeeper;
use crate::net::network::Network;
use crate::telemetry::sign_ins::SignInPage;

pub use keys::KeyError;
use keys::KeyRing;
pub use serve::{Certificates, Door, Source, serve};

/// What an installation says about its pages.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Where browsers reach them. Absolute URLs are made from it, never from a `Host` header.
    pub public_url: PublicUrl,
    /// The operator's own namespace: its profiles may serve others, and its Secret has the keys.
    pub namespace: String,
    /// The namespaces whose Mailboxes can be signed in to.
    pub reach: Reach,
    /// The cluster by a name that people know, for the page.
    pub cluster_name: Option<String>,
    /// The proxies that may say for whom they ask.
    pub trusted_proxies: TrustedProxies,
}

/// The sign-in pages.
pub struct Web {
    client: Client,
    keeper: GrantKeeper,
    network: Arc<Network>,
    settings: WebSettings,
    metrics: SignInPage,
    keys: KeyRing,
    edge: Edge,
    /// Requests that are being answered.
    places: Semaphore,
}

/// The most requests that are answered at once. Each waits for the API server or for Google, so
/// more would only wait longer; what comes above is told to come again.
const MAX_REQUESTS: usize = 256;

impl Web {
    /// Pages that keep grants with `keeper`, connect as `network` allows, and are counted in
    /// `metrics`. Connects to nothing yet.
    pub fn new(
        client: Client,
        keeper: GrantKeeper,
        network: Arc<Network>,
        settings: WebSettings,
        metrics: SignInPage,
    ) -> Self {
        Self {
            keys: KeyRing::new(client.clone(), &settings.namespace),
            edge: Edge::new(
                settings.public_url.clone(),
                settings.trusted_proxies.clone(),
            ),
            client,
            keeper,
            network,
            settings,
            metrics,
            places: Semaphore::new(MAX_REQUESTS),
        }
    }

    /// Reads the keys of the cookies, and makes them if there are none.
    ///
    /// # Errors
    /// [`KeyError`]; the next sign-in tries again.
    pub async fn load_keys(&self) -> Result<(), KeyError> {
        self.keys.get().await.map(drop)
    }
}

/// The API server's "there is none", or "you may not see it": for a page they are the same.
fn nothing_there(error: &ClusterError) -> bool {
    let ClusterError::Api { source, .. } = error else {
        return false;
    };
    match source.as_ref() {
        kube::Error::Api(status) => status.code == 404 || status.code == 403,
        // An object that is older than the schema, and not readable.
        kube::Error::SerdeError(_) => true,
        _ => false,
    }
}
