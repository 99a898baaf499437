//! OAuth with Google, or with a stand-in: consent, exchange, identity, refresh, revocation, and the
//! check of a client. Each remote call is one method of [`Google`], makes one request, and never
//! retries: when to try again is decided elsewhere.

mod client_check;
mod consent;
mod error;
mod exchange;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod refresh;
mod retry_after;
mod revoke;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod token;
mod transport;

use std::sync::Arc;

use openidconnect::IssuerUrl;
use url::Url;

use crate::domain::endpoints::OAuthEndpoints;
use crate::net::http::HttpClient;
use crate::telemetry::calls::Service;

pub use client_check::ClientAnswer;
pub use consent::SignInRequest;
pub use error::{OAuthError, Trouble};
pub use exchange::{Exchanged, IdToken};
pub use identity::{Identity, IdentityError};
pub use refresh::Refreshed;
use transport::Transport;

/// One OAuth server, reached with one profile's trust.
#[derive(Clone, Debug)]
pub struct Google {
    endpoints: Arc<OAuthEndpoints>,
    http: HttpClient,
}

impl Google {
    /// The server at `endpoints`. Connects to nothing yet.
    pub fn new(endpoints: OAuthEndpoints, http: HttpClient) -> Self {
        Self {
            endpoints: Arc::new(endpoints),
            http,
        }
    }

    /// What carries the requests to `service`.
    fn transport(&self, service: Service) -> Transport {
        Transport::new(self.http.clone(), service)
    }

    /// Where this server takes codes and refresh tokens.
    pub fn token_endpoint(&self) -> &Url {
        &self.endpoints.token
    }

    /// Whether a callback's `iss` is this server's: required, and compared to the letter (RFC 9207
    /// section 2.4). Google promises it with `authorization_response_iss_parameter_supported` in
    /// accounts.google.com/.well-known/openid-configuration. It keeps a code that was issued by one
    /// server from being sent to another.
    pub fn check_issuer(&self, iss: Option<&str>) -> bool {
        iss == Some(self.endpoints.issuer_text())
    }

    /// The issuer as ID tokens write it. Made from the text, since a URL would put a slash at the
    /// end, and issuers are compared to the letter.
    fn issuer(&self) -> IssuerUrl {
        IssuerUrl::new(self.endpoints.issuer_text().to_owned())
            .unwrap_or_else(|_| IssuerUrl::from_url(self.endpoints.issuer.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
