use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openidconnect::core::{
    CoreGenderClaim, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, DiscoveryError, IdTokenClaims,
    JsonWebKeySetUrl, Nonce,
};
use serde::{Deserialize, Serialize};

use super::error::{NoAnswer, OAuthError, Trouble};
use super::{Exchanged, Google, IdToken};
use crate::domain::address::EmailAddress;
use crate::domain::secret::{ExposeSecret, SignInNonce};
use crate::telemetry::calls::Service;

const DOING: &str = "fetching the keys that ID tokens are signed with";

/// The signatures that are believed: Google's, and the one that stand-ins use beside it. Never one
/// with a shared secret, which the client secret's holder could make.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 2] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
];

/// How far the server's clock and ours may be apart. The token was issued a moment ago, for the
/// exchange that just ended.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(600);

/// The longest `sub` (OpenID Connect Core section 2), in characters of ASCII.
const MAX_SUBJECT: usize = 255;
/// The longest domain (RFC 1035 section 2.3.4).
const MAX_DOMAIN: usize = 253;

/// Who consented.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The server that says so, as in `iss`.
    pub issuer: String,
    /// The account, as in `sub`: it stays when the address changes. At most 255 printable
    /// characters of ASCII.
    pub subject: String,
    /// The account's address: an [`EmailAddress`], as the server writes it.
    pub email: String,
    /// Whether the server knows that the address is the account's.
    pub email_verified: bool,
    /// The Workspace domain; `None` for a personal account.
    pub hosted_domain: Option<String>,
}

/// Why it is not known who consented.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityError {
    /// The server sent no ID token, though `openid` was asked for.
    #[error("the server did not say who signed in")]
    Missing,
    /// The ID token does not hold.
    #[error("who signed in is not proved: {0}")]
    NotProved(String),
    /// The keys could not be fetched.
    #[error(transparent)]
    Unavailable(#[from] OAuthError),
}

/// Google's claim beside OpenID Connect's own
/// (developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Workspace {
    hd: Option<String>,
}

impl AdditionalClaims for Workspace {}

pub(super) type SignedIdToken = openidconnect::IdToken<
    Workspace,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

impl Google {
    /// Who consented: the claims of the ID token, after its signature, `iss`, `aud`, `exp`, `iat`
    /// and `nonce` have been checked (OpenID Connect Core section 3.1.3.7). Fetches the keys each
    /// time, for they change and sign-ins are rare.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn verify(
        &self,
        exchanged: &Exchanged,
        client_id: &str,
        nonce: &SignInNonce,
    ) -> Result<Identity, IdentityError> {
        let token = exchanged.id_token.as_ref().ok_or(IdentityError::Missing)?;
        let token = read(token)?;
        let keys = self.signing_keys().await?;
        self.proved(&token, keys, client_id, nonce)
    }

    /// Whom `token` names, if it is signed with one of `keys` and made for this sign-in.
    pub(super) fn proved(
        &self,
        token: &SignedIdToken,
        keys: CoreJsonWebKeySet,
        client_id: &str,
        nonce: &SignInNonce,
    ) -> Result<Identity, IdentityError> {
        let client_id = ClientId::new(client_id.to_owned());
        let verifier = CoreIdTokenVerifier::new_public_client(client_id, self.issuer(), keys)
            .set_allowed_algs(ALGORITHMS)
            .set_issue_time_verifier_fn(|issued| is_now(issued.timestamp()));
        let nonce = Nonce::new(nonce.expose_secret().to_owned());
        match token.claims(&verifier, &nonce) {
            Ok(claims) => identity(claims),
            Err(error) => Err(not_proved(words(&error))),
        }
    }

    async fn signing_keys(&self) -> Result<CoreJsonWebKeySet, OAuthError> {
        let url = JsonWebKeySetUrl::from_url(self.endpoints.jwks.clone());
        CoreJsonWebKeySet::fetch_async(&url, &self.transport(Service::OAuthKeys))
            .await
            .map_err(|error: DiscoveryError<NoAnswer>| match error {
                DiscoveryError::Request(no_answer) => no_answer.while_doing(DOING),
                _ => {
                    OAuthError::trouble(Trouble::NotOAuth, DOING, "the answer is not a set of keys")
                }
            })
    }
}

/// A token that is not verified yet. The library's words may repeat it.
pub(super) fn read(token: &IdToken) -> Result<SignedIdToken, IdentityError> {
    SignedIdToken::from_str(token.expose_secret())
        .map_err(|_| not_proved("the ID token cannot be read"))
}

fn identity(claims: &IdTokenClaims<Workspace, CoreGenderClaim>) -> Result<Identity, IdentityError> {
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > MAX_SUBJECT || !is_one_word(subject) {
        return Err(not_proved("the ID token names no account"));
    }
    let email: EmailAddress = claims
        .email()
        .and_then(|email| email.parse().ok())
        .ok_or_else(|| not_proved("the ID token has no e-mail address"))?;
    let domain = claims.additional_claims().hd.as_deref();
    Ok(Identity {
        issuer: claims.issuer().as_str().to_owned(),
        subject: subject.to_owned(),
        email: email.as_str().to_owned(),
        email_verified: claims.email_verified() == Some(true),
        hosted_domain: domain
            .filter(|hd| !hd.is_empty() && hd.len() <= MAX_DOMAIN && is_one_word(hd))
            .map(str::to_owned),
    })
}

fn is_one_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether a time, in seconds since 1970, is now or nearly.
fn is_now(time: i64) -> Result<(), String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    let apart = u64::try_from(time).map_or(u64::MAX, |time| time.abs_diff(now));
    if apart <= CLOCK_TOLERANCE.as_secs() {
        Ok(())
    } else {
        Err("issued at another time".to_owned())
    }
}

fn not_proved(why: &str) -> IdentityError {
    IdentityError::NotProved(why.to_owned())
}

/// Our words: the library's repeat the claims.
fn words(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => {
            "the ID token is not of now; the clock of the server or of this cluster may be wrong"
        }
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for another client",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is from another server",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token is of another sign-in",
        ClaimsVerificationError::SignatureVerification(_) => {
            "the ID token is not signed with a key of the server"
        }
        _ => "the ID token does not hold",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
