//! What a result does to a direction: enabled, disabled, tried again.

use std::time::Duration;

use jiff::Timestamp;

use super::running_test::is_pop3;
use super::step::Step;
use super::test::{DirectionView, LastError, Test};
use super::world::{Times, World};
use crate::api::{Again, DirectionState, Reason, TestRequestedBy};
use crate::domain::failure::Failure;
use crate::domain::schedule::later;
use crate::domain::test_request::is_asked_for;
use crate::domain::verdict::{explain, seconds, with_sentence};

/// How a failure counts.
pub(super) struct Rules {
    now: Timestamp,
    result: Timestamp,
    pub(super) tries: u32,
    times: Times,
    seed: String,
    /// Since when an error counts as told: what was met before is told anew.
    told_since: Option<Timestamp>,
    /// Where it was met.
    met: Met,
    /// Between two tries that both get as far as the login.
    login_gap: Duration,
}

/// Where a failure was met.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Met {
    /// On the way to the login, or at it.
    AtLogin,
    /// By the test's message.
    ByMessage,
}

/// Whether `test` is of other settings, or of another sign-in, than the one before.
pub(super) fn begins_anew(test: &Test) -> bool {
    matches!(
        test.requested_by,
        TestRequestedBy::SignIn | TestRequestedBy::Change
    )
}

/// The rules for the failure of a direction that is, or is not, `enabled`.
fn rules(world: &World, direction: &str, enabled: bool) -> Rules {
    let test = world.test.newest.as_ref();
    // A direction that is off already is looked at once each time: the next look comes by schedule.
    let slow = !enabled && test.is_some_and(|test| test.requested_by == TestRequestedBy::Schedule);
    Rules {
        now: world.now,
        result: result_time(world),
        tries: if slow { 1 } else { world.times.tries },
        times: world.times,
        seed: format!("{}/{direction}", world.uid),
        told_since: test
            .filter(|test| begins_anew(test))
            .map(|test| test.started_at),
        met: Met::AtLogin,
        login_gap: Duration::ZERO,
    }
}

pub(super) fn incoming_rules(world: &World) -> Rules {
    let pop3 = world.spec.as_ref().is_ok_and(is_pop3);
    Rules {
        login_gap: match pop3 {
            true => world.times.pop3_gap,
            false => Duration::ZERO,
        },
        ..rules(world, "incoming", world.test.incoming.enabled)
    }
}

pub(super) fn outgoing_rules(world: &World, step: &Step) -> Rules {
    Rules {
        met: match step {
            Step::SendMessage(_) | Step::FindMessage => Met::ByMessage,
            _ => Met::AtLogin,
        },
        ..rules(world, "outgoing", world.test.outgoing.enabled)
    }
}

/// When the incoming direction may be tried first by the test that begins: over POP3 not soon after
/// the login before, unless somebody asks.
pub(super) fn first_try(world: &World, by: TestRequestedBy) -> Option<Timestamp> {
    let pop3 = world.spec.as_ref().is_ok_and(is_pop3);
    if !pop3 || is_asked_for(by) || by == TestRequestedBy::SignIn {
        return None;
    }
    let incoming = &world.test.incoming;
    let logged_in = incoming.tested_at;
    let free = logged_in.map(|at| later(at, world.times.pop3_gap));
    let waits = incoming
        .retry
        .not_before
        .filter(|_| incoming.retry.failed > 0);
    let first = [free, waits].into_iter().flatten().max();
    first.filter(|first| *first > world.now)
}

/// Now, to the second, but never before the test began: its start may be rounded up.
pub(super) fn result_time(world: &World) -> Timestamp {
    let now = seconds(world.now).0;
    world
        .test
        .newest
        .as_ref()
        .map_or(now, |test| now.max(test.started_at))
}

/// It works. What a round trip has shown before still stands, as long as it has worked since.
pub(super) fn succeed(direction: &mut DirectionView, at: Timestamp) {
    if !direction.enabled || direction.remark == Some(Reason::MessagesUsedUp) {
        direction.remark = None;
        direction.remark_message = None;
    }
    direction.state = DirectionState::Success;
    direction.enabled = true;
    direction.tested_at = Some(at);
    direction.retry = Default::default();
}

pub(super) fn fail(direction: &mut DirectionView, failure: &Failure, rules: &Rules) {
    note_error(direction, failure, rules);
    let (times, seed) = (&rules.times, &rules.seed);
    let again = failure.reason.again();
    let mut retry = match again {
        Again::AfterPause => {
            let (first, longest) = (times.pause_first, times.pause_longest);
            direction.retry.again(rules.now, first, longest, seed)
        }
        _ => direction.retry.after_failure(rules.now, times, seed),
    };
    if !comes_before_login(failure.reason) {
        let free = later(rules.now, rules.login_gap);
        retry.not_before = retry.not_before.max(Some(free));
    }
    if again.is_permanent() || retry.failed >= rules.tries {
        direction.remark = match rules.met {
            Met::ByMessage => Some(failure.reason),
            // What the message met before is as it was.
            Met::AtLogin => direction.remark.filter(|_| !direction.enabled),
        };
        direction.remark_message = None;
        direction.state = DirectionState::Failure;
        direction.enabled = false;
        direction.tested_at = Some(rules.result);
        direction.retry = Default::default();
    } else {
        direction.retry = retry;
        if !direction.enabled {
            direction.state = DirectionState::Failure;
        }
    }
}

/// The same reason again is not news, unless the direction has worked until now, or it is met with
/// other settings.
fn note_error(direction: &mut DirectionView, failure: &Failure, rules: &Rules) {
    let reason = failure.reason;
    let broke = direction.enabled && direction.retry.failed == 0;
    let known = (direction.last_error.as_ref()).is_some_and(|error| {
        error.reason == reason && rules.told_since.is_none_or(|since| error.at >= since)
    });
    if known && !broke {
        return;
    }
    direction.last_error = Some(LastError {
        at: rules.result,
        reason,
        message: with_sentence(&explain(reason, &detail(failure)), next_try(reason.again())),
        server_reply: failure.reply.clone(),
    });
}

pub(super) fn detail(failure: &Failure) -> String {
    let mut text = failure.doing.clone();
    let ours = Some(&failure.detail)
        .filter(|detail| !detail.is_empty() && *detail != failure.reason.meaning());
    for more in [ours, failure.reply.as_ref()].into_iter().flatten() {
        text.push_str(": ");
        text.push_str(more);
    }
    text
}

/// When it is tried again, without a time: that would make each write of the status differ.
fn next_try(again: Again) -> &'static str {
    match again {
        Again::Soon => "The next try comes in seconds to minutes.",
        Again::AfterPause => "The next try comes in ten minutes to an hour.",
        Again::OnChange | Again::Slowly => {
            "The next try comes in some hours, or when a test is asked for."
        }
    }
}

/// Whether who meets it has not got as far as the login.
fn comes_before_login(reason: Reason) -> bool {
    let at_greeting = matches!(
        reason,
        Reason::WrongProtocol | Reason::ServiceRefused | Reason::LoginMethodMissing
    );
    at_greeting || reason.comes_before_first_word()
}
