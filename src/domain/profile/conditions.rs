use super::advice::accepted;
use super::capacity::capacity_available;
use super::credentials::{credentials, redirect};
use super::decide::{NotShared, ProfileWorld};
use super::spec::BadProfile;
use crate::api::{ProfileCondition, Reason};
use crate::domain::verdict::{Truth, Verdict, explain, explain_with_cure};

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
        Err(bad @ BadProfile::CaBundle(_)) => {
            Verdict::no(Reason::CaBundleInvalid, &bad.to_string())
        }
        Err(bad) => Verdict::no(Reason::InvalidSpec, &bad.to_string()),
        Ok(_) => match &world.not_shared {
            Some(why) => not_shared(why),
            None => Verdict::yes(Reason::Accepted, accepted(&world.advice, world.now)),
        },
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
        capacity_available: capacity_available(world.places),
        mailboxes_healthy: healthy(world),
    }
}

fn not_shared(why: &NotShared) -> Verdict {
    let reason = Reason::SharingNotPermitted;
    let NotShared::Unread { own } = why else {
        return Verdict::no(reason, "until then it serves its own namespace only");
    };
    let detail = format!(
        "the operator has rights in named namespaces only and cannot read this one's labels, so that of all profiles only those of its own namespace {own} are shared; this one serves its own namespace"
    );
    let cure = format!(
        "Move the profile to the namespace {own}, which --watch-namespace has to name too, or set allowedNamespaces.from to Same"
    );
    Verdict {
        truth: Truth::False,
        reason,
        message: explain_with_cure(reason, &detail, reason.who(), &cure),
    }
}

fn in_testing(world: &ProfileWorld) -> bool {
    let spec = world.spec.as_ref();
    spec.is_ok_and(|spec| spec.audience.is_testing())
}

fn healthy(world: &ProfileWorld) -> Verdict {
    if world.counts.fail_together(world.failed_together) {
        Verdict::no(Reason::MostMailboxesFailing, "")
    } else {
        let text = "The signed-in mailboxes are healthy.";
        Verdict::yes(Reason::MailboxesHealthy, text)
    }
}
