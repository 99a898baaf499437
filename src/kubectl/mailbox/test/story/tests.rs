use serde_json::{Value, json};

use super::*;

const REQUEST: &str = "2026-11-26T14:00:00Z";
const BEGAN: &str = "2026-11-26T14:00:01Z";

fn now() -> Timestamp {
    REQUEST.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn condition(type_: &str, status: &str, reason: &str) -> Value {
    json!({ "type": type_, "status": status, "reason": reason, "message": "Why.", "lastTransitionTime": BEGAN })
}

fn mailbox(answered: &str, ready: (&str, &str), test: Value, directions: [Value; 2]) -> Mailbox {
    let [incoming, outgoing] = directions;
    serde_json::from_value(json!({
        "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
        "metadata": { "name": "support", "namespace": "crm" },
        "spec": { "emailAddress": "support@example.com" },
        "status": {
            "lastHandledTestRequest": answered, "test": test,
            "incoming": incoming, "outgoing": outgoing,
            "conditions": [
                condition("Ready", ready.0, ready.1), condition("Accepted", "True", "Accepted"),
                condition("ProfileReady", "True", "ProfileReady"), condition("SignedIn", "True", "SignedIn"),
            ],
        },
    }))
    .unwrap_or_else(|error| panic!("{error}"))
}

fn test(by: &str, step: &str, finished: bool) -> Value {
    let mut test =
        json!({ "id": "t", "requestedBy": by, "startedAt": BEGAN, "step": step, "settings": "" });
    if finished {
        test["finishedAt"] = json!(BEGAN);
    }
    test
}

fn works() -> Value {
    json!({ "state": "Success", "enabled": true, "testedAt": BEGAN })
}

fn running() -> Value {
    json!({ "state": "Running", "enabled": true })
}

fn refused(state: &str, tested: Option<&str>) -> Value {
    json!({ "state": state, "enabled": false, "testedAt": tested, "lastError": {
        "at": BEGAN, "reason": "ConnectionRefused", "serverReply": "421 later",
        "message": "The server refused the connection: connecting to smtp.gmail.com:465. Platform admin: Check host and port in the profile, egress rules and firewalls.",
    } })
}

#[test]
fn why_a_test_has_not_begun() {
    for (test, wanted) in [
        (Value::Null, "waits for the operator"),
        (
            test("Schedule", "RoundTrip", true),
            "waits for the operator",
        ),
        (
            test("SignIn", "Token", false),
            "waits for the end of the test before it",
        ),
        (
            test("Annotation", "RoundTrip", true),
            "waits, since a mailbox is tested once a minute and the last test began less than one ago",
        ),
    ] {
        let mailbox = mailbox("before", ("True", "Enabled"), test, [works(), works()]);
        let look = Story::new(REQUEST).look(&mailbox, now());
        assert_eq!((look.doing, look.ended), (Doing::Waits(wanted), None));
    }
}

#[test]
fn each_step_is_told_once_and_in_order() {
    let mut story = Story::new(REQUEST);
    let mut look = |test, directions, ready| {
        let look = story.look(&mailbox(REQUEST, ready, test, directions), now());
        (look.news.join("; "), look.doing.to_string(), look.ended)
    };
    let enabled = ("True", "Enabled");
    let going = |step| test("Annotation", step, false);
    assert_eq!(
        look(going("Token"), [running(), running()], enabled),
        (String::new(), "tests permission from Google".into(), None)
    );
    assert_eq!(
        look(going("Outgoing"), [works(), running()], enabled),
        (
            "permission from Google: works; receiving (IMAP): works".into(),
            "tests sending (SMTP)".into(),
            None
        )
    );
    assert_eq!(
        look(
            going("Outgoing"),
            [works(), refused("Running", None)],
            enabled
        ),
        (
            "sending (SMTP): failed (ConnectionRefused), and is tried again".into(),
            "sending (SMTP): ConnectionRefused, tried again".into(),
            None
        )
    );
    let mut spam = works();
    spam["remark"] = json!("ArrivedInSpam");
    assert_eq!(
        look(
            test("Annotation", "RoundTrip", true),
            [works(), spam],
            enabled
        ),
        (
            "sending (SMTP): works; a message to itself: works".into(),
            "ends the test".into(),
            Some(Ended::Works(Some(Reason::ArrivedInSpam)))
        )
    );
}

#[test]
fn a_failure_has_its_fields() {
    let over = test("Annotation", "Outgoing", true);
    let directions = [works(), refused("Failure", Some(BEGAN))];
    let mailbox = mailbox(REQUEST, ("False", "ConnectionRefused"), over, directions);
    let look = Story::new(REQUEST).look(&mailbox, now());
    let wrong = Wrong {
        reason: "ConnectionRefused".to_owned(),
        what: "The server refused the connection: connecting to smtp.gmail.com:465.".to_owned(),
        cure: Some((
            crate::api::Actor::PlatformAdmin,
            Reason::ConnectionRefused.cure(),
        )),
        again: Some("in seconds to minutes"),
        reply: Some("421 later".to_owned()),
    };
    assert_eq!(look.ended, Some(Ended::Fails(vec![wrong])));
}

#[test]
fn what_keeps_it_from_beginning_is_told_at_once() {
    let suspended = mailbox(
        "before",
        ("False", "Suspended"),
        Value::Null,
        [works(), works()],
    );
    let look = Story::new(REQUEST).look(&suspended, now());
    let Some(Ended::NotTested(wrong)) = look.ended else {
        panic!("{look:?}");
    };
    assert_eq!(wrong.reason, "Suspended");
    // A sign-in that Google ended in the test is a failure of it.
    let mut lost = mailbox(
        REQUEST,
        ("False", "ConsentExpired"),
        test("Annotation", "Token", false),
        [running(), running()],
    );
    if let Some(status) = &mut lost.status {
        status.conditions[3].status = "False".to_owned();
    }
    let look = Story::new(REQUEST).look(&lost, now());
    assert!(matches!(look.ended, Some(Ended::Fails(_))), "{look:?}");
}

#[test]
fn who_did_not_wait_learns_what_stood_in_the_way() {
    let tried = mailbox(
        REQUEST,
        ("True", "Enabled"),
        test("Annotation", "Outgoing", false),
        [works(), refused("Running", None)],
    );
    let Ended::Late(doing, Some(wrong)) = Story::late("sending (SMTP)", Some(&tried)) else {
        panic!("nothing stood in the way");
    };
    assert_eq!(
        (doing.as_str(), wrong.reason.as_str()),
        ("sending (SMTP)", "ConnectionRefused")
    );
    assert_eq!(Story::late("x", None), Ended::Late("x".to_owned(), None));
}
