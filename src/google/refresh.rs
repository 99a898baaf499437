use std::collections::BTreeSet;
use std::time::Duration;

use oauth2::EmptyExtraTokenFields;

use super::Google;
use super::error::OAuthError;
use super::token::{explain, issued, unreadable};
use crate::domain::oauth_client::OAuthClient;
use crate::domain::secret::{AccessToken, ExposeSecret, RefreshToken};
use crate::telemetry::calls::Service;

const DOING: &str = "renewing the access token";

/// A renewed access token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refreshed {
    /// For the mail servers.
    pub access_token: AccessToken,
    /// How long it lives: 1 s to 24 h; 3599 s where the server does not say.
    pub expires_in: Duration,
    /// A new refresh token, where the server replaces the old one. Google does not.
    pub refresh_token: Option<RefreshToken>,
    /// What the token is good for, where the server says.
    pub scopes: Option<BTreeSet<String>>,
}

impl Google {
    /// Exchanges a refresh token for an access token (RFC 6749 section 6). Sends no `scope`: the
    /// token then has those of the grant, and a grant that lacks one is told by its scopes instead
    /// of by a refusal.
    ///
    /// # Errors
    /// [`OAuthError`]; only [`OAuthError::Refused`] says anything of the grant.
    pub async fn refresh(
        &self,
        client: &OAuthClient,
        token: &RefreshToken,
    ) -> Result<Refreshed, OAuthError> {
        let secrets = [client.secret.expose_secret(), token.expose_secret()];
        let response = self
            .token_client::<EmptyExtraTokenFields>(client)
            .exchange_refresh_token(&oauth2::RefreshToken::new(secrets[1].to_owned()))
            .request_async(&self.transport(Service::OAuthToken))
            .await
            .map_err(|error| explain(error, DOING, &secrets))?;
        let issued = issued(&response).ok_or_else(|| unreadable(DOING))?;
        Ok(Refreshed {
            access_token: issued.access_token,
            expires_in: issued.expires_in,
            refresh_token: issued.refresh_token,
            scopes: issued.scopes,
        })
    }
}
