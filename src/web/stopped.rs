//! Why a request does not get what it asks for, and which errors of the rooms below mean that.

use serde::{Deserialize, Serialize};

use super::Web;
use super::keys::KeyError;
use super::mailbox::Found;
use crate::api::Reason;
use crate::cluster::ClusterError;
use crate::cluster::credentials::CredentialsError;
use crate::domain::refusal::Refusal;
use crate::google::{Identity, IdentityError, OAuthError};
use crate::grant::{AcceptError, ClientError, KeeperError, ProfileClient};
use crate::telemetry::sign_ins::SignInResult;

/// Why a request ends here. `String`s are for the log.
#[derive(Debug)]
pub(super) enum Stopped {
    /// Nothing there, or not for this link.
    NotFound,
    /// The POST is not of our page.
    OtherOrigin,
    /// The answer belongs to no sign-in that this browser has open.
    NoSignIn(NoSignIn),
    /// The sign-in is refused.
    Refused(Refused),
    /// The API server cannot be asked now.
    Cluster(String),
    /// Google cannot be asked now.
    Google(String),
}

/// Why an answer belongs to no sign-in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoSignIn {
    /// It is not what an OAuth server sends.
    NotAnAnswer,
    /// This browser has no sign-in open: it was begun in another, its cookie was dropped, or it is
    /// long over.
    NoCookie,
    /// This browser has sign-ins open, and this is the answer to none of them.
    OfAnother,
    /// Its cookie does not open: the keys have changed more than once, or it was tampered with.
    Unreadable,
}

/// A sign-in that is refused.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Refused {
    pub reason: Reason,
    /// Who signed in, where that is what is wrong.
    pub signed_in: Option<String>,
    /// What is known beside the reason, in our own words.
    pub detail: Option<String>,
}

impl Refused {
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            signed_in: None,
            detail: None,
        }
    }

    /// Somebody else has signed in than whom this is for.
    pub fn wrong_account(identity: &Identity) -> Self {
        Self {
            signed_in: Some(identity.email.clone()),
            ..Self::new(Reason::WrongAccount)
        }
    }
}

/// OAuth's words in a redirect for "not now" (RFC 6749 section 4.1.2.1).
const NOT_NOW: [&str; 2] = ["server_error", "temporarily_unavailable"];

impl Stopped {
    pub fn refused(reason: Reason) -> Self {
        Self::Refused(Refused::new(reason))
    }

    pub fn cluster(detail: impl ToString) -> Self {
        Self::Cluster(detail.to_string())
    }

    /// Whether the same request may do better later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Cluster(_) | Self::Google(_))
    }

    /// Google sent the person back with `error`.
    pub fn said(error: &str) -> Self {
        let refusal = Refusal {
            error: error.to_owned(),
            ..Refusal::default()
        };
        match error {
            "access_denied" => Self::refused(Reason::ConsentDeclined),
            _ if NOT_NOW.contains(&error) => Self::Google("it said so in its redirect".to_owned()),
            _ => Self::refused(of_code(&refusal)),
        }
    }

    /// The keeper did not take the consent of `identity`.
    pub fn accepting(error: AcceptError, identity: &Identity) -> Self {
        match error {
            AcceptError::Refused(Reason::WrongAccount) => {
                Self::Refused(Refused::wrong_account(identity))
            }
            AcceptError::Refused(reason) => Self::refused(reason),
            AcceptError::Keeper(error) => error.into(),
        }
    }
}

impl Web {
    /// Counts a sign-in that is `stopped` through no fault of whoever signs in.
    pub(super) fn count_failed(&self, stopped: &Stopped) {
        if stopped.is_passing() {
            self.metrics.ended(SignInResult::Failed);
        }
    }

    /// The OAuth client of the profile that serves `found`.
    pub(super) async fn client_of(&self, found: &Found) -> Result<ProfileClient, Stopped> {
        let profile = found.profile.as_ref();
        let profile = profile.ok_or_else(|| Stopped::refused(Reason::ProfileNotAvailable))?;
        Ok(self.keeper.client_of(profile).await?)
    }
}

