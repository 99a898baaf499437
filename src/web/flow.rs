//! One sign-in that is going on, kept in a cookie of the browser that began it. That binds the way
//! back from Google to that browser and to that Mailbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cookies::{Kept, is_left};
use super::link::Link;
use crate::domain::secret::{CodeVerifier, SignInNonce};

/// How long a person may take at Google, in seconds.
const LIFE: i64 = 600;

/// What must be the same on the way back. Sealed in the cookie; there is no `Debug`, since `state`,
/// `nonce` and `verifier` protect the sign-in.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Flow {
    pub purpose: Purpose,
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub issuer: String,
    pub token_endpoint: String,
    pub state: String,
    nonce: String,
    verifier: String,
    /// Milliseconds since 1970.
    expires_at: i64,
}

/// What a sign-in is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Purpose {
    /// A grant for mail.
    Consent,
    /// To prove who somebody is, and nothing else.
    Proof,
}

/// The secrets of a sign-in.
pub(super) struct FlowSecrets<'a> {
    pub state: String,
    pub nonce: &'a str,
    pub verifier: &'a str,
}

/// With what a sign-in is bound.
pub(super) struct Binding<'a> {
    pub purpose: Purpose,
    pub link: &'a Link,
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub issuer: &'a str,
    pub token_endpoint: &'a str,
}

impl Flow {
    pub fn new(binding: &Binding<'_>, secrets: FlowSecrets<'_>, now: Timestamp) -> Self {
        Self {
            purpose: binding.purpose,
            namespace: binding.link.mailbox.namespace.clone(),
            name: binding.link.mailbox.name.clone(),
            uid: binding.link.uid.clone(),
            client_id: binding.client_id.to_owned(),
            redirect_uri: binding.redirect_uri.to_owned(),
            issuer: binding.issuer.to_owned(),
            token_endpoint: binding.token_endpoint.to_owned(),
            state: secrets.state,
            nonce: secrets.nonce.to_owned(),
            verifier: secrets.verifier.to_owned(),
            expires_at: now.as_millisecond().saturating_add(LIFE * 1000),
        }
    }

    /// The Mailbox that it is for.
    pub fn link(&self) -> Option<Link> {
        Link::new(&self.namespace, &self.name, &self.uid)
    }

    pub fn nonce(&self) -> SignInNonce {
        SignInNonce::new(self.nonce.as_str())
    }

    pub fn verifier(&self) -> CodeVerifier {
        CodeVerifier::new(self.verifier.as_str())
    }

    /// Whether an answer that comes `now` is in time.
    pub fn is_in_time(&self, now: Timestamp) -> bool {
        is_left(self.expires_at, LIFE, now)
    }
}

/// An answer finds its sign-in by the `state`: the cookie's name is made from it, the seal covers the
/// name, and what is inside is compared.
impl Kept for Flow {
    const KIND: &'static str = "signin";
    /// Longer than it counts, so that a sign-in that took too long is told from one of another
    /// browser.
    const MAX_AGE: i64 = 2 * LIFE;

    fn id(&self) -> &str {
        &self.state
    }

    fn expires_at(&self) -> i64 {
        self.expires_at
    }
}
