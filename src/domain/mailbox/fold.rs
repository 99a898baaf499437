use jiff::Timestamp;

use super::binding;
use super::direction::{fail, first_try, incoming_rules, outgoing_rules, result_time, succeed};
use super::outcome::Outcome;
use super::running_test::{Message, message_of, needs_proof, reads_imap, sight};
use super::step::Step;
use super::test::{Retry, Test};
use super::world::{GrantView, Hold, Place, World};
use crate::api::{Again, DirectionState, Reason, TestRequestedBy, TestStep};
use crate::domain::failure::Failure;

/// `world` after `step` had `outcome`.
pub fn fold(mut world: World, step: &Step, outcome: Outcome) -> World {
    match step {
        Step::PublishToken | Step::WithdrawToken | Step::RemoveSecret(_) => {
            binding::fold(&mut world, outcome);
        }
        Step::Remind(_) => remind(&mut world, outcome),
        Step::StartTest(test) => start(&mut world, test),
        Step::TestIncoming | Step::TestOutgoing | Step::SendMessage(_) | Step::FindMessage => {
            tested(&mut world, step, outcome);
        }
        Step::Adopt { .. } | Step::SignOut | Step::TakePlace | Step::Renew => {
            access(&mut world, step, outcome);
        }
    }
    advance(&mut world);
    world
}

fn access(world: &mut World, step: &Step, outcome: Outcome) {
    match (step, outcome) {
        (Step::TakePlace, Outcome::NoPlace) => world.place = Place::Full,
        (step, Outcome::Grant(grant)) => {
            world.grant = *grant;
            match step {
                Step::TakePlace => world.place = Place::Held,
                Step::Adopt { .. } | Step::Renew => renewed(world),
                _ => {}
            }
        }
        (_, outcome) => not_renewed(world, outcome),
    }
}

/// The grant is proved: a test that waited for that goes on.
fn renewed(world: &mut World) {
    world.renewal = Retry::default();
    world.hold = None;
    if let Some(test) = running(world)
        && test.step == TestStep::Token
    {
        test.step = TestStep::Incoming;
    }
}

/// What keeps a test from going on is kept in the words that it was first told in.
fn not_renewed(world: &mut World, outcome: Outcome) {
    let hold = match outcome {
        // Nothing has failed.
        Outcome::NotYet(until) => {
            world.renewal.not_before = Some(until);
            return;
        }
        Outcome::HeldUntil(until, hold) => {
            world.renewal.not_before = Some(until);
            Some(hold)
        }
        outcome => {
            let (times, uid) = (&world.times, &world.uid);
            world.renewal = world.renewal.after_failure(world.now, times, uid);
            match outcome {
                Outcome::Held(hold) => Some(hold),
                _ => None,
            }
        }
    };
    let same = |now: &Hold, before: &Hold| now.reason == before.reason;
    if let Some(hold) = hold
        && world.test.running().is_some()
        && !(world.hold.as_ref()).is_some_and(|before| same(&hold, before))
    {
        world.hold = Some(hold);
    }
}

fn remind(world: &mut World, outcome: Outcome) {
    if let Outcome::Grant(grant) = outcome {
        world.grant = *grant;
        world.reminder = Retry::default();
    } else {
        let seed = format!("{}/reminder", world.uid);
        world.reminder = world.reminder.after_failure(world.now, &world.times, &seed);
    }
}

fn start(world: &mut World, test: &Test) {
    let first_try = first_try(world, test.requested_by);
    let (incoming, outgoing) = (&mut world.test.incoming, &mut world.test.outgoing);
    for direction in [incoming, outgoing] {
        direction.retry = Retry::default();
        direction.state = DirectionState::Running;
        // Of other settings, or of another account.
        if matches!(
            test.requested_by,
            TestRequestedBy::SignIn | TestRequestedBy::Change
        ) {
            direction.remark = None;
        }
    }
    world.test.incoming.retry.not_before = first_try;
    world.test.newest = Some(test.clone());
    world.answered_request = world.test_request.clone();
    world.answered_profile_request = world.profile_test_request.clone();
    world.hold = None;
}

