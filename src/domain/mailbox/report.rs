use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::binding;
use super::conditions::verdicts;
use super::ending::known_end;
use super::test::{DirectionView, LastError, Retry, Test, TestView};
use super::world::{GrantView, World};
use crate::api::{
    DirectionError, DirectionState, DirectionStatus, MailboxStatus, ProfileInUse, SignInStatus,
    TestRequestedBy, TestStatus,
};
use crate::domain::verdict::{conditions, seconds};

/// The status that `world` asks for; what only the web writes is left out. Equal to `old` where
/// there is nothing new to say.
pub fn report(
    world: &World,
    old: Option<&MailboxStatus>,
    generation: Option<i64>,
) -> MailboxStatus {
    let verdicts = verdicts(world);
    let no_conditions = Vec::new();
    let old_conditions = old.map_or(&no_conditions, |old| &old.conditions);
    let view = reported_test(&world.test, old);
    MailboxStatus {
        observed_generation: generation,
        profile: world.profile.name().map(|name| ProfileInUse {
            name: name.name.clone(),
            namespace: name.namespace.clone(),
        }),
        profile_name: world.profile.name().map(ToString::to_string),
        sign_in: Some(sign_in(world)),
        test: view.newest.as_ref().map(test_status),
        last_handled_test_request: world.answered_request.clone(),
        last_handled_profile_test_request: world.answered_profile_request.clone(),
        binding: binding::shown(world),
        incoming: Some(direction_status(&view.incoming)),
        outgoing: Some(direction_status(&view.outgoing)),
        conditions: conditions(verdicts.all(), old_conditions, generation, world.now),
    }
}

/// The routine re-test is told when it has ended or found something: one write a day, not five.
fn reported_test(view: &TestView, old: Option<&MailboxStatus>) -> TestView {
    let quiet = view
        .running()
        .is_some_and(|test| test.requested_by == TestRequestedBy::Schedule);
    match old.map(TestView::from) {
        Some(before)
            if quiet
                && is_same_finding(&before.incoming, &view.incoming)
                && is_same_finding(&before.outgoing, &view.outgoing) =>
        {
            before
        }
        _ => view.clone(),
    }
}

fn is_same_finding(a: &DirectionView, b: &DirectionView) -> bool {
    a.enabled == b.enabled
        && a.last_error == b.last_error
        && a.remark == b.remark
        && a.remark_message == b.remark_message
}

fn sign_in(world: &World) -> SignInStatus {
    let mut sign_in = SignInStatus {
        url: world.sign_in_page.url().map(ToString::to_string),
        ..SignInStatus::default()
    };
    match &world.grant {
        GrantView::Held(held) => {
            sign_in.account = Some(held.account.to_string());
            sign_in.signed_in_at = Some(seconds(held.signed_in_at));
            sign_in.expires_at = known_end(world).map(|end| seconds(end.at));
        }
        GrantView::Ended {
            account,
            signed_in_at,
            ..
        } => {
            sign_in.account = Some(account.to_string());
            sign_in.signed_in_at = Some(seconds(*signed_in_at));
        }
        GrantView::Absent | GrantView::Adoptable { .. } | GrantView::Unreadable => {}
    }
    sign_in
}

fn test_status(test: &Test) -> TestStatus {
    TestStatus {
        id: test.id.clone(),
        requested_by: test.requested_by,
        started_at: seconds(test.started_at),
        step: test.step,
        finished_at: test.finished_at.map(seconds),
        settings: test.settings.clone(),
    }
}

fn direction_status(view: &DirectionView) -> DirectionStatus {
    DirectionStatus {
        state: view.state,
        enabled: view.enabled,
        tested_at: view.tested_at.map(seconds),
        last_error: view.last_error.as_ref().map(|error| DirectionError {
            at: seconds(error.at),
            reason: error.reason,
            message: error.message.clone(),
            server_reply: error.server_reply.clone(),
        }),
        remark: view.remark,
        remark_message: view.remark_message.clone(),
    }
}

impl From<&MailboxStatus> for TestView {
    fn from(status: &MailboxStatus) -> Self {
        let time = |time: &Time| time.0;
        let direction = |status: Option<&DirectionStatus>| match status {
            None => DirectionView::untested(),
            Some(status) => DirectionView {
                state: status.state,
                enabled: status.enabled && status.state != DirectionState::NotUsed,
                tested_at: status.tested_at.as_ref().map(time),
                last_error: status.last_error.as_ref().map(|error| LastError {
                    at: error.at.0,
                    reason: error.reason,
                    message: error.message.clone(),
                    server_reply: error.server_reply.clone(),
                }),
                remark: status.remark,
                remark_message: status.remark_message.clone(),
                retry: Retry::default(),
            },
        };
        TestView {
            newest: status.test.as_ref().map(|test| Test {
                id: test.id.clone(),
                requested_by: test.requested_by,
                started_at: test.started_at.0,
                begun_at: test.started_at.0,
                step: test.step,
                finished_at: test.finished_at.as_ref().map(time),
                settings: test.settings.clone(),
            }),
            incoming: direction(status.incoming.as_ref()),
            outgoing: direction(status.outgoing.as_ref()),
        }
    }
}
