use super::binding;
use super::decide::tests_incoming;
use super::sign_in::signed_in;
use super::spec::ValidSpec;
use super::test::DirectionView;
use super::world::{ProfileView, World};
use crate::api::{DirectionState, MailboxCondition, Reason};
use crate::domain::name::ObjectName;
use crate::domain::verdict::{Truth, Verdict, explain};

/// Every condition of a Mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdicts {
    /// The first thing that is not right.
    pub ready: Verdict,
    /// The object is right.
    pub accepted: Verdict,
    /// Its profile is.
    pub profile_ready: Verdict,
    /// Its owner has signed in.
    pub signed_in: Verdict,
    /// Reading works.
    pub incoming_ready: Verdict,
    /// Sending works.
    pub outgoing_ready: Verdict,
}

impl Verdicts {
    /// With their types, in the order in which they are read.
    pub fn all(&self) -> [(&'static str, &Verdict); 6] {
        [
            (MailboxCondition::Ready.name(), &self.ready),
            (MailboxCondition::Accepted.name(), &self.accepted),
            (MailboxCondition::ProfileReady.name(), &self.profile_ready),
            (MailboxCondition::SignedIn.name(), &self.signed_in),
            (MailboxCondition::IncomingReady.name(), &self.incoming_ready),
            (MailboxCondition::OutgoingReady.name(), &self.outgoing_ready),
        ]
    }
}

/// What is to be said of `world`.
pub fn verdicts(world: &World) -> Verdicts {
    let spec = world.spec.as_ref().ok();
    let accepted = match &world.spec {
        Err(bad) => Verdict::no(Reason::InvalidSpec, &bad.to_string()),
        Ok(_) => match &world.profile {
            ProfileView::NotServed { reason, about } if *reason != Reason::CapacityReached => {
                not_served(*reason, about.as_ref())
            }
            _ => binding::fault(world)
                .unwrap_or_else(|| Verdict::yes(Reason::Accepted, "The Mailbox is right.")),
        },
    };
    let profile_ready = profile(&world.profile);
    let signed_in = signed_in(world);
    let incoming_ready = match spec {
        Some(spec) if spec.incoming.is_some() && !tests_incoming(spec) => {
            Verdict::unknown(Reason::ProtocolNotTested, "")
        }
        _ => direction(
            &world.test.incoming,
            world.waits,
            spec.is_none_or(|spec| spec.incoming.is_some()),
            "Mail can be read.",
        ),
    };
    let outgoing_ready = direction(
        &world.test.outgoing,
        world.waits,
        spec.is_none_or(|spec| spec.outgoing),
        "Mail can be sent.",
    );
    let ready = ready(
        spec,
        [
            &accepted,
            &profile_ready,
            &signed_in,
            &incoming_ready,
            &outgoing_ready,
        ],
    );
    Verdicts {
        ready,
        accepted,
        profile_ready,
        signed_in,
        incoming_ready,
        outgoing_ready,
    }
}

fn profile(view: &ProfileView) -> Verdict {
    match view {
        ProfileView::NotServed { reason, about } => not_served(*reason, about.as_ref()),
        ProfileView::NotReady {
            name,
            reason,
            detail,
        } => {
            let about = if detail.is_empty() {
                name.to_string()
            } else {
                format!("{name}: {detail}")
            };
            match reason {
                Reason::NotChecked => Verdict::unknown(*reason, &about),
                _ => Verdict::no(*reason, &about),
            }
        }
        ProfileView::Ready(facts) => Verdict::yes(
            Reason::ProfileReady,
            format!("The profile {} is Ready.", facts.name),
        ),
    }
}

fn not_served(reason: Reason, about: Option<&ObjectName>) -> Verdict {
    Verdict::no(reason, &about.map(ToString::to_string).unwrap_or_default())
}

/// A test that waits for others must not look like one that hangs.
const WAITS: &str = "it waits for a free connection: those that the profile's \
     processing.maxConcurrentConnections allows, or an account, are in use";

fn direction(view: &DirectionView, waits: bool, used: bool, works: &str) -> Verdict {
    if !used {
        return Verdict {
            truth: Truth::False,
            reason: Reason::NotUsed,
            message: explain(Reason::NotUsed, ""),
        };
    }
    let detail = if waits { WAITS } else { "" };
    match (&view.last_error, view.state) {
        _ if view.enabled => Verdict::yes(Reason::Enabled, works),
        (Some(error), DirectionState::Failure) => Verdict {
            truth: Truth::False,
            reason: error.reason,
            message: error.message.clone(),
        },
        (_, DirectionState::Running) => Verdict::unknown(Reason::Testing, detail),
        _ => Verdict::unknown(Reason::NotTested, detail),
    }
}

fn ready(spec: Option<&ValidSpec>, parts: [&Verdict; 5]) -> Verdict {
    if spec.is_some_and(|spec| spec.suspended) {
        return Verdict::no(Reason::Suspended, "");
    }
    let wrong = parts
        .into_iter()
        .find(|part| !part.holds() && part.reason != Reason::NotUsed);
    match wrong {
        Some(part) => Verdict {
            truth: Truth::False,
            reason: part.reason,
            message: part.message.clone(),
        },
        None => {
            let [_, _, signed_in, ..] = parts;
            match signed_in.reason {
                Reason::SignedIn => Verdict::yes(Reason::Enabled, enabled(spec)),
                // All is right, and the owner has something to do.
                reason => Verdict::yes(reason, format!("{} {}", signed_in.message, enabled(spec))),
            }
        }
    }
}

/// What this version does not do yet is said where people look.
fn enabled(spec: Option<&ValidSpec>) -> String {
    let mut text = String::from("Tested and enabled.");
    if spec.is_some_and(|spec| spec.server_side_sync) {
        text.push_str(
            " This version tests the mailbox and keeps its access; it moves no mail yet.",
        );
    }
    text
}
