use std::fmt;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreJsonWebKeySet};
use openidconnect::{
    AuthUrl, ClientId, CsrfToken, LoginHint, Nonce, PkceCodeChallenge, RedirectUrl, Scope,
};
use url::Url;

use super::Google;
use crate::domain::endpoints::MAIL_SCOPE;
use crate::domain::secret::{CodeVerifier, SignInNonce};

/// The scope that puts `email` and `email_verified` into the ID token (OpenID Connect Core section
/// 5.4). Google gives it back as `https://www.googleapis.com/auth/userinfo.email`.
const EMAIL_SCOPE: &str = "email";

/// What a sign-in for mail asks for.
pub(super) const SCOPES: [&str; 3] = ["openid", EMAIL_SCOPE, MAIL_SCOPE];

/// One sign-in that begins: where the browser goes, and what is kept to check its way back.
#[derive(Clone, Eq, PartialEq)]
pub struct SignInRequest {
    /// Where the person consents. Holds `state` and `nonce`: for their browser only.
    pub url: Url,
    /// What the callback must bring back (RFC 6749 section 10.12): 128 random bits.
    pub state: String,
    /// What the ID token must bring back: 128 random bits.
    pub nonce: SignInNonce,
    /// What the exchange must send (RFC 7636): 256 random bits.
    pub verifier: CodeVerifier,
}

/// Shows where the sign-in leads and none of what protects it.
impl fmt::Debug for SignInRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInRequest")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

impl Google {
    /// Begins a sign-in that ends with a grant for mail: offline, and asking for consent even where
    /// it was given before, since Google gives no refresh token otherwise
    /// (developers.google.com/identity/protocols/oauth2/web-server). `include_granted_scopes` is
    /// left out: a grant has the scopes of this consent, and no earlier ones.
    ///
    /// `login_hint`, an e-mail address, only suggests an account: who consented is known from
    /// [`Google::verify`].
    pub fn begin(&self, client_id: &str, redirect_uri: &Url, login_hint: &str) -> SignInRequest {
        self.sign_in(client_id, redirect_uri, login_hint, true)
    }

    /// Begins a sign-in that only proves who somebody is: no mail, no refresh token, and no
    /// question to a person who consented before.
    pub fn begin_proof(
        &self,
        client_id: &str,
        redirect_uri: &Url,
        login_hint: &str,
    ) -> SignInRequest {
        self.sign_in(client_id, redirect_uri, login_hint, false)
    }

    fn sign_in(&self, id: &str, redirect_uri: &Url, hint: &str, mail: bool) -> SignInRequest {
        let no_keys = CoreJsonWebKeySet::new(Vec::new());
        let client = CoreClient::new(ClientId::new(id.to_owned()), self.issuer(), no_keys)
            .set_auth_uri(AuthUrl::from_url(self.endpoints.authorization.clone()))
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        // `openid` is asked for by the library.
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new(EMAIL_SCOPE.to_owned()))
            .set_pkce_challenge(challenge)
            .set_login_hint(LoginHint::new(hint.to_owned()));
        if mail {
            request = request
                .add_scope(Scope::new(MAIL_SCOPE.to_owned()))
                .add_prompt(CoreAuthPrompt::Consent)
                .add_extra_param("access_type", "offline");
        }
        let (url, state, nonce) = request.url();
        SignInRequest {
            url,
            state: state.into_secret(),
            nonce: SignInNonce::new(nonce.secret()),
            verifier: CodeVerifier::new(verifier.into_secret()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing;
    use super::*;
    use crate::domain::secret::ExposeSecret;

    fn parameters(url: &Url) -> BTreeMap<String, String> {
        url.query_pairs().into_owned().collect()
    }

    #[test]
    fn asks_for_mail_offline_with_consent() {
        let redirect: Url = "http://localhost:9999/oauth2/callback".parse().unwrap();
        let begun = testing::google().begin("1-a", &redirect, "ann+x@example.com");
        let mut asked = parameters(&begun.url);
        assert_eq!(asked.remove("state").as_ref(), Some(&begun.state));
        let nonce = asked.remove("nonce");
        assert_eq!(nonce.as_deref(), Some(begun.nonce.expose_secret()));
        assert_eq!(asked.remove("code_challenge").map(|c| c.len()), Some(43));
        let expected = [
            ("access_type", "offline"),
            ("client_id", "1-a"),
            ("code_challenge_method", "S256"),
            ("login_hint", "ann+x@example.com"),
            ("prompt", "consent"),
            ("redirect_uri", redirect.as_str()),
            ("response_type", "code"),
            ("scope", "openid email https://mail.google.com/"),
        ];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(asked, expected.into());
        let text = begun.url.as_str();
        assert!(text.starts_with("https://accounts.google.com/o/oauth2/v2/auth?"));
        let shown = format!("{begun:?}");
        assert!(!shown.contains(&begun.state) && !shown.contains(begun.nonce.expose_secret()));
    }

    #[test]
    fn a_proof_asks_for_no_mail() {
        let redirect: Url = "https://x.example.com/oauth2/callback".parse().unwrap();
        let asked = parameters(&testing::google().begin_proof("1-a", &redirect, "a@b.c").url);
        assert_eq!(asked["scope"], "openid email");
        assert!(!asked.contains_key("access_type") && !asked.contains_key("prompt"));
    }

    #[test]
    fn nothing_is_used_twice() {
        let redirect: Url = "https://x.example.com/oauth2/callback".parse().unwrap();
        let [one, two] = [0, 1].map(|_| testing::google().begin("1-a", &redirect, "a@b.c"));
        assert!(one.state != two.state && one.nonce != two.nonce && one.verifier != two.verifier);
    }
}
