use std::time::Duration;

use jiff::Timestamp;

use super::binding;
use super::ending::{next_moment, reminder_due};
use super::next_test::{asked_for, current_test, new_test, test_due};
use super::running_test::next_step;
use super::spec::ValidSpec;
use super::step::{Plan, Step};
use super::world::{GrantView, Held, ProfileFacts, ProfileView, World};
use crate::domain::schedule::{earlier, later};

/// What to do next.
pub fn decide(world: &World) -> Plan {
    if is_signed_out(world) {
        return Plan::now(Step::SignOut);
    }
    let plan = decide_access_and_test(world);
    match (&plan.step, binding::due(world)) {
        // What comes with a new token is written with it.
        (Some(Step::Adopt { .. } | Step::TakePlace | Step::Renew), _) => return plan,
        // Before a test, which may take its time.
        (_, Some(step)) => return Plan::now(step),
        (Some(_), None) => return plan,
        (None, None) => {}
    }
    // A reminder waits for no test that goes on slowly.
    match reminder_due(world) {
        Some(step) => Plan::now(step),
        None => {
            let moments = [
                plan.wake,
                next_moment(world),
                sign_out_at(world),
                binding::next_moment(world),
            ];
            Plan::wait(moments.into_iter().flatten().min())
        }
    }
}

/// How far another's clock may be ahead of ours: that by which a request was written, or another replica's.
pub(super) const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// Whether its annotation signs out the sign-in that is there, however it stands: one that was given
/// before the time that was written there. A later one is another.
fn is_signed_out(world: &World) -> bool {
    sign_out_at(world).is_some_and(|at| at <= world.now)
}

/// When its annotation signs out the sign-in that is there.
fn sign_out_at(world: &World) -> Option<Timestamp> {
    let requested = world.sign_out_request?;
    let signed_in_at = match &world.grant {
        GrantView::Held(held) => held.signed_in_at,
        GrantView::Ended { signed_in_at, .. } => *signed_in_at,
        GrantView::Absent | GrantView::Adoptable { .. } | GrantView::Unreadable => return None,
    };
    (signed_in_at < requested).then(|| earlier(requested, CLOCKS_DIFFER))
}

fn decide_access_and_test(world: &World) -> Plan {
    if let Some(plan) = adoption(world) {
        return plan;
    }
    if world.wants_place() {
        return once_renewal_is_due(world, Step::TakePlace);
    }
    let Some((held, profile, spec)) = world.usable_grant() else {
        return Plan::wait(None);
    };
    let due = is_due(held, world.now);
    if due {
        if world.renewal.is_due(world.now) {
            return Plan::now(Step::Renew);
        }
        if world.now >= held.access_expires_at {
            return Plan::wait(world.renewal.not_before);
        }
    }
    let mut plan = decide_test(world, held, profile, spec);
    if plan.step.is_none() {
        let renewal = match world.renewal.not_before {
            Some(time) if due => time,
            Some(time) => time.max(held.renew_at),
            None => held.renew_at,
        };
        plan.wake = Some(plan.wake.map_or(renewal, |wake| wake.min(renewal)));
    }
    plan
}

/// Whether the access token is to be renewed. One from the future was got by a clock that has been put
/// right since: nobody knows when it really ends.
fn is_due(held: &Held, now: Timestamp) -> bool {
    now >= held.renew_at || held.access_issued_at > later(now, CLOCKS_DIFFER)
}

fn once_renewal_is_due(world: &World, step: Step) -> Plan {
    match world.renewal.is_due(world.now) {
        true => Plan::now(step),
        false => Plan::wait(world.renewal.not_before),
    }
}

/// What to do about a grant that was left for this Mailbox, where it could be used.
fn adoption(world: &World) -> Option<Plan> {
    let (
        GrantView::Adoptable {
            from,
            client_id,
            token_endpoint,
        },
        ProfileView::Ready(profile),
        Ok(spec),
    ) = (&world.grant, &world.profile, &world.spec)
    else {
        return None;
    };
    Some(
        match spec.suspended || !profile.gave(client_id, token_endpoint) {
            true => Plan::wait(None),
            false => once_renewal_is_due(world, Step::Adopt { from: from.clone() }),
        },
    )
}

fn decide_test(world: &World, held: &Held, profile: &ProfileFacts, spec: &ValidSpec) -> Plan {
    let start = |by| Plan::now(Step::StartTest(new_test(world, by, held, profile, spec)));
    let Some(test) = current_test(&world.test, held, profile, spec) else {
        return match test_due(world, held, profile, spec) {
            Ok(by) => start(by),
            Err(at) => Plan::wait(Some(at)),
        };
    };
    let plan = next_step(world, test, held, spec);
    if plan.step.is_some() {
        return plan;
    }
    // Whoever asks does not wait for tries that come in an hour: a new test takes this one's place.
    match asked_for(world, held) {
        Some(Ok(by)) => start(by),
        Some(Err(at)) => Plan::wait(plan.wake.map(|wake| wake.min(at)).or(Some(at))),
        None => plan,
    }
}
