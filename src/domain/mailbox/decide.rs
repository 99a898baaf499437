use std::time::Duration;

use jiff::Timestamp;

use super::binding;
use super::ending::{next_moment, reminder_due};
use super::spec::ValidSpec;
use super::test::{Test, TestView};
use super::world::{GrantView, Held, ProfileFacts, ProfileView, World};
use crate::api::{IncomingProtocol, TestMessage, TestRequestedBy, TestStep};
use crate::domain::grant::KnownEnd;
use crate::domain::schedule::{digest, earlier, later, spread};
use crate::domain::verdict::seconds;

/// At most one step, and when to look again if nothing happens before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What to do now.
    pub step: Option<Step>,
    /// When to look again; never, where only a change can help.
    pub wake: Option<Timestamp>,
}

/// One thing to do that needs more than thought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Take over the grant that a Mailbox of the same name and address left.
    Adopt {
        /// That Mailbox's uid.
        from: String,
    },
    /// End the sign-in, as its annotation asks.
    SignOut,
    /// Take a place in the profile's Google Cloud project for the account that signed in.
    TakePlace,
    /// Get a new access token.
    Renew,
    /// Begin this test.
    StartTest(Test),
    /// Log in to the incoming server and open the inbox.
    TestIncoming,
    /// Log in to the outgoing server.
    TestOutgoing,
    /// Send the test's message to the mailbox and look for it.
    SendMessage,
    /// Look for the test's message, which may have been sent before.
    FindMessage,
    /// Send the owner a reminder that the sign-in ends then.
    Remind(KnownEnd),
    /// Write the access token into the Secret for workloads.
    PublishToken,
    /// Take the access token out of it.
    WithdrawToken,
    /// Remove the Secret of this name, which was for workloads until the spec named another or none.
    RemoveSecret(String),
}

impl Step {
    /// Whether it, or what follows at once, connects to a mail server.
    pub fn connects(&self) -> bool {
        match self {
            Step::Adopt { .. }
            | Step::SignOut
            | Step::TakePlace
            | Step::Renew
            | Step::PublishToken
            | Step::WithdrawToken
            | Step::RemoveSecret(_) => false,
            Step::StartTest(_)
            | Step::Remind(_)
            | Step::TestIncoming
            | Step::TestOutgoing
            | Step::SendMessage
            | Step::FindMessage => true,
        }
    }
}

impl Plan {
    fn now(step: Step) -> Self {
        Self {
            step: Some(step),
            wake: None,
        }
    }

    fn wait(wake: Option<Timestamp>) -> Self {
        Self { step: None, wake }
    }
}

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

/// How far the clock that a request was written by may be ahead of ours.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

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
    if let (
        GrantView::Adoptable {
            from,
            client_id,
            token_endpoint,
        },
        ProfileView::Ready(profile),
        Ok(spec),
    ) = (&world.grant, &world.profile, &world.spec)
    {
        return match spec.suspended || !profile.gave(client_id, token_endpoint) {
            true => Plan::wait(None),
            false if world.renewal.is_due(world.now) => {
                Plan::now(Step::Adopt { from: from.clone() })
            }
            false => Plan::wait(world.renewal.not_before),
        };
    }
    if world.wants_place() {
        return match world.renewal.is_due(world.now) {
            true => Plan::now(Step::TakePlace),
            false => Plan::wait(world.renewal.not_before),
        };
    }
    let Some((held, profile, spec)) = world.usable_grant() else {
        return Plan::wait(None);
    };
    if world.now >= held.renew_at {
        if world.renewal.is_due(world.now) {
            return Plan::now(Step::Renew);
        }
        if world.now >= held.access_expires_at {
            return Plan::wait(world.renewal.not_before);
        }
    }
    let renewal = world
        .renewal
        .not_before
        .map_or(held.renew_at, |time| time.max(held.renew_at));
    let mut plan = match current_test(&world.test, held, profile, spec) {
        Some(test) => next_step(world, test, held, spec),
        None => match test_due(world, held, profile, spec) {
            Ok(by) => Plan::now(Step::StartTest(new_test(world, by, held, profile, spec))),
            Err(at) => Plan::wait(Some(at)),
        },
    };
    if plan.step.is_none() {
        plan.wake = Some(plan.wake.map_or(renewal, |wake| wake.min(renewal)));
    }
    plan
}

/// The running test, unless what it tests is no longer what is used.
fn current_test<'a>(
    view: &'a TestView,
    held: &Held,
    profile: &ProfileFacts,
    spec: &ValidSpec,
) -> Option<&'a Test> {
    view.running()
        .filter(|test| test.settings == settings(held, profile, spec))
}

