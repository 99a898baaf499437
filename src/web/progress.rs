//! The running test, or the newest one, as its owner follows it on the page: from status, which the
//! controller writes.

use crate::api::{
    DirectionState, DirectionStatus, Mailbox, MailboxCondition, MailboxStatus, Reason, TestMessage,
    TestRequestedBy, TestStatus, TestStep,
};
use crate::domain::grant::Grant;
use crate::domain::verdict::seconds;

/// How far it has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Progress {
    pub overall: Overall,
    pub steps: Vec<Step>,
}

/// The whole in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Overall {
    /// Something is still to come.
    Running,
    /// All that is used works.
    Works,
    /// Something does not.
    Fails,
    /// No test can begin: this stands in the way.
    Held(Reason),
}

/// One step of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Step {
    pub what: What,
    pub state: State,
}

/// What a step looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum What {
    Access,
    Incoming,
    Outgoing,
    RoundTrip,
}

/// How far a step has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum State {
    Waiting,
    Running,
    Works,
    /// It failed and is tried again.
    TriesAgain(Trouble),
    Fails(Trouble),
    /// Another step's failure has kept it from being tried.
    NotTried,
    /// This version does not test it.
    NotTested,
}

/// What went wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Trouble {
    pub reason: Reason,
    /// The server's own words.
    pub reply: Option<String>,
}

/// What status says of the test of `grant`.
pub(super) fn progress(mailbox: &Mailbox, grant: &Grant) -> Progress {
    let no_status = MailboxStatus::default();
    let status = mailbox.status.as_ref().unwrap_or(&no_status);
    let asked = [Some(grant.signed_in_at), grant.test_requested_at];
    let since = asked.into_iter().flatten().max().map(|at| seconds(at).0);
    let test = status.test.as_ref();
    let test = test.filter(|test| since.is_none_or(|since| test.started_at.0 >= since));
    let steps = steps(mailbox, status, test);
    let fails = |step: &Step| matches!(step.state, State::Fails(_) | State::NotTried);
    let overall = match (held(status, grant), test) {
        (Some(reason), _) => Overall::Held(reason),
        (None, None) => Overall::Running,
        (None, Some(test)) if test.finished_at.is_none() => Overall::Running,
        (None, Some(_)) if steps.iter().any(fails) => Overall::Fails,
        (None, Some(_)) => Overall::Works,
    };
    Progress { overall, steps }
}

/// What keeps a test from beginning. Right after a sign-in status still says that there is none.
fn held(status: &MailboxStatus, grant: &Grant) -> Option<Reason> {
    let known = status
        .sign_in
        .as_ref()
        .and_then(|s| s.signed_in_at.as_ref());
    let seen = known.is_some_and(|at| at.0 == seconds(grant.signed_in_at).0);
    let gates = [
        MailboxCondition::Accepted,
        MailboxCondition::ProfileReady,
        MailboxCondition::SignedIn,
    ];
    let shut = gates.iter().find_map(|gate| {
        let found = status.conditions.iter().find(|c| c.type_ == gate.name())?;
        (found.status == "False").then(|| found.reason.parse().ok())?
    });
    let suspended = status
        .conditions
        .iter()
        .any(|c| c.type_ == MailboxCondition::Ready.name() && c.reason == Reason::Suspended.name());
    match suspended {
        true => Some(Reason::Suspended),
        false => shut.filter(|_| seen),
    }
}

fn steps(mailbox: &Mailbox, status: &MailboxStatus, test: Option<&TestStatus>) -> Vec<Step> {
    let mut steps = vec![Step {
        what: What::Access,
        state: match test {
            None => State::Waiting,
            Some(test) if test.step == TestStep::Token && test.finished_at.is_none() => {
                State::Running
            }
            Some(_) => State::Works,
        },
    }];
    let directions = [
        (What::Incoming, TestStep::Incoming, &status.incoming),
        (What::Outgoing, TestStep::Outgoing, &status.outgoing),
    ];
    let used = [
        mailbox.spec.incoming.method != crate::api::Method::None,
        mailbox.spec.outgoing.method != crate::api::Method::None,
    ];
    for ((what, at, direction), used) in directions.into_iter().zip(used) {
        if used {
            let state = direction_state(test, at, direction.as_ref());
            steps.push(Step { what, state });
        }
    }
    if let Some(state) = round_trip(mailbox, status, test, &steps) {
        if let Some(login) = steps.iter_mut().find(|step| step.what == What::Outgoing)
            && test.is_some_and(|test| test.step == TestStep::RoundTrip)
        {
            // What fails from here on is the message's.
            login.state = State::Works;
        }
        steps.push(Step {
            what: What::RoundTrip,
            state,
        });
    }
    steps
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
        && mailbox.spec.outgoing.method != crate::api::Method::None;
    let by_person = test.is_none_or(|test| {
        matches!(
            test.requested_by,
            TestRequestedBy::SignIn | TestRequestedBy::Annotation | TestRequestedBy::Page
        )
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
