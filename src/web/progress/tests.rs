use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde_json::json;

use super::*;
use crate::api::{
    DirectionError, DirectionState, DirectionStatus, SignInStatus, TestRequestedBy, TestStatus,
    TestStep,
};
use crate::cluster::grant_secret;
use crate::domain::progress::State;

const BEGAN: i64 = 1_800_000_000;

fn time(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

fn grant() -> Grant {
    let keys = json!({
        "refresh-token": "r", "access-token": "a", "access-token-issued-at": time(BEGAN),
        "access-token-expires-at": time(BEGAN + 3600), "iss": "i", "sub": "s", "email": "ann@example.com",
        "email-address": "ann@example.com", "scopes": "openid", "client-id": "1-a", "profile": "mail/google",
        "signed-in-at": time(BEGAN), "start-from": time(BEGAN),
    });
    let mut secret: k8s_openapi::api::core::v1::Secret = serde_json::from_value(json!({
        "metadata": { "labels": {
            grant_secret::UID_LABEL: "u", grant_secret::NAMESPACE_LABEL: "crm", grant_secret::NAME_LABEL: "box",
        }},
    }))
    .unwrap();
    let keys: std::collections::BTreeMap<String, String> = serde_json::from_value(keys).unwrap();
    let bytes = |text: String| k8s_openapi::ByteString(text.into_bytes());
    secret.data = Some(
        keys.into_iter()
            .map(|(key, text)| (key, bytes(text)))
            .collect(),
    );
    grant_secret::parse(&secret).unwrap()
}

fn direction(state: DirectionState, tested: Option<i64>, error: Option<i64>) -> DirectionStatus {
    DirectionStatus {
        state,
        enabled: state == DirectionState::Success,
        tested_at: tested.map(time),
        last_error: error.map(|at| DirectionError {
            at: time(at),
            reason: Reason::ConnectionRefused,
            message: String::new(),
            server_reply: None,
        }),
        remark: None,
        remark_message: None,
    }
}

fn test(step: TestStep, finished: bool) -> TestStatus {
    TestStatus {
        id: "t".into(),
        requested_by: TestRequestedBy::SignIn,
        started_at: time(BEGAN),
        step,
        finished_at: finished.then(|| time(BEGAN + 9)),
        settings: String::new(),
    }
}

fn mailbox(
    test: Option<TestStatus>,
    incoming: DirectionStatus,
    outgoing: DirectionStatus,
) -> Mailbox {
    let spec = serde_json::from_value(json!({ "emailAddress": "ann@example.com" })).unwrap();
    let mut mailbox = Mailbox::new("box", spec);
    mailbox.status = Some(MailboxStatus {
        test,
        incoming: Some(incoming),
        outgoing: Some(outgoing),
        ..MailboxStatus::default()
    });
    mailbox
}

fn seen(mailbox: &Mailbox) -> (Overall, Vec<&'static str>) {
    let progress = progress(mailbox, &grant());
    let word = |step: &Step| match step.state {
        State::Waiting => "waiting",
        State::Running => "running",
        State::Works => "works",
        State::TriesAgain(_) => "tries again",
        State::Fails(_) => "fails",
        State::NotTried => "not tried",
        State::NotTested => "not tested",
    };
    (progress.overall, progress.steps.iter().map(word).collect())
}

#[test]
fn a_test_is_followed_from_its_beginning_to_its_end() {
    use DirectionState::{Failure, NotRun, Running, Success};
    use TestStep::{Incoming, Outgoing, RoundTrip, Token};
    let (new, running) = (
        || direction(NotRun, None, None),
        || direction(Running, None, None),
    );
    let works = || direction(Success, Some(BEGAN + 1), None);
    let logged_in = || direction(Running, Some(BEGAN + 2), None);
    let old = || direction(Success, Some(BEGAN - 99), Some(BEGAN - 200));
    let fails = || direction(Failure, Some(BEGAN + 1), Some(BEGAN + 1));
    let going = |step| Some(test(step, false));
    let over = |step| Some(test(step, true));
    for (test, incoming, outgoing, expected) in [
        (None, new(), new(), (Overall::Running, ["waiting"; 4])),
        (
            going(Token),
            running(),
            running(),
            (
                Overall::Running,
                ["running", "waiting", "waiting", "waiting"],
            ),
        ),
        (
            going(Incoming),
            running(),
            running(),
            (Overall::Running, ["works", "running", "waiting", "waiting"]),
        ),
        (
            going(Incoming),
            old(),
            old(),
            (Overall::Running, ["works", "running", "waiting", "waiting"]),
        ),
        (
            going(Outgoing),
            works(),
            running(),
            (Overall::Running, ["works", "works", "running", "waiting"]),
        ),
        (
            going(RoundTrip),
            works(),
            logged_in(),
            (Overall::Running, ["works", "works", "works", "running"]),
        ),
        (
            over(RoundTrip),
            works(),
            works(),
            (Overall::Works, ["works"; 4]),
        ),
        (
            going(Incoming),
            direction(Running, None, Some(BEGAN)),
            running(),
            (
                Overall::Running,
                ["works", "tries again", "waiting", "waiting"],
            ),
        ),
        (
            over(Outgoing),
            fails(),
            works(),
            (Overall::Fails, ["works", "fails", "works", "not tried"]),
        ),
        (
            over(Outgoing),
            works(),
            fails(),
            (Overall::Fails, ["works", "works", "fails", "not tried"]),
        ),
        (
            over(RoundTrip),
            works(),
            fails(),
            (Overall::Fails, ["works", "works", "works", "fails"]),
        ),
        // The same reason as before this test is told once, before it.
        (
            over(Outgoing),
            direction(Failure, Some(BEGAN + 1), Some(BEGAN - 50)),
            works(),
            (Overall::Fails, ["works", "fails", "works", "not tried"]),
        ),
        // POP3 is not tested by this version.
        (
            over(Outgoing),
            new(),
            works(),
            (
                Overall::Works,
                ["works", "not tested", "works", "not tested"],
            ),
        ),
    ] {
        let mailbox = mailbox(test, incoming, outgoing);
        assert_eq!(
            seen(&mailbox),
            (expected.0, expected.1.to_vec()),
            "{:?}",
            mailbox.status
        );
    }
}

#[test]
fn the_test_before_the_sign_in_is_not_this_one() {
    let works = || direction(DirectionState::Success, Some(BEGAN + 1), None);
    let mut earlier = test(TestStep::RoundTrip, true);
    earlier.started_at = time(BEGAN - 1);
    let mailbox = mailbox(Some(earlier), works(), works());
    assert_eq!(seen(&mailbox), (Overall::Running, vec!["waiting"; 4]));
}

#[test]
fn what_keeps_a_test_from_beginning_is_told_once_it_is_of_this_sign_in() {
    let new = || direction(DirectionState::NotRun, None, None);
    let mut mailbox = mailbox(None, new(), new());
    let status = mailbox.status.as_mut().unwrap();
    status.conditions = vec![Condition {
        type_: "SignedIn".into(),
        status: "False".into(),
        reason: "CapacityReached".into(),
        message: String::new(),
        last_transition_time: time(BEGAN),
        observed_generation: None,
    }];
    assert_eq!(seen(&mailbox).0, Overall::Running);
    let status = mailbox.status.as_mut().unwrap();
    status.sign_in = Some(SignInStatus {
        signed_in_at: Some(time(BEGAN)),
        ..SignInStatus::default()
    });
    assert_eq!(seen(&mailbox).0, Overall::Held(Reason::CapacityReached));
}
