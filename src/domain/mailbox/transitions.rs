//! What of a change is told as an Event: each once, and nothing that is a step on the way.

use super::conditions::{Verdicts, verdicts};
use super::test::{DirectionView, TestView};
use super::world::World;
use crate::api::{MailboxCondition, MailboxStatus, Reason};
use crate::domain::verdict::{Truth, Verdict};

/// A change to be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transition {
    /// Of this condition.
    pub condition: MailboxCondition,
    /// What it says now.
    pub verdict: Verdict,
}

/// The changes from the status `old` to `world`. A direction's change is not told twice where it is
/// also that of Ready.
pub fn transitions(old: Option<&MailboxStatus>, world: &World) -> Vec<Transition> {
    let Verdicts {
        ready,
        incoming_ready,
        outgoing_ready,
        ..
    } = verdicts(world);
    let (now, before) = (
        &world.test,
        old.map_or_else(TestView::untested, TestView::from),
    );
    let tell = |condition, verdict| Transition { condition, verdict };
    let mut told = Vec::new();
    if old.and_then(ready_reason) != Some(ready.reason.name()) {
        told.push(tell(MailboxCondition::Ready, ready));
    }
    for (condition, before, now, verdict) in [
        (
            MailboxCondition::IncomingReady,
            &before.incoming,
            &now.incoming,
            incoming_ready,
        ),
        (
            MailboxCondition::OutgoingReady,
            &before.outgoing,
            &now.outgoing,
            outgoing_ready,
        ),
    ] {
        let known = told.iter().any(|told| told.verdict == verdict);
        if !known && is_news(before, now, &verdict) {
            told.push(tell(condition, verdict));
        }
    }
    told
}

/// Whether a direction has been turned off, fails for another reason, works again, or works with a
/// remark. That one works from the first is told of Ready.
fn is_news(before: &DirectionView, now: &DirectionView, verdict: &Verdict) -> bool {
    let reason = |view: &DirectionView| view.last_error.as_ref().map(|error| error.reason);
    match verdict.truth {
        Truth::False if verdict.reason == Reason::NotUsed => false,
        Truth::False => before.enabled || reason(before) != reason(now),
        Truth::True if now.remark.is_some() => before.remark != now.remark,
        Truth::True => !before.enabled && reason(before).is_some(),
        Truth::Unknown => false,
    }
}

fn ready_reason(status: &MailboxStatus) -> Option<&str> {
    status
        .conditions
        .iter()
        .find(|c| c.type_ == MailboxCondition::Ready.name())
        .map(|c| c.reason.as_str())
}
