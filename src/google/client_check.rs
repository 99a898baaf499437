use std::borrow::Cow;

use oauth2::{AuthorizationCode, EmptyExtraTokenFields, RedirectUrl};
use url::Url;

use super::Google;
use super::error::{OAuthError, Trouble};
use super::token::explain;
use crate::domain::oauth_client::OAuthClient;
use crate::domain::secret::ExposeSecret;
use crate::telemetry::calls::Service;

const DOING: &str = "checking the OAuth client";

/// A code that no server ever issued.
const MADE_UP: &str = "gmail-operator-checks-the-client";

/// What the token endpoint says of a client whose ID and secret it accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientAnswer {
    /// Nothing else.
    Good,
    /// The redirect URI of the request is not registered with it.
    RedirectMismatch,
}

impl Google {
    /// Whether the client's ID and secret are good, without any person: with a made-up code, the
    /// token endpoint authenticates the client first, and then refuses the code. TruffleHog's
    /// `googleoauth2clientcredentials` relies on the same. To Google it counts as a use of the
    /// client, which is deleted after six months without (support.google.com/cloud/answer/15549257).
    ///
    /// # Errors
    /// [`OAuthError::Refused`] where the client is refused; the others say nothing of the client.
    pub async fn check_client(
        &self,
        client: &OAuthClient,
        redirect_uri: &Url,
    ) -> Result<ClientAnswer, OAuthError> {
        let outcome = self
            .token_client::<EmptyExtraTokenFields>(client)
            .exchange_code(AuthorizationCode::new(MADE_UP.to_owned()))
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect_uri.clone())))
            .request_async(&self.transport(Service::OAuthClientCheck))
            .await
            .map_err(|error| explain(error, DOING, &[client.secret.expose_secret()]));
        match outcome {
            Ok(_) => Err(OAuthError::trouble(
                Trouble::NotOAuth,
                DOING,
                "the server gave tokens for a code that it never issued",
            )),
            // It has accepted the client, and looks at the rest of the request.
            Err(OAuthError::Refused(refusal)) => match refusal.error.as_str() {
                "invalid_grant" => Ok(ClientAnswer::Good),
                "redirect_uri_mismatch" => Ok(ClientAnswer::RedirectMismatch),
                _ => Err(OAuthError::Refused(refusal)),
            },
            Err(error) => Err(error),
        }
    }
}
