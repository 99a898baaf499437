use std::time::Duration;

use jiff::Timestamp;

use super::capacity::Places;
use super::counts::Counts;
use super::spec::{BadProfile, ValidProfile};
use crate::api::Reason;
use crate::domain::console::PublicUrl;
use crate::domain::mailbox::Retry;
use crate::domain::schedule::{later, spread};

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
    /// It offers itself to other namespaces, which its own may not do.
    pub sharing_refused: bool,
    /// What the Secret holds.
    pub credentials: Credentials,
    /// Google's newest answer about a client.
    pub checked: Option<Checked>,
    /// Tries of the check that could not be made.
    pub retry: Retry,
    /// Where the operator is reached.
    pub public_url: Option<PublicUrl>,
    /// Its mailboxes.
    pub counts: Counts,
    /// Its Cloud project's places.
    pub places: Places,
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
    /// The Secret or its key is missing.
    Missing(String),
    /// It holds no usable client.
    Bad(String),
    /// A client.
    Client {
        /// Its ID.
        id: String,
        /// Changes with the ID and the secret.
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
    /// Why it was refused, with Google's words; `None`: accepted.
    pub refused: Option<(Reason, String)>,
    /// When.
    pub at: Timestamp,
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
    /// It does not, with its words.
    Refused(Reason, String),
    /// It could not be asked, which changes nothing.
    Unavailable,
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
            refused: None, at, ..
        }) => later(*at, spread(world.times.recheck, &world.uid)),
        Some(Checked { at, .. }) => later(*at, world.times.recheck_refused),
    };
    let due = world.retry.not_before.map_or(due, |time| due.max(time));
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
    let refused = match outcome {
        Outcome::Accepted => None,
        Outcome::Refused(reason, words) => Some((reason, words)),
        Outcome::Unavailable => {
            let Times {
                backoff_first,
                backoff_longest,
                ..
            } = world.times;
            world.retry = world
                .retry
                .again(world.now, backoff_first, backoff_longest, &world.uid);
            return world;
        }
    };
    world.checked = Some(Checked {
        fingerprint: fingerprint.clone(),
        refused,
        at: world.now,
    });
    world.retry = Retry::default();
    world
}
