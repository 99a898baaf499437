use jiff::Timestamp;

use super::binding;
use super::decide::{Step, needs_proof, sends_message, tests_incoming};
use super::test::{DirectionView, LastError, Retry};
use super::world::{GrantView, Place, Times, World};
use crate::api::{DirectionState, Reason, TestRequestedBy, TestStep};
use crate::domain::failure::Failure;
use crate::domain::verdict::{explain, seconds};
use crate::domain::workload_secret::SecretView;

/// What came of a step. That a remote said no is an outcome; what could not be asked at all is
/// [`Outcome::Unavailable`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The grant is now as given: after a renewal, an adoption, or a reminder that it notes.
    Grant(Box<GrantView>),
    /// The grant could not be renewed or adopted, or the reminder not be sent, now.
    Unavailable,
    /// The grant's OAuth server was not asked: its turn, or the server's, comes then.
    NotYet(Timestamp),
    /// All places were taken.
    NoPlace,
    /// A test has begun.
    Started,
    /// The direction that was tested works.
    Works,
    /// It does not.
    Fails(Failure),
    /// The message was found.
    Arrived,
    /// The message was sent, but could not be looked for.
    Unseen(Failure),
    /// The Secret for workloads is now so.
    Secret(SecretView),
    /// A former Secret for workloads is gone, or was never ours.
    SecretRemoved,
    /// The API server's answer says no: by rights, a quota, an admission policy.
    SecretRefused(String),
}

/// `world` after `step` had `outcome`.
pub fn fold(mut world: World, step: &Step, outcome: Outcome) -> World {
    let at = result_time(&world);
    match (step, outcome) {
        (Step::Adopt { .. } | Step::Renew, Outcome::Grant(grant)) => {
            world.grant = *grant;
            world.renewal = Retry::default();
        }
        // Nothing has failed.
        (_, Outcome::NotYet(until)) => world.renewal.not_before = Some(until),
        (Step::TakePlace, Outcome::Grant(grant)) => {
            world.grant = *grant;
            world.place = Place::Held;
        }
        (Step::SignOut, Outcome::Grant(grant)) => world.grant = *grant,
        (Step::TakePlace, Outcome::NoPlace) => world.place = Place::Full,
        (Step::Remind(_), Outcome::Grant(grant)) => {
            world.grant = *grant;
            world.reminder = Retry::default();
        }
        (Step::Remind(_), _) => {
            let seed = format!("{}/reminder", world.uid);
            world.reminder = world.reminder.after_failure(world.now, &world.times, &seed);
        }
        (Step::PublishToken | Step::WithdrawToken | Step::RemoveSecret(_), outcome) => {
            binding::fold(&mut world, outcome);
        }
        (Step::StartTest(test), _) => {
            world.test.newest = Some(test.clone());
            world.answered_request = world.test_request.clone();
            world.answered_profile_request = world.profile_test_request.clone();
            for direction in [&mut world.test.incoming, &mut world.test.outgoing] {
                direction.retry = Retry::default();
                direction.state = DirectionState::Running;
            }
        }
        (Step::TestIncoming, Outcome::Works) => succeed(&mut world.test.incoming, at),
        (Step::TestIncoming, Outcome::Fails(failure)) => {
            let rules = rules(&world, "incoming", world.test.incoming.enabled);
            fail(&mut world.test.incoming, &failure, &rules);
        }
        (Step::TestOutgoing, Outcome::Works) => {
            succeed_login(&mut world, at);
        }
        (Step::SendMessage | Step::FindMessage, Outcome::Arrived) => {
            succeed(&mut world.test.outgoing, at);
        }
        (Step::SendMessage | Step::FindMessage, Outcome::Unseen(failure)) => {
            unseen(&mut world, &failure, at);
        }
        (Step::TestOutgoing | Step::SendMessage | Step::FindMessage, Outcome::Fails(failure)) => {
            let rules = rules(&world, "outgoing", world.test.outgoing.enabled);
            fail(&mut world.test.outgoing, &failure, &rules);
        }
        (_, _) => {
            world.renewal = world
                .renewal
                .after_failure(world.now, &world.times, &world.uid);
        }
    }
    advance(&mut world, at);
    world
}

/// Now, to the second, but never before the test began: its start may be rounded up.
fn result_time(world: &World) -> Timestamp {
    let now = seconds(world.now).0;
    world
        .test
        .newest
        .as_ref()
        .map_or(now, |test| now.max(test.started_at))
}

