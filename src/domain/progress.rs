//! The running test of a Mailbox, or its newest one, step by step, as people follow it: from status,
//! which the controller writes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::test_request::is_asked_for;
use crate::api::{
    DirectionState, DirectionStatus, IncomingProtocol, Mailbox, MailboxCondition, MailboxStatus,
    Method, Reason, TestMessage, TestRequestedBy, TestStatus, TestStep,
};

/// One step of a test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// What it looks at.
    pub what: What,
    /// How far it has come.
    pub state: State,
    /// What it noticed although nothing failed.
    pub remark: Option<Reason>,
}

/// What a step looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// The permission from Google.
    Access,
    /// Receiving mail.
    Incoming(IncomingProtocol),
    /// Sending mail.
    Outgoing,
    /// A message from the mailbox to itself.
    RoundTrip,
}

/// How far a step has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// It has not begun.
    Waiting,
    /// It has.
    Running,
    /// It came to a good end.
    Works,
    /// It failed and is tried again.
    TriesAgain(Trouble),
    /// It failed.
    Fails(Trouble),
    /// Another step's failure has kept it from being tried.
    NotTried,
    /// It was left out, or nothing is known of how it ended.
    NotTested,
}

/// What went wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// Why.
    pub reason: Reason,
    /// The server's own words.
    pub reply: Option<String>,
}

/// The condition that keeps a test from beginning, as `conditions` of a Mailbox say: it is suspended or
/// not right, its profile is not there for it, or nobody is signed in.
pub fn gate(conditions: &[Condition]) -> Option<&Condition> {
    let find = |which: MailboxCondition| conditions.iter().find(|c| c.type_ == which.name());
    let suspended =
        find(MailboxCondition::Ready).filter(|ready| ready.reason == Reason::Suspended.name());
    // A Secret for workloads that is not ours, or not written, is no obstacle to a test.
    let of_secret = [Reason::SecretNotOwned, Reason::SecretNotWritten];
    let gates = [
        MailboxCondition::Accepted,
        MailboxCondition::ProfileReady,
        MailboxCondition::SignedIn,
    ];
    suspended.or_else(|| {
        gates.into_iter().filter_map(find).find(|gate| {
            gate.status == "False" && of_secret.iter().all(|reason| gate.reason != reason.name())
        })
    })
}

impl Step {
    fn new(what: What, state: State) -> Self {
        Self {
            what,
            state,
            remark: None,
        }
    }

    /// Whether the test did not come to a good end because of it.
    pub fn is_bad(&self) -> bool {
        matches!(self.state, State::Fails(_) | State::NotTried)
    }
}

/// The steps of `test` as the status of `mailbox` tells them; without a test all of them wait.
pub fn steps(mailbox: &Mailbox, test: Option<&TestStatus>) -> Vec<Step> {
    let no_status = MailboxStatus::default();
    let status = mailbox.status.as_ref().unwrap_or(&no_status);
    let mut steps = vec![Step::new(
        What::Access,
        match test {
            None => State::Waiting,
            Some(test) if test.step == TestStep::Token && test.finished_at.is_none() => {
                State::Running
            }
            Some(_) => State::Works,
        },
    )];
    let incoming = What::Incoming(mailbox.spec.incoming.protocol);
    let directions = [
        (incoming, TestStep::Incoming, &status.incoming),
        (What::Outgoing, TestStep::Outgoing, &status.outgoing),
    ];
    let used = [
        mailbox.spec.incoming.method != Method::None,
        mailbox.spec.outgoing.method != Method::None,
    ];
    for ((what, at, direction), used) in directions.into_iter().zip(used) {
        if used {
            let state = direction_state(test, at, direction.as_ref());
            steps.push(Step::new(what, state));
        }
    }
    if let Some(state) = round_trip(mailbox, status, test, &steps) {
        if let Some(login) = steps.iter_mut().find(|step| step.what == What::Outgoing)
            && test.is_some_and(|test| test.step == TestStep::RoundTrip)
        {
            // What fails from here on is the message's.
            login.state = State::Works;
        }
        steps.push(remarked(state, status.outgoing.as_ref(), test));
    }
    steps
}

/// The message to oneself, with what was noticed of it.
fn remarked(state: State, outgoing: Option<&DirectionStatus>, test: Option<&TestStatus>) -> Step {
    let over = test.is_some_and(|test| test.finished_at.is_some());
    let remark = outgoing
        .filter(|outgoing| over && outgoing.state == DirectionState::Success)
        .and_then(|outgoing| outgoing.remark);
    let state = match remark {
        Some(Reason::RoundTripUnproved | Reason::MessagesUsedUp) => State::NotTested,
        _ => state,
    };
    Step {
        remark,
        ..Step::new(What::RoundTrip, state)
    }
}

fn direction_state(
    test: Option<&TestStatus>,
    at: TestStep,
    direction: Option<&DirectionStatus>,
) -> State {
    let (Some(test), Some(direction)) = (test, direction) else {
        return State::Waiting;
    };
    let began = test.started_at.0;
    let trouble = direction.last_error.as_ref().filter(|e| e.at.0 >= began);
    let trouble = trouble.map(|error| Trouble {
        reason: error.reason,
        reply: error.server_reply.clone(),
    });
    let tested = direction.tested_at.as_ref().is_some_and(|at| at.0 >= began);
    match (direction.state, tested, test.finished_at.is_some()) {
        (DirectionState::NotRun | DirectionState::NotUsed, _, true) => State::NotTested,
        (DirectionState::Success, true, _) => State::Works,
        // Failed for good, also where the same reason was told before this test.
        (DirectionState::Failure, true, _) | (_, _, true) => {
            let known = direction.last_error.as_ref();
            known.map_or(State::Waiting, |error| {
                State::Fails(Trouble {
                    reason: error.reason,
                    reply: error.server_reply.clone(),
                })
            })
        }
        _ => match trouble {
            Some(trouble) => State::TriesAgain(trouble),
            None if test.step >= at => State::Running,
            None => State::Waiting,
        },
    }
}

/// The message to oneself, where one is sent.
fn round_trip(
    mailbox: &Mailbox,
    status: &MailboxStatus,
    test: Option<&TestStatus>,
    steps: &[Step],
) -> Option<State> {
    let sends = mailbox.spec.test_message == TestMessage::ToSelf
        && mailbox.spec.outgoing.method != Method::None;
    let by_person = test.is_none_or(|test| {
        test.requested_by == TestRequestedBy::SignIn || is_asked_for(test.requested_by)
    });
    (sends && by_person).then_some(())?;
    let Some(test) = test else {
        return Some(State::Waiting);
    };
    if test.step == TestStep::RoundTrip {
        let state = direction_state(Some(test), TestStep::RoundTrip, status.outgoing.as_ref());
        return Some(match (state, test.finished_at.is_some()) {
            (State::Waiting, false) => State::Running,
            (state, _) => state,
        });
    }
    let failed = steps
        .iter()
        .any(|step| matches!(step.state, State::Fails(_)));
    Some(match test.finished_at {
        // It ended at the logins: without a way to look for it no message is sent.
        Some(_) if failed => State::NotTried,
        Some(_) => State::NotTested,
        None => State::Waiting,
    })
}
