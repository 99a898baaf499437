//! What does not work, for whoever has to put it right.

use crate::api::{Actor, DirectionState, DirectionStatus, Mailbox, MailboxCondition, Reason};
use crate::domain::progress::gate;
use crate::domain::verdict::explain;
use crate::kubectl::conditions::{again, reason};
use crate::kubectl::mailbox::condition;

/// One thing that does not work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wrong {
    /// As it stands in status; also one that this version does not know.
    pub reason: String,
    /// What happened, in a sentence.
    pub what: String,
    /// Who acts and what they do.
    pub cure: Option<(Actor, &'static str)>,
    /// When it is tried again without anybody's doing.
    pub again: Option<&'static str>,
    /// The server's own words, where the sentence does not have them.
    pub reply: Option<String>,
}

impl Wrong {
    /// What is not right about `mailbox` after its test: the directions that fail, else what Ready
    /// says.
    pub fn of(mailbox: &Mailbox) -> Vec<Self> {
        let status = mailbox.status.as_ref();
        let directions = status.map(|status| [&status.incoming, &status.outgoing]);
        let failing: Vec<Self> = directions
            .into_iter()
            .flatten()
            .flatten()
            .filter(|direction| direction.state == DirectionState::Failure)
            .filter_map(Self::of_direction)
            .collect();
        match failing.is_empty() {
            true => Self::of_condition(mailbox, MailboxCondition::Ready)
                .into_iter()
                .collect(),
            false => failing,
        }
    }

    /// What keeps a test of `mailbox` from beginning.
    pub fn gate(mailbox: &Mailbox) -> Option<Self> {
        let Some(status) = &mailbox.status else {
            return Some(Self::unseen());
        };
        let shut = gate(&status.conditions)?;
        let reason = reason(shut);
        Some(Self::new(&shut.reason, reason, &shut.message, None))
    }

    /// What the direction that is being tried meets meanwhile.
    pub fn of_direction(direction: &DirectionStatus) -> Option<Self> {
        let error = direction.last_error.as_ref()?;
        Some(Self::new(
            error.reason.name(),
            Some(error.reason),
            &error.message,
            error.server_reply.as_deref(),
        ))
    }

    fn of_condition(mailbox: &Mailbox, which: MailboxCondition) -> Option<Self> {
        let said = condition(mailbox, which)?;
        Some(Self::new(&said.reason, reason(said), &said.message, None))
    }

    /// The operator has not said a word of it.
    fn unseen() -> Self {
        Self {
            reason: "NoStatus".to_owned(),
            what: "The operator has not looked at it yet.".to_owned(),
            cure: Some((
                Actor::PlatformAdmin,
                "See that the operator runs and looks after this namespace",
            )),
            again: None,
            reply: None,
        }
    }

    fn new(name: &str, reason: Option<Reason>, message: &str, reply: Option<&str>) -> Self {
        // A message ends with who must act and what they do, which has fields of its own here.
        let tail = reason.map(|reason| {
            let whole = explain(reason, "");
            whole[reason.meaning().len() + 1..].to_owned()
        });
        let what = tail.and_then(|tail| message.strip_suffix(tail.as_str()));
        let what = what.unwrap_or(message).to_owned();
        Self {
            reason: name.to_owned(),
            reply: reply
                .filter(|reply| !what.contains(*reply))
                .map(str::to_owned),
            what,
            cure: reason
                .map(|reason| (reason.who(), reason.cure()))
                .filter(|(_, cure)| !cure.is_empty()),
            again: reason.and_then(again),
        }
    }
}
