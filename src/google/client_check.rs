use std::borrow::Cow;

use oauth2::{AuthorizationCode, EmptyExtraTokenFields, RedirectUrl};
use url::Url;

use super::Google;
use super::error::OAuthError;
use super::token::explain;
use crate::domain::oauth_client::OAuthClient;
use crate::domain::secret::ExposeSecret;

const DOING: &str = "checking the OAuth client";

/// A code that no server ever issued.
const MADE_UP: &str = "gmail-operator-checks-the-client";

/// What a server says when it has accepted the client and looks at the rest of the request.
const CLIENT_IS_GOOD: [&str; 2] = ["invalid_grant", "redirect_uri_mismatch"];

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
    ) -> Result<(), OAuthError> {
        let outcome = self
            .token_client::<EmptyExtraTokenFields>(client)
            .exchange_code(AuthorizationCode::new(MADE_UP.to_owned()))
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect_uri.clone())))
            .request_async(&self.transport)
            .await
            .map_err(|error| explain(error, DOING, &[client.secret.expose_secret()]));
        match outcome {
            Ok(_) => Err(OAuthError::unavailable(
                DOING,
                "the server gave tokens for a code that it never issued",
            )),
            Err(OAuthError::Refused(refusal))
                if CLIENT_IS_GOOD.contains(&refusal.error.as_str()) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
