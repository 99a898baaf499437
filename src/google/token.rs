//! The token endpoint (RFC 6749 section 3.2), which every grant goes through.

use std::collections::BTreeSet;
use std::time::Duration;

use oauth2::basic::{BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{
    AuthType, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields,
    RequestTokenError, StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};

use super::Google;
use super::error::{NoAnswer, OAuthError, Said, Trouble};
use crate::domain::oauth_client::OAuthClient;
use crate::domain::secret::{AccessToken, ExposeSecret, RefreshToken};

/// An access token's life where the server does not say: Google's usual `expires_in`.
const USUAL_LIFE: Duration = Duration::from_secs(3599);
/// The bounds of a life that is believed. Zero would have a token renewed without end; years would
/// have it never renewed, and overflow a date.
const LIFE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(24 * 3600));

/// The `oauth2` client of the token endpoint, with `EF` as fields beside OAuth's own.
pub(super) type TokenClient<EF> = Client<
    Said,
    StandardTokenResponse<EF, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    Said,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What the token endpoint issued.
pub(super) struct Issued {
    pub(super) access_token: AccessToken,
    pub(super) expires_in: Duration,
    pub(super) refresh_token: Option<RefreshToken>,
    pub(super) scopes: Option<BTreeSet<String>>,
}

impl Google {
    pub(super) fn token_client<EF: ExtraTokenFields>(
        &self,
        client: &OAuthClient,
    ) -> TokenClient<EF> {
        Client::new(ClientId::new(client.id.clone()))
            .set_client_secret(ClientSecret::new(client.secret.expose_secret().to_owned()))
            // Basic has several incompatible encodings in the wild; Google documents the body.
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.endpoints.token.clone()))
    }
}

/// What an error of the `oauth2` crate comes down to. Its own words may repeat the answer.
pub(super) fn explain(
    error: RequestTokenError<NoAnswer, Said>,
    doing: &'static str,
    secrets: &[&str],
) -> OAuthError {
    match error {
        RequestTokenError::ServerResponse(said) => said.judge(doing, secrets),
        RequestTokenError::Request(no_answer) => no_answer.while_doing(doing),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => unreadable(doing),
    }
}

/// An answer that is not what OAuth says it is. It may be a captive portal's, and passes.
pub(super) fn unreadable(doing: &'static str) -> OAuthError {
    OAuthError::trouble(
        Trouble::NotOAuth,
        doing,
        "the answer is not a token response that can be read",
    )
}

/// Checks and bounds what was issued; `None` where it cannot be used.
pub(super) fn issued<EF: ExtraTokenFields>(
    response: &StandardTokenResponse<EF, BasicTokenType>,
) -> Option<Issued> {
    // A token of an unknown type must not be used (RFC 6749 section 7.1).
    if *response.token_type() != BasicTokenType::Bearer {
        return None;
    }
    let refresh_token = match response.refresh_token() {
        None => None,
        Some(token) => Some(RefreshToken::new(one_word(token.secret())?)),
    };
    let life = response.expires_in().unwrap_or(USUAL_LIFE);
    Some(Issued {
        access_token: AccessToken::new(one_word(response.access_token().secret())?),
        expires_in: life.clamp(LIFE.0, LIFE.1),
        refresh_token,
        scopes: response.scopes().map(|scopes| {
            let words = scopes.iter().filter_map(|scope| one_word(scope.as_str()));
            words.map(str::to_owned).collect()
        }),
    })
}

/// A text without white space and control characters, which would break the HTTP header, the SASL
/// message or the Secret that it is put into (RFC 6749 appendix A.12, RFC 6750 section 2.1).
fn one_word(text: &str) -> Option<&str> {
    let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    good.then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use oauth2::EmptyExtraTokenFields;

    use super::*;

    fn read(json: &str) -> Option<Issued> {
        let response: StandardTokenResponse<EmptyExtraTokenFields, BasicTokenType> =
            serde_json::from_str(json).unwrap();
        issued(&response)
    }

    #[test]
    fn lives_are_bounded() {
        for (expires_in, life) in [
            ("", 3599),
            (r#","expires_in":0"#, 1),
            (r#","expires_in":3920"#, 3920),
            (r#","expires_in":18446744073709551615"#, 86400),
        ] {
            let json = format!(r#"{{"access_token":"t","token_type":"bearer"{expires_in}}}"#);
            let found = read(&json).map(|issued| issued.expires_in.as_secs());
            assert_eq!(found, Some(life), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for json in [
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a\u0001auth=b","token_type":"Bearer"}"#,
            r#"{"access_token":"a b","token_type":"Bearer"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":"a","token_type":"Bearer","refresh_token":"x\n"}"#,
        ] {
            assert!(read(json).is_none(), "{json}");
        }
    }

    #[test]
    fn scopes_are_a_set() {
        let json = r#"{"access_token":"a","token_type":"Bearer","scope":"https://mail.google.com/ openid openid"}"#;
        let scopes = read(json).and_then(|issued| issued.scopes).unwrap();
        assert_eq!(
            Vec::from_iter(scopes),
            ["https://mail.google.com/", "openid"]
        );
    }
}
