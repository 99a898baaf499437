use strum::{EnumIter, EnumString, IntoStaticStr};

use super::reason::Reason;

/// The condition types of a Mailbox. Every one of them is in `status` from the first write on.
#[derive(
    Clone, Copy, Debug, EnumIter, EnumString, Eq, Hash, IntoStaticStr, Ord, PartialEq, PartialOrd,
)]
pub enum MailboxCondition {
    /// Signed in, tested and enabled, now. Carries the first thing that is not right.
    Ready,
    /// The object and what it refers to are right: the gate for GitOps.
    Accepted,
    /// The profile it uses is Ready and serves it.
    ProfileReady,
    /// The operator holds a grant of the right account that Google accepts.
    SignedIn,
    /// Reading mail is tested and enabled.
    IncomingReady,
    /// Sending mail is tested and enabled.
    OutgoingReady,
}

/// The condition types of a GmailServerProfile. Every one of them is in `status` from the first
/// write on.
#[derive(
    Clone, Copy, Debug, EnumIter, EnumString, Eq, Hash, IntoStaticStr, Ord, PartialEq, PartialOrd,
)]
pub enum ProfileCondition {
    /// Accepted, its credentials accepted by Google, and not suspended.
    Ready,
    /// The object is right and may serve the namespaces it names.
    Accepted,
    /// Google knows the client ID and accepts the secret.
    CredentialsAccepted,
    /// Google's console lists our redirect URI. Informs; holds nobody.
    RedirectRegistered,
    /// Another Google account may sign in. Informs.
    CapacityAvailable,
    /// At most half of its signed-in mailboxes are failing. Informs.
    MailboxesHealthy,
}

impl MailboxCondition {
    /// The condition's `type`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What `CredentialsAccepted` says; `Ready` repeats it when it does not hold.
const CREDENTIALS: [Reason; 26] = [
    Reason::NotChecked,
    Reason::ClientSecretMissing,
    Reason::SecretNotReadable,
    Reason::ClientSecretInvalid,
    Reason::ClientIdInvalid,
    Reason::ClientTypeWrong,
    Reason::ClientOfAnotherServer,
    Reason::ClientIdNotFound,
    Reason::ClientSecretRejected,
    Reason::ClientDeleted,
    Reason::ClientDisabled,
    Reason::ClientIncomplete,
    Reason::ClientNotAuthorized,
    Reason::ClientRestricted,
    Reason::MailScopeRefused,
    Reason::OutsideOrganization,
    Reason::GrantTypeRefused,
    Reason::BlockedByWorkspacePolicy,
    Reason::ClientRefused,
    Reason::GoogleUnavailable,
    Reason::ProxyUnavailable,
    Reason::ProxyRefused,
    Reason::NotATokenEndpoint,
    Reason::TlsVerificationFailed,
    Reason::EndpointNotAllowed,
    Reason::CredentialsAccepted,
];

impl ProfileCondition {
    /// Every reason that it may have; what `Ready` takes over from the others is with those.
    pub fn reasons(self) -> &'static [Reason] {
        match self {
            Self::Ready => &[
                Reason::ProfileReady,
                Reason::ProfileReadyInTesting,
                Reason::ProfileSuspended,
            ],
            Self::Accepted => &[
                Reason::Accepted,
                Reason::InvalidSpec,
                Reason::CaBundleInvalid,
                Reason::EndpointNotAllowed,
                Reason::SharingNotPermitted,
            ],
            Self::CredentialsAccepted => &CREDENTIALS,
            Self::RedirectRegistered => &[
                Reason::NotChecked,
                Reason::RedirectMismatch,
                Reason::RedirectHostRefused,
                Reason::SignedIn,
                Reason::InDownloadedFile,
                Reason::NotInDownloadedFile,
                Reason::NotVerifiable,
            ],
            Self::CapacityAvailable => &[
                Reason::CapacityLeft,
                Reason::CapacityLow,
                Reason::CapacityReached,
            ],
            Self::MailboxesHealthy => &[Reason::MailboxesHealthy, Reason::MostMailboxesFailing],
        }
    }

    /// The condition's `type`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
