//! Where an OAuth server is: Google's, or a stand-in's.

use url::Url;

use super::server::Endpoint;
use crate::api::OAuthEndpointsSpec;

/// The scope that opens IMAP, POP and SMTP, and the only one that does
/// (developers.google.com/workspace/gmail/imap/xoauth2-protocol). The trailing slash matters.
pub const MAIL_SCOPE: &str = "https://mail.google.com/";

/// The host of Google's token endpoint.
const GOOGLE_TOKEN_HOST: &str = "oauth2.googleapis.com";

/// Where an OAuth server is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct OAuthEndpoints {
    /// As in `iss`.
    pub issuer: Url,
    /// Where a person consents.
    pub authorization: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token: Url,
    /// Where tokens are revoked (RFC 7009).
    pub revocation: Url,
    /// Where the keys of ID tokens are published.
    pub jwks: Url,
}

/// An endpoint that is not an https URL with a host.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("oauthClient.endpoints.{field} must be an https URL")]
pub struct BadEndpoint {
    field: &'static str,
}

impl OAuthEndpoints {
    /// Google's, as its discovery document has them:
    /// accounts.google.com/.well-known/openid-configuration
    pub fn google() -> Self {
        let google = OAuthEndpointsSpec {
            issuer: url_text("https://accounts.google.com"),
            authorization: url_text("https://accounts.google.com/o/oauth2/v2/auth"),
            token: url_text("https://oauth2.googleapis.com/token"),
            revocation: url_text("https://oauth2.googleapis.com/revoke"),
            jwks: url_text("https://www.googleapis.com/oauth2/v3/certs"),
        };
        Self::from_spec(&google)
            .unwrap_or_else(|_| unreachable!("Google's endpoints are https URLs"))
    }

    /// Whether Google itself is what will be asked.
    pub fn is_google(&self) -> bool {
        self.token.host_str() == Some(GOOGLE_TOKEN_HOST)
    }

    /// Those of a stand-in.
    ///
    /// # Errors
    /// [`BadEndpoint`] names the first that is not an https URL with a host.
    pub fn from_spec(spec: &OAuthEndpointsSpec) -> Result<Self, BadEndpoint> {
        let parse = |field, text: &str| match Url::parse(text) {
            Ok(url) if url.scheme() == "https" && url.has_host() && url.username().is_empty() => {
                Ok(url)
            }
            _ => Err(BadEndpoint { field }),
        };
        Ok(Self {
            issuer: parse("issuer", &spec.issuer.0)?,
            authorization: parse("authorization", &spec.authorization.0)?,
            token: parse("token", &spec.token.0)?,
            revocation: parse("revocation", &spec.revocation.0)?,
            jwks: parse("jwks", &spec.jwks.0)?,
        })
    }

    /// The hosts that the operator connects to, or sends people to.
    pub fn hosts(&self) -> [Endpoint; 4] {
        [
            &self.authorization,
            &self.token,
            &self.revocation,
            &self.jwks,
        ]
        .map(|url| {
            Endpoint::new(
                url.host_str().unwrap_or_default().trim_matches(['[', ']']),
                url.port_or_known_default().unwrap_or(443),
            )
        })
    }

    /// The issuer as it stands in `iss`: without the slash that an empty path gets.
    pub fn issuer_text(&self) -> &str {
        self.issuer.as_str().trim_end_matches('/')
    }
}

fn url_text(text: &str) -> crate::api::EndpointUrl {
    crate::api::EndpointUrl(text.into())
}