/// What a refused code means. It was given a moment ago: there is no grant yet that could end.
fn of_code(refusal: &Refusal) -> Reason {
    if refusal.of_client().is_some() {
        return Reason::ConsentExchangeFailed;
    }
    match refusal.of_grant(0) {
        Some(Reason::BlockedByWorkspacePolicy) => Reason::BlockedByWorkspacePolicy,
        // The code is good, and what was sent with it is not of the same sign-in (RFC 7636 section 4.6).
        Some(_) if refusal.description.contains("code verifier") => Reason::ConsentExchangeFailed,
        Some(_) if refusal.error == "invalid_grant" => Reason::ConsentCodeRejected,
        _ => Reason::ConsentExchangeFailed,
    }
}

impl From<OAuthError> for Stopped {
    fn from(error: OAuthError) -> Self {
        match error {
            OAuthError::Refused(refusal) => {
                let reason = of_code(&refusal);
                tracing::warn!(%reason, said = refusal.words(), "Google refused a sign-in's code");
                Self::refused(reason)
            }
            OAuthError::Unavailable { .. } => Self::Google(error.to_string()),
            OAuthError::NotAllowed(_) => {
                tracing::warn!(%error, "a sign-in could not be completed");
                Self::refused(Reason::ConsentExchangeFailed)
            }
        }
    }
}

impl From<KeeperError> for Stopped {
    fn from(error: KeeperError) -> Self {
        match error {
            KeeperError::Cluster(error) => error.into(),
            KeeperError::Client(error) => error.into(),
            KeeperError::Google(detail) => Self::Google(detail),
            // Of a stored grant only; a consent is of the profile's own client.
            KeeperError::ForeignGrant { .. } => Self::refused(Reason::ClientChanged),
            KeeperError::ClientRefused { said, .. } => {
                tracing::warn!(said, "Google refused the OAuth client of a sign-in");
                Self::refused(Reason::ConsentExchangeFailed)
            }
        }
    }
}

impl From<IdentityError> for Stopped {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Missing | IdentityError::NotProved(_) => {
                tracing::warn!(%error, "a sign-in proves nobody");
                Self::Refused(Refused {
                    detail: Some(error.to_string()),
                    ..Refused::new(Reason::IdentityNotProved)
                })
            }
            IdentityError::Unavailable(error) => Self::Google(error.to_string()),
        }
    }
}

impl From<ClientError> for Stopped {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Credentials(CredentialsError::Cluster(error)) => error.into(),
            other => {
                tracing::warn!(error = %other, "a profile cannot be signed in with");
                Self::refused(Reason::ProfileNotReady)
            }
        }
    }
}

impl From<ClusterError> for Stopped {
    fn from(error: ClusterError) -> Self {
        Self::cluster(error)
    }
}

impl From<KeyError> for Stopped {
    fn from(error: KeyError) -> Self {
        Self::cluster(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_google_has_its_reason() {
        let refused = |error: &str| match Stopped::said(error) {
            Stopped::Refused(refused) => Some(refused.reason),
            _ => None,
        };
        for (error, reason) in [
            ("access_denied", Some(Reason::ConsentDeclined)),
            (
                "admin_policy_enforced",
                Some(Reason::BlockedByWorkspacePolicy),
            ),
            ("invalid_scope", Some(Reason::ConsentExchangeFailed)),
            ("org_internal", Some(Reason::ConsentExchangeFailed)),
            ("<script>", Some(Reason::ConsentExchangeFailed)),
            ("temporarily_unavailable", None),
        ] {
            assert_eq!(refused(error), reason, "{error}");
        }
        for (error, reason) in [
            ("invalid_grant", Reason::ConsentCodeRejected),
            ("admin_policy_enforced", Reason::BlockedByWorkspacePolicy),
            ("invalid_client", Reason::ConsentExchangeFailed),
            ("redirect_uri_mismatch", Reason::ConsentExchangeFailed),
            ("unauthorized_client", Reason::ConsentExchangeFailed),
        ] {
            let refusal = Refusal {
                error: error.into(),
                ..Refusal::default()
            };
            assert_eq!(of_code(&refusal), reason, "{error}");
        }
    }
}
