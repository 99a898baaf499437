use super::*;
use crate::domain::refusal::Refusal;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn traffic() -> Traffic {
    Traffic::new(TrafficRules {
        line: Rules {
            gap: Duration::from_secs(1),
            at_once: 16,
        },
        waits: Waits {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(60),
        },
    })
}

fn lane(client: &str) -> LaneName {
    LaneName {
        token_endpoint: "https://oauth2.googleapis.com/token".parse().unwrap(),
        client_id: client.to_owned(),
        trust: String::new(),
    }
}

fn down(pause: Option<u64>) -> Result<(), OAuthError> {
    Err(OAuthError::Unavailable {
        doing: "testing",
        detail: "oauth2.googleapis.com answered HTTP 503".to_owned(),
        kind: Trouble::Down,
        pause: pause.map(Duration::from_secs),
    })
}

fn ask(traffic: &Traffic, at: i64, answer: &Result<(), OAuthError>) -> Result<(), OAuthError> {
    let turn = traffic.at_once(&lane("a"), "testing", time(at))?;
    turn.ended(answer, time(at));
    Ok(())
}

#[test]
fn a_server_that_fails_is_left_alone_and_one_request_finds_that_it_is_back() {
    let traffic = traffic();
    for _ in 0..5 {
        ask(&traffic, 0, &down(None)).unwrap();
    }
    assert_eq!(
        ask(&traffic, 4, &Ok(())),
        down(None),
        "in the words of the last"
    );
    assert!(ask_other(&traffic, 4), "another client goes on");
    let waits = |uid: &str, at| traffic.queue(&lane("a"), uid, time(at)).err();
    let not_yet = |until, because| {
        Some(NotYet {
            until: time(until),
            because,
        })
    };
    assert_eq!(waits("u-1", 1), not_yet(5, HeldBack::Circuit));
    assert_eq!(waits("u-2", 1), not_yet(6, HeldBack::Circuit));
    let probe = traffic.queue(&lane("a"), "u-1", time(5)).ok().unwrap();
    assert_eq!(ask(&traffic, 5, &Ok(())), down(None), "one probe at once");
    assert_eq!(waits("u-2", 6), not_yet(11, HeldBack::Circuit));
    probe.ended(&Ok(()), time(7));
    ask(&traffic, 7, &Ok(())).unwrap();
    assert!(traffic.queue(&lane("a"), "u-2", time(11)).is_ok());
}

fn ask_other(traffic: &Traffic, at: i64) -> bool {
    traffic.at_once(&lane("b"), "testing", time(at)).is_ok()
}

#[test]
fn a_pause_is_kept_by_everybody() {
    let traffic = traffic();
    ask(&traffic, 0, &down(Some(100))).unwrap();
    ask(&traffic, 0, &down(Some(10))).unwrap_err();
    let held = traffic.queue(&lane("a"), "u-1", time(50)).err().unwrap();
    assert_eq!((held.until, held.because), (time(100), HeldBack::Pause));
    assert!(traffic.is_closed(&lane("a"), time(99)));
    assert!(!traffic.is_closed(&lane("a"), time(100)));
    assert!(traffic.queue(&lane("a"), "u-1", time(100)).is_ok());
}

#[test]
fn refusals_and_pages_of_others_open_nothing() {
    let traffic = traffic();
    let refused = Err(OAuthError::Refused(Refusal::default()));
    let portal = |kind| {
        Err(OAuthError::Unavailable {
            doing: "testing",
            detail: String::new(),
            kind,
            pause: None,
        })
    };
    for _ in 0..20 {
        for answer in [&refused, &portal(Trouble::NotOAuth), &portal(Trouble::Busy)] {
            ask(&traffic, 0, answer).unwrap();
        }
    }
}

#[test]
fn a_probe_that_is_given_up_does_not_close_the_road_for_good() {
    let traffic = traffic();
    for _ in 0..5 {
        ask(&traffic, 0, &down(None)).unwrap();
    }
    drop(traffic.at_once(&lane("a"), "testing", time(5)).unwrap());
    assert!(!traffic.is_closed(&lane("a"), Timestamp::now()));
}

#[test]
fn what_is_remembered_is_bounded() {
    let traffic = traffic();
    for n in 0..3 * LANES {
        let at = time(i64::try_from(n).unwrap() * 3600);
        let turn = traffic
            .at_once(&lane(&n.to_string()), "testing", at)
            .unwrap();
        turn.ended(&down(None), at);
    }
    assert!(traffic.lock().len() <= LANES);
}
