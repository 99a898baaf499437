use std::time::Duration;

use jiff::Timestamp;

use super::advice::Advice;
use super::capacity::Places;
use super::counts::Counts;
use super::round::Tally;
use super::spec::{BadProfile, ValidProfile};
use crate::api::Reason;
use crate::domain::console::PublicUrl;
use crate::domain::mailbox::Retry;
use crate::domain::schedule::{later, spread};

/// Why the profiles of a namespace serve no other one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotShared {
    /// The Namespace has not the label for it.
    NotLabelled,
    /// The operator has no right to read Namespaces, so that its own namespace alone shares profiles.
    Unread {
        /// The operator's own namespace.
        own: String,
    },
}

/// All that a decision about one profile rests on.
#[derive(Clone, Debug)]
pub struct ProfileWorld {
    /// Now.
    pub now: Timestamp,
    /// The profile's uid.
    pub uid: String,
    /// The spec, or why it is not usable.
    pub spec: Result<ValidProfile, BadProfile>,
    /// The incident switch.
    pub suspended: bool,
    /// It offers itself to other namespaces, and why it does not serve them.
    pub not_shared: Option<NotShared>,
    /// What is right and may still not be meant.
    pub advice: Vec<Advice>,
    /// What the Secret holds.
    pub credentials: Credentials,
    /// Which server is asked about the client, and with which trust: a digest.
    pub server: String,
    /// Google's newest answer about a client.
    pub checked: Option<Checked>,
    /// Why the newest try of the check could not be made.
    pub trouble: Option<Trouble>,
    /// A sign-in with this client has come back to the redirect URI.
    pub redirect_proved: bool,
    /// Status says that the redirect URI is not registered with this client.
    pub mismatch_before: bool,
    /// Tries of the check that could not be made.
    pub retry: Retry,
    /// Where the operator is reached.
    pub public_url: PublicUrl,
    /// Its mailboxes.
    pub counts: Counts,
    /// Its Cloud project's places.
    pub places: Places,
    /// The annotation that asks for a test of each of its mailboxes.
    pub test_request: Option<String>,
    /// How far they have answered it.
    pub tally: Tally,
    /// It was said before that its mailboxes fail together.
    pub failed_together: bool,
    /// How long to wait for what.
    pub times: Times,
}

/// The waits that decisions about profiles need.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Between two checks of a client that Google accepts.
    pub recheck: Duration,
    /// Before a client that was refused is checked again.
    pub recheck_refused: Duration,
    /// Between two looks at the Secret.
    pub look: Duration,
    /// Before the first new try of a check that could not be made.
    pub backoff_first: Duration,
    /// The longest wait between tries.
    pub backoff_longest: Duration,
}

/// What the Secret holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Credentials {
    /// The spec names none, or is not usable.
    NotNamed,
    /// The Secret or its key is missing, may not be read, or holds no usable client.
    Unusable(Reason, String),
    /// A client.
    Client {
        /// Its ID.
        id: String,
        /// Changes with the ID, the secret and the server that is asked.
        fingerprint: String,
        /// The redirect URIs in the file from Google's console.
        redirect_uris: Option<Vec<String>>,
    },
}

/// Google's answer about a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    /// Which client: [`Credentials::Client`]'s fingerprint.
    pub fingerprint: String,
    /// Who answered: [`ProfileWorld::server`].
    pub server: String,
    /// Why it was refused, with Google's words; `None`: accepted.
    pub refused: Option<(Reason, String)>,
    /// The redirect URI is not registered with it.
    pub redirect_mismatch: bool,
    /// When.
    pub at: Timestamp,
}

/// Why a check could not be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// Of which client: [`Credentials::Client`]'s fingerprint.
    pub fingerprint: String,
    /// Who must act.
    pub reason: Reason,
    /// What went wrong, with the host.
    pub detail: String,
}

/// At most one step, and when to look again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What to do now.
    pub step: Option<Step>,
    /// When to look again.
    pub wake: Timestamp,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Ask Google whether it knows the client.
    CheckClient,
}

/// What came of the check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Google knows the client and accepts the secret.
    Accepted,
    /// It does, and says that the redirect URI is not registered.
    RedirectMismatch,
    /// It does not, with its words.
    Refused(Reason, String),
    /// It could not be asked, which changes nothing, and why.
    Unavailable(Reason, String),
}

/// What to do next.
pub fn decide(world: &ProfileWorld) -> Plan {
    let look = later(world.now, spread(world.times.look, &world.uid));
    let idle = Plan {
        step: None,
        wake: look,
    };
    let (Ok(_), Credentials::Client { fingerprint, .. }, false) =
        (&world.spec, &world.credentials, world.suspended)
    else {
        return idle;
    };
    let due = match world
        .checked
        .as_ref()
        .filter(|checked| checked.fingerprint == *fingerprint)
    {
        None => world.now,
        Some(Checked {
            refused: None,
            redirect_mismatch: false,
            at,
            ..
        }) => later(*at, spread(world.times.recheck, &world.uid)),
        Some(Checked { at, .. }) => later(*at, world.times.recheck_refused),
    };
    // What another client, or another server, met is no reason to wait with this one.
    let retry = world.trouble_now().and(world.retry.not_before);
    let due = retry.map_or(due, |time| due.max(time));
    if due <= world.now {
        Plan {
            step: Some(Step::CheckClient),
            wake: world.now,
        }
    } else {
        Plan {
            step: None,
            wake: look.min(due),
        }
    }
}

/// `world` after the check had `outcome`.
pub fn fold(mut world: ProfileWorld, outcome: Outcome) -> ProfileWorld {
    let Credentials::Client { fingerprint, .. } = &world.credentials else {
        return world;
    };
    let redirect_mismatch = outcome == Outcome::RedirectMismatch;
    let refused = match outcome {
        Outcome::Accepted | Outcome::RedirectMismatch => None,
        Outcome::Refused(reason, words) => Some((reason, words)),
        Outcome::Unavailable(reason, detail) => {
            // Another client, or another server, begins with the shortest wait.
            if world.trouble_now().is_none() {
                world.retry = Retry::default();
            }
            let Times {
                backoff_first,
                backoff_longest,
                ..
            } = world.times;
            world.retry = world
                .retry
                .again(world.now, backoff_first, backoff_longest, &world.uid);
            world.trouble = Some(Trouble {
                fingerprint: fingerprint.clone(),
                reason,
                detail,
            });
            return world;
        }
    };
    world.checked = Some(Checked {
        fingerprint: fingerprint.clone(),
        server: world.server.clone(),
        refused,
        redirect_mismatch,
        at: world.now,
    });
    world.retry = Retry::default();
    world.trouble = None;
    world
}
