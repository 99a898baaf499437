use super::binding;
use super::diagnosis;
use super::sign_in::signed_in;
use super::spec::ValidSpec;
use super::test::{DirectionView, LastError};
use super::world::{GrantView, Hold, ProfileView, World};
use crate::api::{DirectionState, MailboxCondition, Reason, TestRequestedBy};
use crate::domain::name::ObjectName;
use crate::domain::verdict::{Truth, Verdict, explain, with_sentence};

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
    let accepted = accepted(world);
    let profile_ready = profile(&world.profile);
    let signed_in = signed_in(world);
    let incoming_ready = match spec.is_none_or(|spec| spec.incoming.is_some()) {
        true => direction(world, &world.test.incoming, "Mail can be read."),
        false => not_used(),
    };
    let outgoing_ready = match spec.is_none_or(|spec| spec.outgoing) {
        true => direction(world, &world.test.outgoing, "Mail can be sent."),
        false => not_used(),
    };
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

fn accepted(world: &World) -> Verdict {
    match (&world.spec, &world.profile) {
        (Err(bad), _) => Verdict::no(Reason::InvalidSpec, &bad.to_string()),
        (Ok(_), ProfileView::NotServed { reason, about }) if *reason != Reason::CapacityReached => {
            not_served(*reason, about.as_ref())
        }
        (Ok(_), _) => binding::fault(world)
            .unwrap_or_else(|| Verdict::yes(Reason::Accepted, "The Mailbox is right.")),
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

fn not_used() -> Verdict {
    Verdict::no(Reason::NotUsed, "")
}

fn direction(world: &World, view: &DirectionView, works: &str) -> Verdict {
    let hold = world.hold.as_ref().filter(|_| !is_done(world, view));
    if view.enabled {
        return enabled_direction(view, hold, works);
    }
    let detail = if world.waits { WAITS } else { "" };
    match (&view.last_error, view.state) {
        _ if let Some(hold) = hold => Verdict::unknown(hold.reason, &hold.detail),
        (Some(error), DirectionState::Failure) => failed(world, view, error),
        // A routine look changes nothing before it is over.
        (Some(error), DirectionState::Running) if is_routine(world) => failed(world, view, error),
        (_, DirectionState::Running) => Verdict::unknown(Reason::Testing, detail),
        _ => Verdict::unknown(Reason::NotTested, detail),
    }
}

fn is_routine(world: &World) -> bool {
    let running = world.test.running();
    running.is_some_and(|test| test.requested_by == TestRequestedBy::Schedule)
}

fn failed(world: &World, view: &DirectionView, error: &LastError) -> Verdict {
    let more = [diagnosis::of(world, error.reason), used_up(world, view)];
    Verdict {
        truth: Truth::False,
        reason: error.reason,
        message: (more.into_iter().flatten()).fold(error.message.clone(), |said, more| {
            with_sentence(&said, &more)
        }),
    }
}

/// That only a message would turn it on, and the mailbox has had as many as it gets.
fn used_up(world: &World, view: &DirectionView) -> Option<String> {
    let GrantView::Held(held) = &world.grant else {
        return None;
    };
    let room = held.messages.leave_room(world.now, world.times.messages);
    (view.owes_message() && !room).then(|| explain(Reason::MessagesUsedUp, ""))
}

/// It works as far as is known, whatever keeps it from being tested again.
fn enabled_direction(view: &DirectionView, hold: Option<&Hold>, works: &str) -> Verdict {
    let mut verdict = Verdict::yes(view.remark.unwrap_or(Reason::Enabled), works);
    let held = hold.map(|hold| {
        let why = explain(hold.reason, &hold.detail);
        format!("The test that is running is held: {why}")
    });
    let said = view.remark_message.clone();
    let remark = match view.remark {
        // It says the same, and why.
        Some(Reason::RoundTripUnproved) if said.is_some() => None,
        remark => remark.map(|remark| explain(remark, "")),
    };
    for more in [remark, said, held].into_iter().flatten() {
        verdict.message = with_sentence(&verdict.message, &more);
    }
    verdict
}

fn is_done(world: &World, view: &DirectionView) -> bool {
    let running = world.test.running();
    running
        .is_none_or(|test| view.is_done(test.started_at) && view.state != DirectionState::Running)
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
            let [_, _, signed_in, _, outgoing] = parts;
            // All is right, and the owner has something to do. What nobody has to do something about
            // stays with its direction.
            let told = match (signed_in.reason, outgoing.reason) {
                (Reason::SignedIn, Reason::ArrivedInSpam) => outgoing,
                (Reason::SignedIn, _) => return Verdict::yes(Reason::Enabled, enabled(spec)),
                _ => signed_in,
            };
            Verdict::yes(told.reason, format!("{} {}", told.message, enabled(spec)))
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
