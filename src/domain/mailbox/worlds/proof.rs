//! What a message has shown to be wrong is only put right by a message.

use super::servers::*;
use super::*;

const MINUTE: i64 = 60;

fn signed_in(messages: usize, servers: Servers) -> World {
    begin(&Story {
        spec: 1,
        by: TestRequestedBy::SignIn,
        messages,
        servers,
    })
}

fn with(data: Data) -> Servers {
    Servers { data, ..HEALTHY }
}

/// Tests go on for a day with the cause still there, and the login works all the time.
#[test]
fn a_login_does_not_cure_what_a_message_met() {
    for (data, reason) in [
        (Data::GetsLost, Reason::MessageNotArrived),
        (Data::RefusedForGood, Reason::MessageRefused),
        (Data::RefusedForNow, Reason::RefusedForNow),
    ] {
        let mut seen = Seen::default();
        let mut world = signed_in(0, with(data));
        for hour in 1..=24 {
            world = live(world, time(START + hour * HOUR), with(data), &mut seen);
            let outgoing = verdicts(&world).outgoing_ready;
            assert!(!outgoing.holds(), "{data:?} {hour}");
            assert_eq!(outgoing.reason, reason, "{hour}");
        }
        let sent = seen.sent.len();
        assert!(
            sent <= 6 && (sent > 4) == (data == Data::GetsLost),
            "{sent}"
        );
        // A message that came late is found, and what was refused is sent.
        let wait = match data {
            Data::RefusedForGood => 4 * HOUR,
            _ => 6 * MINUTE,
        };
        let end = world.now + Duration::from_secs(wait as u64);
        let well = live(world, end, HEALTHY, &mut seen);
        assert_eq!(verdicts(&well).ready.reason, Reason::Enabled, "{data:?}");
        assert_eq!(seen.sent.len(), sent.max(1), "{data:?}");
    }
}

/// A failure of another kind in between does not hide it.
#[test]
fn a_blip_does_not_cure_it_either() {
    let mut seen = Seen::default();
    let lost = with(Data::GetsLost);
    let world = live(signed_in(0, lost), time(START + HOUR), lost, &mut seen);
    let away = Servers {
        outgoing: Login::Fails,
        ..lost
    };
    let world = live(world, time(START + 2 * HOUR), away, &mut seen);
    assert_eq!(
        verdicts(&world).outgoing_ready.reason,
        Reason::ReplyTimedOut
    );
    let world = live(world, time(START + 3 * HOUR), lost, &mut seen);
    assert_eq!(
        verdicts(&world).outgoing_ready.reason,
        Reason::MessageNotArrived
    );
    assert_eq!(seen.sent.len(), 1);
    // Nor does another address: what was sent to the old one proves nothing of it.
    let mut other = world;
    if let Ok(spec) = &mut other.spec {
        spec.address = address("alias@example.com");
    }
    let still = live(other.clone(), time(START + 4 * HOUR), lost, &mut seen);
    assert!(!verdicts(&still).ready.holds());
    assert_eq!(seen.sent.len(), 2);
    let well = live(other, time(START + 4 * HOUR), HEALTHY, &mut seen);
    assert!(verdicts(&well).ready.holds());
    assert_eq!(seen.sent.len(), 3);
}

#[test]
fn where_no_message_is_left_it_is_looked_for_the_newest() {
    let mut seen = Seen::default();
    let lost = with(Data::GetsLost);
    let mut world = signed_in(5, lost);
    for hour in 1..=20 {
        world = live(world, time(START + hour * HOUR), lost, &mut seen);
    }
    assert_eq!(seen.sent.len(), 1);
    let outgoing = verdicts(&world).outgoing_ready;
    assert_eq!(outgoing.reason, Reason::MessageNotArrived);
    assert!(
        outgoing.message.contains(Reason::MessagesUsedUp.meaning()),
        "{}",
        outgoing.message
    );
    let well = live(
        world,
        time(START + 20 * HOUR + 6 * MINUTE),
        HEALTHY,
        &mut seen,
    );
    assert_eq!(verdicts(&well).ready.reason, Reason::Enabled);
    assert_eq!(seen.sent.len(), 1);
}

