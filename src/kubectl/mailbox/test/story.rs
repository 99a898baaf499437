//! One Mailbox's test, as status tells it.

use std::fmt;

use jiff::Timestamp;

use kube::ResourceExt;

use super::wrong::Wrong;
use crate::api::{IncomingProtocol, Mailbox, MailboxCondition, MailboxStatus, Reason};
use crate::domain::progress::{State, Step, What, steps};
use crate::domain::schedule::later;
use crate::domain::test_request::{BETWEEN_REQUESTED_TESTS, is_answered, is_asked_for};
use crate::kubectl::mailbox::{condition, holds};

/// How it ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ended {
    /// All that is used works; what the test noticed all the same.
    Works(Option<Reason>),
    /// Something does not.
    Fails(Vec<Wrong>),
    /// It could not begin.
    NotTested(Wrong),
    /// It did not end in time: what was waited for, and what stood in the way.
    Late(String, Option<Wrong>),
    /// The Mailbox was deleted.
    Gone,
}

/// What a look at a Mailbox found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Look {
    /// What has come to an end, or has failed and is tried again, since the last look.
    pub news: Vec<String>,
    /// What goes on now.
    pub doing: Doing,
    /// Whether it is over, and how.
    pub ended: Option<Ended>,
}

/// What goes on with a Mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Doing {
    /// The test has not begun: why.
    Waits(&'static str),
    /// It has: how far it is.
    Tests(String),
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doing::Waits(why) => why,
            Doing::Tests(what) => what,
        })
    }
}

/// The test of one Mailbox that the annotation with this value asks for.
#[derive(Clone, Debug)]
pub struct Story {
    request: String,
    told: Vec<String>,
}

impl Story {
    /// Which begins.
    pub fn new(request: &str) -> Self {
        Self {
            request: request.to_owned(),
            told: Vec::new(),
        }
    }

    /// What `mailbox` tells at `now`.
    pub fn look(&mut self, mailbox: &Mailbox, now: Timestamp) -> Look {
        let status = mailbox.status.as_ref();
        let answered = status.and_then(|status| status.last_handled_test_request.as_deref());
        let annotations = mailbox.annotations();
        if !answered.is_some_and(|answered| is_answered(&self.request, answered, annotations)) {
            return Look {
                news: Vec::new(),
                doing: Doing::Waits(before(status, now)),
                ended: Wrong::gate(mailbox).map(Ended::NotTested),
            };
        }
        let test = status.and_then(|status| status.test.as_ref());
        let steps = steps(mailbox, test);
        let news = self.news(&steps);
        let over = test.is_some_and(|test| test.finished_at.is_some());
        let lost = condition(mailbox, MailboxCondition::SignedIn)
            .is_some_and(|signed_in| signed_in.status == "False");
        let ended = (over || lost).then(|| match holds(mailbox, MailboxCondition::Ready) {
            true => Ended::Works(steps.iter().find_map(|step| step.remark)),
            false => Ended::Fails(Wrong::of(mailbox)),
        });
        Look {
            news,
            doing: Doing::Tests(doing(&steps)),
            ended,
        }
    }

    /// How it stands when nobody waits any longer.
    pub fn late(doing: &str, mailbox: Option<&Mailbox>) -> Ended {
        let status = mailbox.and_then(|mailbox| mailbox.status.as_ref());
        let test = status.and_then(|status| status.test.as_ref());
        let steps = mailbox.map(|mailbox| steps(mailbox, test));
        let tried = steps.into_iter().flatten();
        let mut tried = tried.filter(|step| matches!(step.state, State::TriesAgain(_)));
        let met = tried.next_back().and_then(|step| {
            let status = status?;
            let direction = match step.what {
                What::Incoming(_) => status.incoming.as_ref(),
                _ => status.outgoing.as_ref(),
            };
            Wrong::of_direction(direction?)
        });
        Ended::Late(doing.to_owned(), met)
    }

    /// What is to be told of `steps` and was not yet.
    fn news(&mut self, steps: &[Step]) -> Vec<String> {
        let said = steps.iter().filter_map(|step| {
            let text = in_words(&step.state)?;
            Some(format!("{}: {text}", name(step.what)))
        });
        let new: Vec<String> = said.filter(|text| !self.told.contains(text)).collect();
        self.told.extend(new.iter().cloned());
        new
    }
}

/// Why the test has not begun.
fn before(status: Option<&MailboxStatus>, now: Timestamp) -> &'static str {
    let test = status.and_then(|status| status.test.as_ref());
    let asked_for = test.filter(|test| is_asked_for(test.requested_by));
    match (test, asked_for) {
        (Some(test), _) if test.finished_at.is_none() => "waits for the end of the test before it",
        (_, Some(test)) if later(test.started_at.0, BETWEEN_REQUESTED_TESTS) > now => {
            "waits, since a mailbox is tested once a minute and the last test began less than one ago"
        }
        _ => "waits for the operator",
    }
}

fn doing(steps: &[Step]) -> String {
    let mut open = steps.iter().filter(|step| {
        matches!(
            step.state,
            State::Running | State::TriesAgain(_) | State::Waiting
        )
    });
    open.next().map_or_else(
        || "ends the test".to_owned(),
        |step| match &step.state {
            State::TriesAgain(trouble) => {
                format!("{}: {}, tried again", name(step.what), trouble.reason)
            }
            _ => format!("tests {}", name(step.what)),
        },
    )
}

/// What a step looks at.
fn name(what: What) -> &'static str {
    match what {
        What::Access => "permission from Google",
        What::Incoming(IncomingProtocol::Imap) => "receiving (IMAP)",
        What::Incoming(IncomingProtocol::Pop3) => "receiving (POP3)",
        What::Outgoing => "sending (SMTP)",
        What::RoundTrip => "a message to itself",
    }
}

/// How a step ended; `None`: it has not.
fn in_words(state: &State) -> Option<String> {
    Some(match state {
        State::Waiting | State::Running => return None,
        State::Works => "works".to_owned(),
        State::TriesAgain(trouble) => format!("failed ({}), and is tried again", trouble.reason),
        State::Fails(trouble) => format!("does not work ({})", trouble.reason),
        State::NotTried => "not tried, since another step failed".to_owned(),
        State::NotTested => "not tested".to_owned(),
    })
}

#[cfg(test)]
mod tests;
