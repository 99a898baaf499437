//! For `tests/fuzz`: what reads an OAuth server's answers, without a server.

use std::sync::Arc;
use std::time::Duration;

use oauth2::HttpResponse;
use oauth2::http::{Response, StatusCode};
use openidconnect::core::CoreJsonWebKeySet;

use super::exchange::{SignInFields, exchanged};
use super::identity::read;
use super::transport::let_through;
use super::{Exchanged, Google, Identity, IdentityError, OAuthError};
use crate::domain::egress::EgressPolicy;
use crate::domain::endpoints::OAuthEndpoints;
use crate::domain::oauth_client::OAuthClient;
use crate::domain::secret::{ExposeSecret, SignInNonce};
use crate::domain::server::Endpoint;
use crate::net::http::HttpClient;
use crate::net::trust::tls_config;

/// One sign-in, as far as an answer of the server's can be judged.
pub struct SignIn {
    google: Google,
    client: OAuthClient,
    code: &'static str,
}

impl SignIn {
    /// A sign-in of the client with this ID and secret, for which Google gave `code`.
    pub fn new(id: &str, secret: &str, code: &'static str) -> Option<Self> {
        let tls = tls_config(None).ok()?;
        let egress = Arc::new(EgressPolicy::default());
        let http = HttpClient::new(tls, egress, Duration::from_secs(1)).ok()?;
        Some(Self {
            google: Google::new(OAuthEndpoints::google(), http),
            client: OAuthClient::from_id_and_secret(id, secret.as_bytes()).ok()?,
            code,
        })
    }

    /// The server's name in `iss`.
    pub fn issuer(&self) -> &str {
        self.google.endpoints.issuer_text()
    }

    /// What comes of an answer of the token endpoint.
    ///
    /// # Errors
    /// Those of [`Google::exchange`].
    pub fn exchanged(&self, status: u16, body: &[u8]) -> Result<Exchanged, OAuthError> {
        let answer = |_| {
            let mut answer: HttpResponse = Response::new(body.to_vec());
            *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let_through(answer, Endpoint::new("oauth2.googleapis.com", 443))
        };
        let response = self
            .google
            .token_client::<SignInFields>(&self.client)
            .exchange_code(oauth2::AuthorizationCode::new(self.code.to_owned()))
            .request(&answer);
        exchanged(response, &[self.client.secret.expose_secret(), self.code])
    }

    /// Whom an ID token names, by a set of keys; `None` where that is none.
    ///
    /// # Errors
    /// Those of [`Google::verify`].
    pub fn verified(
        &self,
        token: &str,
        keys: &[u8],
        nonce: &str,
    ) -> Option<Result<Identity, IdentityError>> {
        let keys: CoreJsonWebKeySet = serde_json::from_slice(keys).ok()?;
        let nonce = SignInNonce::new(nonce);
        let read = read(&token.to_owned().into());
        Some(read.and_then(|token| self.google.proved(&token, keys, &self.client.id, &nonce)))
    }
}
