use oauth2::http::header::{ACCEPT, CONTENT_TYPE};
use oauth2::http::{Request, StatusCode};
use url::form_urlencoded::Serializer;

use super::Google;
use super::error::{OAuthError, Said, Trouble};
use crate::domain::secret::{ExposeSecret, RefreshToken};
use crate::telemetry::calls::Service;

const DOING: &str = "revoking the grant";

/// What a server says of a token that is revoked already. RFC 7009 section 2.2 has it answer 200;
/// Google says this.
const REVOKED: &str = "invalid_token";

impl Google {
    /// Revokes a grant by its refresh token (RFC 7009), for good. Google ends with it the access of
    /// *every* client of the same Cloud project to that account
    /// (developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke).
    ///
    /// The `oauth2` crate cannot leave the client out of the request. Google wants none, and at
    /// this time, after a Mailbox or its profile was deleted, there may be none.
    ///
    /// # Errors
    /// [`OAuthError`]; a token that is revoked already is no error.
    pub async fn revoke(&self, token: &RefreshToken) -> Result<(), OAuthError> {
        // In the body: a URL would be kept in logs along the way.
        let form = Serializer::new(String::new())
            .append_pair("token", token.expose_secret())
            .append_pair("token_type_hint", "refresh_token")
            .finish();
        let request = Request::post(self.endpoints.revocation.as_str())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(form.into_bytes())
            .map_err(|_| {
                OAuthError::trouble(Trouble::NotOAuth, DOING, "the request cannot be made")
            })?;
        let answer = self.transport(Service::OAuthRevocation).ask(request).await;
        let answer = answer.map_err(|error| error.while_doing(DOING))?;
        if answer.status() == StatusCode::OK {
            return Ok(());
        }
        let said: Said = serde_json::from_slice(answer.body()).map_err(|_| {
            OAuthError::trouble(Trouble::NotOAuth, DOING, "the answer cannot be read")
        })?;
        match said.judge(DOING, &[token.expose_secret()]) {
            OAuthError::Refused(refusal) if refusal.error == REVOKED => Ok(()),
            error => Err(error),
        }
    }
}
