//! When the next test begins, and why.

use std::time::Duration;

use jiff::Timestamp;

use super::message_proof::looked_for;
use super::running_test::is_pop3;
use super::spec::ValidSpec;
use super::test::{DirectionView, Test, TestView};
use super::world::{Held, ProfileFacts, Times, World};
use crate::api::{Again, TestMessage, TestRequestedBy, TestStep};
use crate::domain::schedule::{digest, later, spread};
use crate::domain::verdict::seconds;

/// The running test, unless what it tests is no longer what is used.
pub(super) fn current_test<'a>(
    view: &'a TestView,
    held: &Held,
    profile: &ProfileFacts,
    spec: &ValidSpec,
) -> Option<&'a Test> {
    view.running()
        .filter(|test| test.settings == settings(held, profile, spec))
}

/// Why a test is due, or when the next one will be.
pub(super) fn test_due(
    world: &World,
    held: &Held,
    profile: &ProfileFacts,
    spec: &ValidSpec,
) -> Result<TestRequestedBy, Timestamp> {
    // Without its status a Mailbox has forgotten its test; the grant knows whether the receipt of
    // this sign-in went out.
    let unreceipted = held.messages.lack_receipt();
    let Some(test) = &world.test.newest else {
        return Ok(if unreceipted {
            TestRequestedBy::SignIn
        } else {
            TestRequestedBy::Change
        });
    };
    if test.settings != settings(held, profile, spec) {
        let receipt_is_due = unreceipted
            && (spec.test_message == TestMessage::ToSelf || held.signed_in_at > test.started_at);
        return Ok(if receipt_is_due {
            TestRequestedBy::SignIn
        } else {
            TestRequestedBy::Change
        });
    }
    let asked = match asked_for(world, held) {
        Some(Ok(by)) => return Ok(by),
        Some(Err(at)) => Some(at),
        None => None,
    };
    let due = scheduled_at(world, test, spec);
    if due <= world.now {
        Ok(TestRequestedBy::Schedule)
    } else {
        Err(asked.map_or(due, |at| at.min(due)))
    }
}

/// Who asks for a test, if somebody does, or when it may begin: not within a minute of the beginning of
/// another, other than that of the sign-in. Whatever is asked for until then is answered by that one test.
pub(super) fn asked_for(world: &World, held: &Held) -> Option<Result<TestRequestedBy, Timestamp>> {
    let newest = world.test.newest.as_ref();
    let annotated = [
        (&world.test_request, &world.answered_request),
        (&world.profile_test_request, &world.answered_profile_request),
    ]
    .iter()
    .any(|(request, answered)| request.is_some() && request != answered);
    let on_page = held
        .test_requested_at
        .is_some_and(|at| newest.is_none_or(|test| at > test.started_at));
    let by = match (annotated, on_page) {
        (true, _) => TestRequestedBy::Annotation,
        (false, true) => TestRequestedBy::Page,
        (false, false) => return None,
    };
    let free = newest
        .filter(|test| test.requested_by != TestRequestedBy::SignIn)
        .map(|test| later(test.started_at, world.times.between_requested_tests))
        .filter(|free| *free > world.now);
    Some(free.map_or(Ok(by), Err))
}

/// When a mailbox is tested again though nobody asks: sooner where a direction is off.
fn scheduled_at(world: &World, test: &Test, spec: &ValidSpec) -> Timestamp {
    let finished = test.finished_at.unwrap_or(test.started_at);
    let failing = [
        (spec.incoming.is_some(), &world.test.incoming),
        (spec.outgoing, &world.test.outgoing),
    ]
    .into_iter()
    .filter(|(used, direction)| *used && !direction.enabled)
    .map(|(_, direction)| after_failure(direction, &world.times))
    .min();
    later(
        finished,
        spread(failing.unwrap_or(world.times.retest), &world.uid),
    )
}

fn after_failure(direction: &DirectionView, times: &Times) -> Duration {
    let again = direction.last_error.as_ref().map(|e| e.reason.again());
    times.retest_failed.min(match again {
        Some(Again::OnChange | Again::Slowly) => Duration::MAX,
        Some(Again::AfterPause) => times.pause_longest,
        Some(Again::Soon) | None => times.backoff_longest,
    })
}

pub(super) fn new_test(
    world: &World,
    by: TestRequestedBy,
    held: &Held,
    profile: &ProfileFacts,
    spec: &ValidSpec,
) -> Test {
    // Status keeps whole seconds, and the web's clock may be ahead of ours: without this a result of
    // the test before, the sign-in, or what its owner asked for, would seem to belong to another test.
    let before = [
        world.test.incoming.tested_at,
        world.test.outgoing.tested_at,
        world.test.newest.as_ref().map(|test| test.started_at),
    ];
    let after = before
        .into_iter()
        .flatten()
        .max()
        .map(|at| later(at, Duration::from_secs(1)));
    let started_at = [
        Some(seconds(world.now).0),
        after,
        Some(held.signed_in_at),
        held.test_requested_at,
    ]
    .into_iter()
    .flatten()
    .max()
    .unwrap_or(world.now);
    Test {
        id: looked_for(world, by, held)
            .unwrap_or_else(|| digest(&[&world.uid, &started_at.to_string()])),
        requested_by: by,
        started_at,
        begun_at: started_at.min(world.now),
        step: TestStep::Token,
        finished_at: None,
        settings: settings(held, profile, spec),
    }
}

/// Changes whenever something does that a test's answer depends on: the sign-in is a part of it.
fn settings(held: &Held, profile: &ProfileFacts, spec: &ValidSpec) -> String {
    let servers = &profile.servers;
    let pop3 = match is_pop3(spec) {
        true => servers.pop3.to_string(),
        false => String::new(),
    };
    let mut parts = vec![
        held.signed_in_at.to_string(),
        held.account.to_string(),
        spec.address.to_string(),
        spec.account.to_string(),
        format!("{:?}/{}", spec.incoming, spec.outgoing),
        servers.imap.to_string(),
        servers.smtp.to_string(),
        format!("{:?}", servers.smtp_security),
        profile.trust.clone(),
    ];
    // Only where it matters: else each Mailbox would be tested again after an upgrade.
    parts.extend(Some(pop3).filter(|pop3| !pop3.is_empty()));
    digest(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}