fn tested(world: &mut World, step: &Step, outcome: Outcome) {
    let at = result_time(world);
    match (step, outcome) {
        (Step::TestIncoming, Outcome::Works) => succeed(&mut world.test.incoming, at),
        (Step::TestIncoming, Outcome::Fails(failure)) => {
            let rules = incoming_rules(world);
            fail(&mut world.test.incoming, &failure, &rules);
        }
        (Step::TestOutgoing, Outcome::Works) => logged_in(world, at),
        (_, Outcome::Arrived) => proved(world, at, None),
        (_, Outcome::ArrivedInSpam) => proved(world, at, Some(Reason::ArrivedInSpam)),
        (_, Outcome::Unproved) => proved(world, at, Some(Reason::RoundTripUnproved)),
        (_, Outcome::Unseen(failure)) => unseen(world, &failure, at),
        (_, Outcome::Fails(failure)) => {
            let rules = outgoing_rules(world);
            fail(&mut world.test.outgoing, &failure, &rules);
        }
        // Seen in the middle of a test: Google has ended it.
        (_, Outcome::Grant(grant)) => world.grant = *grant,
        (_, outcome) => not_renewed(world, outcome),
    }
}

/// Where a message is still to prove the way, sending is not enabled by the login alone.
fn logged_in(world: &mut World, at: Timestamp) {
    let message = match (&world.spec, &world.test.newest, &world.grant) {
        (Ok(spec), Some(test), GrantView::Held(held)) => message_of(world, test, held, spec),
        _ => Message::Unwanted,
    };
    let outgoing = &mut world.test.outgoing;
    match message {
        Message::Due => {
            outgoing.tested_at = Some(at);
            outgoing.retry = Retry::default();
            outgoing.state = DirectionState::Running;
        }
        Message::Unwanted => succeed(outgoing, at),
        Message::UsedUp => {
            succeed(outgoing, at);
            outgoing.remark = Some(Reason::MessagesUsedUp);
        }
    }
}

fn proved(world: &mut World, at: Timestamp, remark: Option<Reason>) {
    succeed(&mut world.test.outgoing, at);
    world.test.outgoing.remark = remark;
}

/// The server took the message; whether it arrived is looked for again. Where that is refused, or
/// is given up though mail is not read over IMAP, what the server said is all the proof there is.
fn unseen(world: &mut World, failure: &Failure, at: Timestamp) {
    let rules = outgoing_rules(world);
    let needed = world.spec.as_ref().is_ok_and(reads_imap);
    let outgoing = &mut world.test.outgoing;
    let refused = failure.reason.again().is_permanent();
    let last = outgoing.retry.failed.saturating_add(1) >= rules.tries;
    if refused || (last && !needed) {
        proved(world, at, Some(Reason::RoundTripUnproved));
    } else {
        fail(outgoing, failure, &rules);
    }
}

fn running(world: &mut World) -> Option<&mut Test> {
    let newest = world.test.newest.as_mut();
    newest.filter(|test| test.finished_at.is_none())
}

/// Moves the test's step on to what is open, and ends the test when nothing is.
fn advance(world: &mut World) {
    let at = result_time(world);
    let Ok(spec) = &world.spec else { return };
    world.test.mark_unused(spec);
    let Some(test) = world.test.running() else {
        world.hold = None;
        return;
    };
    if let GrantView::Held(held) = &world.grant
        && needs_proof(world, test, held, spec)
    {
        return;
    }
    let view = &world.test;
    let incoming_open = spec.incoming.is_some() && !view.incoming.is_done(test.started_at);
    let outgoing_open = spec.outgoing && !view.outgoing.is_done(test.started_at);
    let awaits_message = !outgoing_open && view.outgoing.state == DirectionState::Running;
    let next = if incoming_open {
        Some(TestStep::Incoming)
    } else if outgoing_open {
        Some(test.step.max(TestStep::Outgoing))
    } else if awaits_message && sight(world, spec).is_some() {
        Some(TestStep::RoundTrip)
    } else {
        None
    };
    // Sending does not wait for a server that wants to be left alone for an hour.
    let sends_meanwhile = incoming_open && awaits_message && waits_long(world);
    let view = &mut world.test;
    if sends_meanwhile {
        view.outgoing.enabled = true;
    }
    if let Some(test) = &mut view.newest {
        match next {
            Some(step) => test.step = step,
            None => test.finished_at = Some(at),
        }
    }
    // Without a way to look for it, no message is sent: the login is all the proof there is.
    if next.is_none() && awaits_message {
        succeed(&mut view.outgoing, at);
    }
    if next.is_none() {
        world.hold = None;
    }
}

fn waits_long(world: &World) -> bool {
    let incoming = &world.test.incoming;
    let error = incoming.last_error.as_ref();
    incoming.retry.failed > 0
        && error.is_some_and(|error| error.reason.again() == Again::AfterPause)
}
