//! How often a Mailbox is tested and sent a message on demand, and what is remarked.

use super::servers::*;
use super::*;

/// Whatever is asked for within the minute is answered by one test at its end.
#[test]
fn a_second_request_waits_for_the_minutes_end() {
    let mut seen = Seen::default();
    let story = Story {
        spec: 1,
        by: TestRequestedBy::Annotation,
        messages: 1,
        servers: HEALTHY,
    };
    let mut world = live(begin(&story), time(START + 10), HEALTHY, &mut seen);
    for second in 10..50 {
        world.test_request = Some(format!("request {second}"));
        world = live(world, time(START + second), HEALTHY, &mut seen);
    }
    let world = live(world, time(START + 600), HEALTHY, &mut seen);
    assert_eq!(world.answered_request.as_deref(), Some("request 49"));
    assert_eq!(seen.begun.len(), 2, "{:?}", seen.begun);
}

/// Six messages, then the logins alone, and a message again when the first is a day old.
#[test]
fn a_mailbox_gets_six_messages_a_day() {
    let mut seen = Seen::default();
    let story = Story {
        spec: 1,
        by: TestRequestedBy::SignIn,
        messages: 0,
        servers: HEALTHY,
    };
    let mut world = live(begin(&story), time(START + 60), HEALTHY, &mut seen);
    for hour in 1..10 {
        world.test_request = Some(hour.to_string());
        world = live(world, time(START + hour * HOUR), HEALTHY, &mut seen);
        let outgoing = verdicts(&world).outgoing_ready;
        let (sent, reason) = match hour {
            ..6 => (hour as usize + 1, Reason::Enabled),
            _ => (6, Reason::MessagesUsedUp),
        };
        assert_eq!((seen.sent.len(), outgoing.reason), (sent, reason));
        assert_eq!(verdicts(&world).ready.reason, Reason::Enabled);
        assert!(outgoing.holds());
    }
    world = live(world, time(START + 25 * HOUR), HEALTHY, &mut seen);
    world.test_request = Some("tomorrow".into());
    world = live(world, time(START + 26 * HOUR), HEALTHY, &mut seen);
    assert_eq!(seen.sent.len(), 7);
    assert_eq!(verdicts(&world).outgoing_ready.reason, Reason::Enabled);
}

/// Spam is something that the owner has to do something about; what nobody can prove is not.
#[test]
fn remarks_are_said_where_somebody_looks() {
    for (data, imap, spec, outgoing, ready) in [
        (
            Data::ArrivesInSpam,
            Imap::Open,
            1,
            Reason::ArrivedInSpam,
            Reason::ArrivedInSpam,
        ),
        (
            Data::Arrives,
            Imap::Refuses,
            13,
            Reason::RoundTripUnproved,
            Reason::Enabled,
        ),
        (
            Data::Arrives,
            Imap::Away,
            13,
            Reason::RoundTripUnproved,
            Reason::Enabled,
        ),
        (
            Data::Arrives,
            Imap::Open,
            13,
            Reason::Enabled,
            Reason::Enabled,
        ),
    ] {
        let mut seen = Seen::default();
        let servers = Servers {
            data,
            imap,
            ..HEALTHY
        };
        let story = Story {
            spec,
            by: TestRequestedBy::SignIn,
            messages: 0,
            servers,
        };
        let world = live(begin(&story), time(START + HOUR), servers, &mut seen);
        let verdicts = verdicts(&world);
        assert_eq!(
            (verdicts.outgoing_ready.reason, verdicts.ready.reason),
            (outgoing, ready)
        );
        assert!(verdicts.ready.holds() && seen.sent.len() == 1);
        // Who must act follows from what IMAP said.
        let why = match imap {
            Imap::Open => None,
            Imap::Refuses => Some(Reason::ImapDisabledByDomain),
            Imap::Away => Some(Reason::ConnectionRefused),
        };
        let said = &verdicts.outgoing_ready.message;
        assert!(why.is_none_or(|why| said.contains(why.cure())), "{said}");
        // A day later the logins alone say nothing new about that.
        let world = live(world, time(START + 30 * HOUR), HEALTHY, &mut seen);
        assert_eq!(super::verdicts(&world).outgoing_ready.reason, outgoing);
    }
}