fn next_step(world: &World, test: &Test, held: &Held, spec: &ValidSpec) -> Plan {
    if needs_proof(world, test, held) {
        return match world.renewal.is_due(world.now) {
            true => Plan::now(Step::Renew),
            false => Plan::wait(world.renewal.not_before),
        };
    }
    let incoming = tests_incoming(spec) && !world.test.incoming.is_done(test.started_at);
    let outgoing = spec.outgoing
        && (test.step == TestStep::RoundTrip || !world.test.outgoing.is_done(test.started_at));
    if incoming && world.test.incoming.retry.is_due(world.now) {
        return Plan::now(Step::TestIncoming);
    }
    if outgoing && world.test.outgoing.retry.is_due(world.now) {
        // A message that was on its way when its answer was lost is looked for, never sent again.
        return Plan::now(match test.step {
            TestStep::RoundTrip if held.message_sent_by.as_ref() == Some(&test.id) => {
                Step::FindMessage
            }
            TestStep::RoundTrip => Step::SendMessage,
            _ => Step::TestOutgoing,
        });
    }
    let waits = [
        (incoming, &world.test.incoming),
        (outgoing, &world.test.outgoing),
    ];
    Plan::wait(
        waits
            .iter()
            .filter(|(open, _)| *open)
            .filter_map(|(_, direction)| direction.retry.not_before)
            .min(),
    )
}

/// A test that a person asked for, and the daily one, also prove that Google still renews the grant.
/// After a sign-in it has just been proved.
pub(super) fn needs_proof(world: &World, test: &Test, held: &Held) -> bool {
    test.step == TestStep::Token
        && later(held.access_issued_at, world.times.proof_age) < test.started_at
}

/// POP3 is not tested yet.
pub(super) fn tests_incoming(spec: &ValidSpec) -> bool {
    spec.incoming == Some(IncomingProtocol::Imap)
}

/// Whether the test's last step is a message to the mailbox itself.
pub(super) fn sends_message(test: &Test, spec: &ValidSpec) -> bool {
    spec.test_message == TestMessage::ToSelf
        && spec.outgoing
        && matches!(
            test.requested_by,
            TestRequestedBy::SignIn | TestRequestedBy::Annotation | TestRequestedBy::Page
        )
}

/// Why a test is due, or when the next one will be.
fn test_due(
    world: &World,
    held: &Held,
    profile: &ProfileFacts,
    spec: &ValidSpec,
) -> Result<TestRequestedBy, Timestamp> {
    // Without its status a Mailbox has forgotten its test; the grant knows whether the receipt of
    // this sign-in went out.
    let unreceipted = held.message_sent_by.is_none();
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
    let requests = [
        (&world.test_request, &world.answered_request),
        (&world.profile_test_request, &world.answered_profile_request),
    ];
    if requests
        .iter()
        .any(|(request, answered)| request.is_some() && request != answered)
    {
        return Ok(TestRequestedBy::Annotation);
    }
    if held
        .test_requested_at
        .is_some_and(|at| at > test.started_at)
    {
        return Ok(TestRequestedBy::Page);
    }
    let finished = test.finished_at.unwrap_or(test.started_at);
    let failing = [
        (tests_incoming(spec), &world.test.incoming),
        (spec.outgoing, &world.test.outgoing),
    ]
    .into_iter()
    .filter(|(used, direction)| *used && !direction.enabled)
    .map(|(_, direction)| match &direction.last_error {
        Some(error) if error.reason.again().is_permanent() => world.times.retest_failed,
        _ => world.times.retest_failed.min(world.times.backoff_longest),
    })
    .min();
    let due = later(
        finished,
        spread(failing.unwrap_or(world.times.retest), &world.uid),
    );
    if due <= world.now {
        Ok(TestRequestedBy::Schedule)
    } else {
        Err(due)
    }
}

fn new_test(
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
        id: digest(&[&world.uid, &started_at.to_string()]),
        requested_by: by,
        started_at,
        step: TestStep::Token,
        finished_at: None,
        settings: settings(held, profile, spec),
    }
}

/// Changes whenever something does that a test's answer depends on: the sign-in is a part of it.
fn settings(held: &Held, profile: &ProfileFacts, spec: &ValidSpec) -> String {
    let servers = &profile.servers;
    digest(&[
        &held.signed_in_at.to_string(),
        held.account.as_str(),
        spec.address.as_str(),
        spec.account.as_str(),
        &format!("{:?}/{}", spec.incoming, spec.outgoing),
        &servers.imap.to_string(),
        &servers.smtp.to_string(),
        &format!("{:?}", servers.smtp_security),
        &profile.trust,
    ])
}