/// Where a message is still to prove the way, sending is not enabled by the login alone.
fn succeed_login(world: &mut World, at: Timestamp) {
    let message_follows = match (&world.spec, &world.test.newest) {
        (Ok(spec), Some(test)) => sends_message(test, spec),
        _ => false,
    };
    let outgoing = &mut world.test.outgoing;
    if message_follows {
        outgoing.tested_at = Some(at);
        outgoing.retry = Retry::default();
        outgoing.state = DirectionState::Running;
    } else {
        succeed(outgoing, at);
    }
}

/// The server took the message; whether it arrived is looked for again. Where that is refused, or
/// is given up though nothing but sending is wanted, what the server said is all the proof there is.
fn unseen(world: &mut World, failure: &Failure, at: Timestamp) {
    let rules = rules(world, "outgoing", world.test.outgoing.enabled);
    let reads = world.spec.as_ref().is_ok_and(tests_incoming);
    let outgoing = &mut world.test.outgoing;
    let refused = failure.reason.again().is_permanent();
    let last = outgoing.retry.failed.saturating_add(1) >= rules.tries;
    if refused || (last && !reads) {
        succeed(outgoing, at);
    } else {
        fail(outgoing, failure, &rules);
    }
}

/// Moves the test's step on to what is open, and ends the test when nothing is.
fn advance(world: &mut World, at: Timestamp) {
    let Ok(spec) = &world.spec else { return };
    let (incoming_used, outgoing_used) = (tests_incoming(spec), spec.outgoing);
    let proof = match (&world.grant, &world.test.newest) {
        (GrantView::Held(held), Some(test)) => needs_proof(world, test, held),
        _ => false,
    };
    let view = &mut world.test;
    view.mark_unused(spec);
    let Some(test) = view
        .newest
        .as_mut()
        .filter(|test| test.finished_at.is_none())
    else {
        return;
    };
    if proof {
        return;
    }
    let incoming_works = !incoming_used || view.incoming.enabled;
    if incoming_used && !view.incoming.is_done(test.started_at) {
        test.step = TestStep::Incoming;
    } else if outgoing_used && !view.outgoing.is_done(test.started_at) {
        test.step = test.step.max(TestStep::Outgoing);
    } else if view.outgoing.state == DirectionState::Running && incoming_works {
        test.step = TestStep::RoundTrip;
    } else {
        // Without a way to look for it, no message is sent: the login is all the proof there is.
        if view.outgoing.state == DirectionState::Running {
            succeed(&mut view.outgoing, at);
        }
        test.finished_at = Some(at);
    }
}

struct Rules {
    now: Timestamp,
    result: Timestamp,
    tries: u32,
    times: Times,
    seed: String,
}

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
    }
}

fn succeed(direction: &mut DirectionView, at: Timestamp) {
    direction.state = DirectionState::Success;
    direction.enabled = true;
    direction.tested_at = Some(at);
    direction.retry = Retry::default();
}

fn fail(direction: &mut DirectionView, failure: &Failure, rules: &Rules) {
    let reason = failure.reason;
    // The same reason again is not news, unless the direction has worked until now.
    let broke = direction.enabled && direction.retry.failed == 0;
    if broke
        || direction
            .last_error
            .as_ref()
            .is_none_or(|error| error.reason != reason)
    {
        direction.last_error = Some(LastError {
            at: seconds(rules.now).0,
            reason,
            message: explain(reason, &detail(failure, reason)),
            server_reply: failure.reply.clone(),
        });
    }
    let retry = direction
        .retry
        .after_failure(rules.now, &rules.times, &rules.seed);
    if failure.reason.again().is_permanent() || retry.failed >= rules.tries {
        direction.state = DirectionState::Failure;
        direction.enabled = false;
        direction.tested_at = Some(rules.result);
        direction.retry = Retry::default();
    } else {
        direction.retry = retry;
        if !direction.enabled {
            direction.state = DirectionState::Failure;
        }
    }
}

fn detail(failure: &Failure, reason: Reason) -> String {
    let mut text = failure.doing.clone();
    let ours =
        Some(&failure.detail).filter(|detail| !detail.is_empty() && *detail != reason.meaning());
    for more in [ours, failure.reply.as_ref()].into_iter().flatten() {
        text.push_str(": ");
        text.push_str(more);
    }
    text
}
