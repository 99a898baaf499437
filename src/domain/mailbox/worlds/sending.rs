//! A message that was sent and cannot be looked for, and a test that waits.

use super::*;

/// A test that is about to send its message, and has noted that.
fn sending(spec: Result<ValidSpec, BadSpec>) -> World {
    let passed = tests()
        .into_iter()
        .find(|view| {
            let newest = view.newest.as_ref();
            newest
                .is_some_and(|test| test.step == TestStep::RoundTrip && test.finished_at.is_none())
        })
        .unwrap();
    let noted = GrantView::Held(Held {
        messages: sample::receipted("running"),
        ..held()
    });
    let mut world = world(spec, profiles()[3].clone(), noted, passed, None);
    let settings = match decide(&World {
        test: TestView::untested(),
        ..world.clone()
    })
    .step
    {
        Some(Step::StartTest(test)) => test.settings,
        other => panic!("{other:?}"),
    };
    world.test.newest.as_mut().unwrap().settings = settings;
    if let Ok(spec) = &world.spec {
        world.test.mark_unused(spec);
    }
    world
}

fn unseen(reason: Reason) -> Outcome {
    Outcome::Unseen(Failure {
        reason,
        doing: "looking".into(),
        detail: String::new(),
        reply: None,
    })
}

#[test]
fn a_message_that_cannot_be_looked_for_now_is_looked_for_again() {
    let world = sending(specs()[1].clone());
    let mut world = fold(
        world,
        &Step::SendMessage(Sight::Clear),
        unseen(Reason::ConnectionRefused),
    );
    for _ in 0..8 {
        assert!(world.test.running().is_some() && !world.test.outgoing.enabled);
        world.now = decide(&world).wake.unwrap();
        assert_eq!(decide(&world).step, Some(Step::FindMessage));
        world = fold(world, &Step::FindMessage, unseen(Reason::ReplyTimedOut));
    }
    let found = fold(world.clone(), &Step::FindMessage, Outcome::Arrived);
    assert!(found.test.running().is_none() && found.test.outgoing.enabled);
    // That IMAP fails is not held against sending.
    let given_up = fold(world, &Step::FindMessage, unseen(Reason::ReplyTimedOut));
    assert!(given_up.test.running().is_none() && given_up.test.outgoing.enabled);
    let verdict = verdicts(&given_up).outgoing_ready;
    assert_eq!(verdict.reason, Reason::RoundTripUnproved);
    assert!(
        verdict.message.contains(Reason::ReplyTimedOut.meaning()),
        "{verdict:?}"
    );
}

#[test]
fn what_imap_refuses_to_show_is_not_held_against_sending() {
    for reason in [Reason::LoginRefused, Reason::InboxMissing] {
        let world = fold(
            sending(specs()[1].clone()),
            &Step::SendMessage(Sight::Clear),
            unseen(reason),
        );
        assert!(world.test.running().is_none() && world.test.outgoing.enabled);
        // Who must act is whoever can turn on what IMAP refused.
        let said = verdicts(&world).outgoing_ready.message;
        assert!(
            said.contains(reason.cure()) && said.contains(reason.who().title()),
            "{said}"
        );
    }
    // Where nobody wants to read, IMAP may be shut off on the way, too.
    let sends_only = specs()
        .into_iter()
        .find(|spec| spec.as_ref().is_ok_and(|spec| spec.incoming.is_none()));
    let mut world = sending(sends_only.unwrap());
    for tries in 1..=10 {
        assert!(world.test.running().is_some(), "{tries}");
        world = fold(world, &Step::FindMessage, unseen(Reason::ReplyTimedOut));
    }
    assert!(world.test.running().is_none() && world.test.outgoing.enabled);
}

#[test]
fn a_test_that_waits_for_a_place_says_so() {
    let mut world = sending(specs()[1].clone());
    let running = verdicts(&world).outgoing_ready;
    world.waits = true;
    let waiting = verdicts(&world).outgoing_ready;
    assert_eq!(
        (running.reason, waiting.reason),
        (Reason::Testing, Reason::Testing)
    );
    assert!(
        !running.message.contains("maxConcurrentConnections")
            && waiting.message.contains("maxConcurrentConnections"),
        "{}",
        waiting.message
    );
}
