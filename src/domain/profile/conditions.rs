use super::decide::{Credentials, ProfileWorld};
use super::spec::BadProfile;
use crate::api::{ProfileCondition, Reason};
use crate::domain::verdict::{Truth, Verdict, explain};

/// Every condition of a GmailServerProfile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdicts {
    /// Accepted, its credentials accepted, not suspended.
    pub ready: Verdict,
    /// The object is right.
    pub accepted: Verdict,
    /// Google accepts the client.
    pub credentials_accepted: Verdict,
    /// The console lists our redirect URI.
    pub redirect_registered: Verdict,
    /// Another account may sign in.
    pub capacity_available: Verdict,
    /// At most half of its mailboxes fail.
    pub mailboxes_healthy: Verdict,
}

impl Verdicts {
    /// With their types, in the order in which they are read.
    pub fn all(&self) -> [(&'static str, &Verdict); 6] {
        [
            (ProfileCondition::Ready.name(), &self.ready),
            (ProfileCondition::Accepted.name(), &self.accepted),
            (
                ProfileCondition::CredentialsAccepted.name(),
                &self.credentials_accepted,
            ),
            (
                ProfileCondition::RedirectRegistered.name(),
                &self.redirect_registered,
            ),
            (
                ProfileCondition::CapacityAvailable.name(),
                &self.capacity_available,
            ),
            (
                ProfileCondition::MailboxesHealthy.name(),
                &self.mailboxes_healthy,
            ),
        ]
    }
}

/// What is to be said of `world`. `before` is what was said of the credentials of the same client,
/// which stands until Google says otherwise.
pub fn verdicts(world: &ProfileWorld, before: Option<Verdict>) -> Verdicts {
    let accepted = match &world.spec {
        Err(bad @ BadProfile::NotAllowed(_)) => {
            Verdict::no(Reason::EndpointNotAllowed, &bad.to_string())
        }
        Err(bad) => Verdict::no(Reason::InvalidSpec, &bad.to_string()),
        Ok(_) if world.sharing_refused => Verdict::no(
            Reason::SharingNotPermitted,
            "until then it serves its own namespace only",
        ),
        Ok(_) => Verdict::yes(Reason::Accepted, "The profile is right."),
    };
    let credentials_accepted = credentials(world, before);
    let ready = match [&accepted, &credentials_accepted]
        .into_iter()
        .find(|part| !part.holds())
    {
        _ if world.suspended => Verdict::no(Reason::ProfileSuspended, ""),
        Some(part) => Verdict {
            truth: Truth::False,
            reason: part.reason,
            message: part.message.clone(),
        },
        None if in_testing(world) => Verdict::yes(
            Reason::ProfileReadyInTesting,
            explain(Reason::ProfileReadyInTesting, ""),
        ),
        None => Verdict::yes(Reason::ProfileReady, "Mailboxes can sign in."),
    };
    Verdicts {
        ready,
        accepted,
        credentials_accepted,
        redirect_registered: redirect(world),
        capacity_available: capacity(world),
        mailboxes_healthy: healthy(world),
    }
}

fn in_testing(world: &ProfileWorld) -> bool {
    let spec = world.spec.as_ref();
    spec.is_ok_and(|spec| spec.audience.is_testing())
}

fn credentials(world: &ProfileWorld, before: Option<Verdict>) -> Verdict {
    match &world.credentials {
        Credentials::NotNamed => Verdict::unknown(Reason::NotChecked, ""),
        Credentials::Missing(detail) => Verdict::no(Reason::ClientSecretMissing, detail),
        Credentials::Bad(detail) => Verdict::no(Reason::ClientSecretInvalid, detail),
        Credentials::Client { fingerprint, .. } => {
            match world
                .checked
                .as_ref()
                .filter(|checked| checked.fingerprint == *fingerprint)
            {
                Some(checked) => match &checked.refused {
                    None => Verdict::yes(
                        Reason::CredentialsAccepted,
                        "Google knows the client ID and accepts the secret.",
                    ),
                    Some((reason, words)) => Verdict::no(*reason, words),
                },
                None => match before {
                    Some(before) => before,
                    None if world.retry.failed > 0 => {
                        Verdict::unknown(Reason::GoogleUnavailable, "")
                    }
                    None => Verdict::unknown(Reason::NotChecked, ""),
                },
            }
        }
    }
}

fn redirect(world: &ProfileWorld) -> Verdict {
    let Some(url) = &world.public_url else {
        return Verdict::no(Reason::NoPublicUrl, "");
    };
    let uri = url.redirect_uri();
    match &world.credentials {
        _ if world.counts.signed_in > 0 => Verdict::yes(
            Reason::SignedIn,
            "A sign-in has come back to the redirect URI.",
        ),
        Credentials::Client {
            redirect_uris: Some(uris),
            ..
        } if uris.iter().any(|known| known == uri.as_str()) => Verdict::yes(
            Reason::InDownloadedFile,
            "The redirect URI is in the downloaded file.",
        ),
        Credentials::Client {
            redirect_uris: Some(_),
            ..
        } => Verdict::unknown(Reason::NotInDownloadedFile, uri.as_str()),
        Credentials::Client {
            redirect_uris: None,
            ..
        } => Verdict::unknown(Reason::NotVerifiable, uri.as_str()),
        _ => Verdict::unknown(Reason::NotChecked, uri.as_str()),
    }
}

fn capacity(world: &ProfileWorld) -> Verdict {
    match world.spec.as_ref().ok().and_then(|spec| spec.capacity) {
        Some(capacity) if world.counts.signed_in >= capacity => {
            Verdict::no(Reason::CapacityReached, &format!("{capacity} places"))
        }
        _ => Verdict::yes(Reason::CapacityLeft, "Another Google account may sign in."),
    }
}

fn healthy(world: &ProfileWorld) -> Verdict {
    let failing = world.counts.failing;
    if failing * 2 > world.counts.signed_in && failing > 1 {
        Verdict::no(Reason::MostMailboxesFailing, "")
    } else {
        Verdict::yes(
            Reason::MailboxesHealthy,
            "The signed-in mailboxes are healthy.",
        )
    }
}
