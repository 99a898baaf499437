use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use oauth2::basic::BasicTokenType;
use oauth2::{
    ExtraTokenFields, PkceCodeVerifier, RedirectUrl, RequestTokenError, StandardTokenResponse,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Google;
use super::consent::SCOPES;
use super::error::{NoAnswer, OAuthError, Said};
use super::token::{explain, issued, unreadable};
use crate::domain::oauth_client::OAuthClient;
use crate::domain::secret::{
    AccessToken, AuthorizationCode, CodeVerifier, ExposeSecret, RefreshToken,
};
use crate::telemetry::calls::Service;

const DOING: &str = "exchanging the sign-in's code for tokens";

/// The longest life of a refresh token that is told: anything longer is as good as for ever, and
/// would overflow a date.
const MAX_REFRESH_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What a code was exchanged for. Whose it is, is known only from [`Google::verify`].
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// For the mail servers.
    pub access_token: AccessToken,
    /// How long it lives: 1 s to 24 h.
    pub expires_in: Duration,
    /// Missing where the person had consented before and was not asked again.
    pub refresh_token: Option<RefreshToken>,
    /// What was granted, in the server's words: the person may have left mail out, and Google
    /// writes `email` as `https://www.googleapis.com/auth/userinfo.email`. Those of [`Google::begin`]
    /// where the server does not say, which means just that (RFC 6749 section 5.1).
    pub scopes: BTreeSet<String>,
    /// Who consented, not verified yet.
    pub id_token: Option<IdToken>,
    /// How long the refresh token lives, where the server says: access that the person gave for a
    /// time (developers.google.com/identity/protocols/oauth2/web-server). At most ten years.
    pub refresh_token_expires_in: Option<Duration>,
}

/// An ID token as it came (OpenID Connect Core section 2): it names a person, so it is not printed.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct IdToken(SecretString);

impl From<String> for IdToken {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl ExposeSecret<str> for IdToken {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What a token response has beside OAuth's own fields. Only ever read; the `oauth2` crate wants
/// it writable.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SignInFields {
    #[serde(skip_serializing)]
    id_token: Option<IdToken>,
    refresh_token_expires_in: Option<u64>,
}

impl ExtraTokenFields for SignInFields {}

pub(super) type SignInResponse = StandardTokenResponse<SignInFields, BasicTokenType>;

impl Google {
    /// Exchanges an authorisation code (RFC 6749 section 4.1.3). A code is good for one exchange:
    /// after any error the sign-in starts again.
    ///
    /// # Errors
    /// [`OAuthError`].
    pub async fn exchange(
        &self,
        client: &OAuthClient,
        redirect_uri: &Url,
        code: &AuthorizationCode,
        verifier: &CodeVerifier,
    ) -> Result<Exchanged, OAuthError> {
        let secrets = [
            client.secret.expose_secret(),
            code.expose_secret(),
            verifier.expose_secret(),
        ];
        let response = self
            .token_client::<SignInFields>(client)
            .exchange_code(oauth2::AuthorizationCode::new(secrets[1].to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(secrets[2].to_owned()))
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect_uri.clone())))
            .request_async(&self.transport(Service::OAuthToken))
            .await;
        exchanged(response, &secrets)
    }
}

/// What came of an exchange in which `secrets` were sent.
pub(super) fn exchanged(
    response: Result<SignInResponse, RequestTokenError<NoAnswer, Said>>,
    secrets: &[&str],
) -> Result<Exchanged, OAuthError> {
    let response = response.map_err(|error| explain(error, DOING, secrets))?;
    let issued = issued(&response).ok_or_else(|| unreadable(DOING))?;
    let extra = response.extra_fields();
    Ok(Exchanged {
        access_token: issued.access_token,
        expires_in: issued.expires_in,
        refresh_token: issued.refresh_token,
        scopes: issued
            .scopes
            .unwrap_or_else(|| SCOPES.map(str::to_owned).into()),
        id_token: extra.id_token.clone(),
        refresh_token_expires_in: extra
            .refresh_token_expires_in
            .map(|seconds| Duration::from_secs(seconds).min(MAX_REFRESH_LIFE)),
    })
}