#[test]
fn a_late_arrival_is_told() {
    for late in [20, 2 * HOUR] {
        let mut seen = Seen::default();
        let lost = with(Data::GetsLost);
        let world = live(signed_in(0, lost), time(START + late), lost, &mut seen);
        let world = live(world, time(START + late + HOUR), HEALTHY, &mut seen);
        let outgoing = verdicts(&world).outgoing_ready;
        assert_eq!(outgoing.reason, Reason::Enabled);
        assert!(outgoing.message.contains("arrived late"), "{outgoing:?}");
        let error = world.test.outgoing.last_error.clone().unwrap();
        assert_eq!(error.reason, Reason::MessageNotArrived);
        // The next one is in time.
        let mut again = world;
        again.test_request = Some("again".into());
        let end = again.now + Duration::from_secs(3600);
        let again = live(again, end, HEALTHY, &mut seen);
        let said = verdicts(&again).outgoing_ready.message;
        assert!(!said.contains("arrived late"), "{said}");
        assert_eq!(seen.sent.len(), 2);
    }
}

/// Where IMAP fails in a way that may pass, no message is sent, and that is said.
#[test]
fn what_no_message_has_proved_is_remarked() {
    let mut seen = Seen::default();
    let servers = Servers {
        incoming: Login::WantsPause,
        ..HEALTHY
    };
    let world = live(
        signed_in(0, servers),
        time(START + HOUR / 2),
        servers,
        &mut seen,
    );
    let outgoing = verdicts(&world).outgoing_ready;
    assert!(outgoing.holds() && seen.sent.is_empty());
    assert_eq!(outgoing.reason, Reason::RoundTripUnproved);
    assert!(
        outgoing
            .message
            .contains(Reason::LoginRateLimited.meaning()),
        "{outgoing:?}"
    );
}

/// The same reason is told anew where it is met at another server, and then not again.
#[test]
fn an_error_names_the_server_that_is_used() {
    let mut seen = Seen::default();
    let refused = Servers {
        outgoing: Login::Refused,
        ..HEALTHY
    };
    let world = live(
        signed_in(0, refused),
        time(START + HOUR),
        refused,
        &mut seen,
    );
    let mut changed = world.clone();
    if let ProfileView::Ready(facts) = &mut changed.profile {
        facts.servers.smtp = Endpoint::new("smtp.example.com", 465);
    }
    let changed = live(changed, time(START + 2 * HOUR), refused, &mut seen);
    let at = |world: &World| world.test.outgoing.last_error.clone().unwrap().at;
    assert!(at(&changed) > at(&world));
    let later = live(changed.clone(), time(START + 9 * HOUR), refused, &mut seen);
    assert_eq!(at(&later), at(&changed));
}

/// Its start may lie ahead of our clock: a token that was got since it began is of this test.
#[test]
fn a_token_of_this_test_is_proved() {
    let mut world = signed_in(0, HEALTHY);
    world.test = tests().pop().unwrap();
    world.test.outgoing.tested_at = Some(time(START));
    let Some(Step::StartTest(test)) = decide(&world).step else {
        panic!("no test");
    };
    assert!(test.started_at > world.now);
    assert!(test.is_proved_by(world.now) && !test.is_proved_by(time(START - 1)));
}

/// A test for another reason in between does not make room for a request.
#[test]
fn a_change_does_not_forget_the_minute() {
    let mut seen = Seen::default();
    let mut world = live(
        signed_in(0, HEALTHY),
        time(START + HOUR),
        HEALTHY,
        &mut seen,
    );
    world.test_request = Some("one".into());
    world = live(world, time(START + HOUR + 10), HEALTHY, &mut seen);
    if let ProfileView::Ready(facts) = &mut world.profile {
        facts.trust = "another".into();
    }
    world = live(world, time(START + HOUR + 20), HEALTHY, &mut seen);
    world.test_request = Some("two".into());
    world = live(world, time(START + 2 * HOUR), HEALTHY, &mut seen);
    let [.., (one, _), (change, by), (two, _)] = seen.begun.as_slice() else {
        panic!("{:?}", seen.begun);
    };
    assert_eq!(*by, TestRequestedBy::Change);
    assert!(*change > *one && *two >= *change + Duration::from_secs(59));
    assert_eq!(world.answered_request.as_deref(), Some("two"));
}
