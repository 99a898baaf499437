use super::binding;
use super::direction::{
    begins_anew, fail, first_try, incoming_rules, outgoing_rules, result_time, succeed,
};
use super::message_proof::{arrived, logged_in, send_meanwhile, unproved, unseen, unsent};
use super::outcome::Outcome;
use super::running_test::{needs_proof, sight};
use super::step::Step;
use super::test::{Retry, Test};
use super::world::{GrantView, Hold, Place, World};
use crate::api::{Again, DirectionState, Reason, TestStep};

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
    let replaced = world.test.running();
    let sent = replaced.is_some_and(|test| test.step == TestStep::RoundTrip);
    let outgoing = &mut world.test.outgoing;
    // The message that it has not found is owed by this one.
    if sent && !outgoing.enabled && outgoing.retry.failed > 0 {
        let error = outgoing.last_error.as_ref();
        outgoing.remark = error.map(|error| error.reason).or(outgoing.remark);
    }
    let (incoming, outgoing) = (&mut world.test.incoming, &mut world.test.outgoing);
    for direction in [incoming, outgoing] {
        direction.retry = Retry::default();
        direction.state = DirectionState::Running;
        // Of other settings, or of another account.
        if begins_anew(test) && direction.enabled {
            direction.remark = None;
            direction.remark_message = None;
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
        (_, Outcome::Arrived) => arrived(world, step, at, None),
        (_, Outcome::ArrivedInSpam) => arrived(world, step, at, Some(Reason::ArrivedInSpam)),
        (_, Outcome::Unproved(why)) => unproved(world, why.as_ref(), at),
        (_, Outcome::Unseen(failure)) => unseen(world, step, &failure, at),
        (_, Outcome::Fails(failure)) => {
            let rules = outgoing_rules(world, step);
            fail(&mut world.test.outgoing, &failure, &rules);
        }
        // Seen in the middle of a test: Google has ended it.
        (_, Outcome::Grant(grant)) => world.grant = *grant,
        (_, outcome) => not_renewed(world, outcome),
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
    if incoming_open && awaits_message && waits_long(world) {
        send_meanwhile(world);
    }
    if let Some(test) = &mut world.test.newest {
        match next {
            Some(step) => test.step = step,
            None => test.finished_at = Some(at),
        }
    }
    if next.is_none() {
        world.hold = None;
        if awaits_message {
            unsent(world, at);
        }
    }
}

fn waits_long(world: &World) -> bool {
    let incoming = &world.test.incoming;
    let error = incoming.last_error.as_ref();
    incoming.retry.failed > 0
        && error.is_some_and(|error| error.reason.again() == Again::AfterPause)
}
