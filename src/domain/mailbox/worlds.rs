//! Every combination of the abstract state, driven to its end.

mod all;
mod asked;
mod limits;
mod policy;
mod proof;
mod sending;
mod servers;
mod set_back;
mod standing;
mod telling;

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::*;
use crate::api::{
    DeletionPolicy, DirectionState, IncomingProtocol, Reason, SmtpSecurity, TestMessage,
    TestRequestedBy, TestStep,
};
use crate::domain::address::EmailAddress;
use crate::domain::console::SignInPage;
use crate::domain::endpoints::OAuthEndpoints;
use crate::domain::failure::Failure;
use crate::domain::name::ObjectName;
use crate::domain::server::{Endpoint, MailServers};

/// How the world outside answers for as long as a story lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Works,
    FailsForGood,
    FailsForNow,
}

#[derive(Clone, Copy, Debug)]
struct Outside {
    renewal: Answer,
    incoming: Answer,
    outgoing: Answer,
    arrival: Answer,
}

const ANSWERS: [Answer; 3] = [Answer::Works, Answer::FailsForGood, Answer::FailsForNow];
const START: i64 = 1_800_000_000;
const HOUR: i64 = 3600;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn held() -> Held {
    Held {
        account: address("ann@example.com"),
        client_id: "1-a".into(),
        token_endpoint: Box::new(token_endpoint()),
        signed_in_at: time(START - 10),
        ends: None,
        access_issued_at: time(START - 10),
        access_expires_at: time(START + HOUR),
        renew_at: time(START + HOUR * 8 / 10),
        messages: Default::default(),
        reminded_for: None,
        test_requested_at: None,
    }
}

fn specs() -> Vec<Result<ValidSpec, BadSpec>> {
    let mut specs = vec![Err(BadSpec::NoDirection)];
    for (incoming, outgoing) in [
        (Some(IncomingProtocol::Imap), true),
        (Some(IncomingProtocol::Imap), false),
        (None, true),
        (Some(IncomingProtocol::Pop3), true),
    ] {
        for test_message in [TestMessage::ToSelf, TestMessage::None] {
            for suspended in [false, true] {
                specs.push(Ok(ValidSpec {
                    address: address("ann@example.com"),
                    account: address("ann@example.com"),
                    profile_ref: None,
                    incoming,
                    outgoing,
                    server_side_sync: true,
                    access_token_secret: None,
                    test_message,
                    reminders: crate::api::Reminders::ToSelf,
                    process_emails_from: None,
                    suspended,
                    deletion_policy: DeletionPolicy::Delete,
                }));
            }
        }
    }
    specs
}

fn profiles() -> Vec<ProfileView> {
    let endpoint = |port| Endpoint::new("mail.example.com", port);
    let servers = MailServers {
        imap: endpoint(993),
        pop3: endpoint(995),
        smtp: endpoint(465),
        smtp_security: SmtpSecurity::Tls,
        timeout: Duration::from_secs(5),
    };
    let name = ObjectName::new("mail", "google");
    vec![
        ProfileView::NotServed {
            reason: Reason::NoDefaultProfile,
            about: None,
        },
        ProfileView::NotServed {
            reason: Reason::CapacityReached,
            about: None,
        },
        ProfileView::NotReady {
            name: name.clone(),
            reason: Reason::ProfileNotReady,
            detail: String::new(),
        },
        ProfileView::Ready(Box::new(ProfileFacts {
            name,
            client_id: "1-a".into(),
            token_endpoint: Box::new(token_endpoint()),
            servers,
            max_connections: 10,
            audience: crate::domain::profile::Audience::Unknown,
            trust: String::new(),
            capacity: None,
        })),
    ]
}

fn token_endpoint() -> Url {
    OAuthEndpoints::google().token
}

/// A server that has the same client ID.
fn elsewhere() -> Url {
    Url::parse("https://stand-in.example/token").unwrap()
}

fn adoptable(token_endpoint: Url) -> GrantView {
    GrantView::Adoptable {
        from: "old".into(),
        client_id: "1-a".into(),
        token_endpoint,
    }
}

fn grants() -> Vec<GrantView> {
    vec![
        GrantView::Absent,
        GrantView::Unreadable,
        adoptable(token_endpoint()),
        adoptable(elsewhere()),
        GrantView::Ended {
            reason: Reason::ConsentExpired,
            account: address("ann@example.com"),
            signed_in_at: time(START - 10),
        },
        GrantView::Held(held()),
        GrantView::Held(Held {
            messages: sample::receipted("another"),
            ..held()
        }),
        GrantView::Held(Held {
            client_id: "2-b".into(),
            ..held()
        }),
        GrantView::Held(Held {
            token_endpoint: Box::new(elsewhere()),
            ..held()
        }),
        GrantView::Held(Held {
            account: address("bob@example.com"),
            ..held()
        }),
        GrantView::Held(Held {
            access_issued_at: time(START - 2 * HOUR),
            access_expires_at: time(START - HOUR),
            renew_at: time(START - HOUR - 300),
            ..held()
        }),
        GrantView::Held(Held {
            access_issued_at: time(START + HOUR),
            access_expires_at: time(START + 2 * HOUR),
            renew_at: time(START + 2 * HOUR - 300),
            ..held()
        }),
    ]
}

fn tests() -> Vec<TestView> {
    let direction = |state, enabled, tested| DirectionView {
        state,
        enabled,
        tested_at: tested,
        ..DirectionView::untested()
    };
    let mut views = vec![TestView::untested()];
    for by in [
        TestRequestedBy::SignIn,
        TestRequestedBy::Annotation,
        TestRequestedBy::Schedule,
    ] {
        for step in [
            TestStep::Token,
            TestStep::Incoming,
            TestStep::Outgoing,
            TestStep::RoundTrip,
        ] {
            let newest = Some(Test {
                id: "running".into(),
                requested_by: by,
                started_at: time(START - 5),
                begun_at: time(START - 5),
                step,
                finished_at: None,
                settings: settings(),
            });
            let running = direction(DirectionState::Running, false, None);
            let passed = direction(DirectionState::Success, true, Some(time(START - 4)));
            let logged_in = direction(DirectionState::Running, false, Some(time(START - 3)));
            views.push(match step {
                TestStep::Token | TestStep::Incoming => TestView {
                    newest,
                    incoming: running.clone(),
                    outgoing: running,
                },
                TestStep::Outgoing => TestView {
                    newest,
                    incoming: passed,
                    outgoing: running,
                },
                TestStep::RoundTrip => TestView {
                    newest,
                    incoming: passed,
                    outgoing: logged_in,
                },
            });
        }
    }
    let finished = Test {
        id: "finished".into(),
        requested_by: TestRequestedBy::SignIn,
        started_at: time(START - 5),
        begun_at: time(START - 5),
        step: TestStep::RoundTrip,
        finished_at: Some(time(START - 1)),
        settings: settings(),
    };
    let passed = direction(DirectionState::Success, true, Some(time(START - 2)));
    views.push(TestView {
        newest: Some(finished.clone()),
        incoming: passed.clone(),
        outgoing: passed.clone(),
    });
    views.push(TestView {
        newest: Some(Test {
            settings: "other".into(),
            ..finished
        }),
        incoming: passed.clone(),
        outgoing: passed,
    });
    views
}

/// The digest of the settings of the plainest world, so that its running tests are believed.
fn settings() -> String {
    let mut world = world(
        specs()[1].clone(),
        profiles()[3].clone(),
        GrantView::Held(held()),
        TestView::untested(),
        None,
    );
    world.test_request = None;
    match decide(&world).step {
        Some(Step::StartTest(test)) => test.settings,
        other => panic!("{other:?}"),
    }
}

fn world(
    spec: Result<ValidSpec, BadSpec>,
    profile: ProfileView,
    grant: GrantView,
    test: TestView,
    request: Option<String>,
) -> World {
    World {
        now: time(START),
        uid: "uid".into(),
        spec,
        test_request: request,
        answered_request: None,
        profile_test_request: None,
        answered_profile_request: None,
        sign_out_request: None,
        profile,
        grant,
        place: Place::Held,
        sign_in_page: SignInPage::PortForward(ObjectName::new("a", "b")),
        test,
        renewal: Retry::default(),
        hold: None,
        waits: false,
        reminder: Retry::default(),
        binding: Binding::default(),
        times: sample::times(),
    }
}

fn failure(answer: Answer, reason: Reason) -> Outcome {
    let reason = if answer == Answer::FailsForGood {
        reason
    } else {
        Reason::ConnectionRefused
    };
    Outcome::Fails(Failure {
        reason,
        doing: "testing".into(),
        detail: String::new(),
        reply: None,
    })
}

/// What a step comes to, as the real one does it: a message is noted in the grant before it is sent.
fn act(world: &mut World, step: &Step, outside: Outside, sent: &mut Vec<String>) -> Outcome {
    let renewed = |held: Held, now: Timestamp| {
        GrantView::Held(Held {
            access_issued_at: now,
            access_expires_at: now + Duration::from_secs(3600),
            renew_at: now + Duration::from_secs(3000),
            ..held
        })
    };
    match step {
        Step::StartTest(_) => Outcome::Started,
        Step::TakePlace => match outside.renewal {
            Answer::Works => Outcome::Grant(Box::new(world.grant.clone())),
            Answer::FailsForGood => Outcome::NoPlace,
            Answer::FailsForNow => Outcome::Unavailable,
        },
        // No sign-in of these worlds is known to end or was asked to, and none has a Secret for
        // workloads.
        Step::Remind(_)
        | Step::SignOut
        | Step::PublishToken
        | Step::WithdrawToken
        | Step::RemoveSecret(_) => Outcome::Unavailable,
        Step::Adopt { .. } | Step::Renew => match (outside.renewal, &world.grant) {
            (Answer::Works, GrantView::Held(old)) => {
                Outcome::Grant(Box::new(renewed(old.clone(), world.now)))
            }
            (Answer::Works, _) => Outcome::Grant(Box::new(renewed(held(), world.now))),
            (Answer::FailsForGood, _) => Outcome::Grant(Box::new(GrantView::Ended {
                reason: Reason::ConsentExpired,
                account: address("ann@example.com"),
                signed_in_at: time(START - 10),
            })),
            (Answer::FailsForNow, _) => Outcome::Unavailable,
        },
        Step::TestIncoming if outside.incoming == Answer::Works => Outcome::Works,
        Step::TestIncoming => failure(outside.incoming, Reason::LoginRefused),
        Step::TestOutgoing if outside.outgoing == Answer::Works => Outcome::Works,
        Step::TestOutgoing => failure(outside.outgoing, Reason::SmtpLoginRefused),
        Step::SendMessage(_) if outside.arrival == Answer::FailsForGood => {
            failure(Answer::FailsForGood, Reason::MessageRefused)
        }
        Step::SendMessage(sight) => {
            let id = world.test.newest.as_ref().unwrap().id.clone();
            if let GrantView::Held(held) = &mut world.grant {
                held.messages = held.messages.with(&id, world.now, world.times.messages);
            }
            sent.push(id);
            match sight {
                Sight::None => Outcome::Unproved(None),
                _ => found(outside.arrival),
            }
        }
        Step::FindMessage => found(outside.arrival),
    }
}

/// A message that one server took may not be to be seen at the other.
fn found(arrival: Answer) -> Outcome {
    match (arrival, failure(arrival, Reason::InboxMissing)) {
        (Answer::Works, _) => Outcome::Arrived,
        (_, Outcome::Fails(failure)) => Outcome::Unseen(failure),
        (_, other) => other,
    }
}

/// Runs a world for an hour; returns how it ends, and how many steps that took.
fn run(mut world: World, outside: Outside) -> (World, usize) {
    let end = time(START + HOUR);
    let (mut steps, mut at_once, mut sent) = (0, 0, Vec::new());
    while world.now <= end {
        let plan = decide(&world);
        check_conditions(&world);
        match plan.step {
            Some(step) => {
                steps += 1;
                at_once += 1;
                assert!(
                    at_once <= 12,
                    "{step:?} does not come to an end in {world:#?} with {outside:?}"
                );
                let outcome = act(&mut world, &step, outside, &mut sent);
                world = fold(world, &step, outcome);
                world.now += Duration::from_millis(300);
            }
            None => {
                at_once = 0;
                match plan.wake {
                    Some(wake) => {
                        assert!(wake > world.now, "asks to be woken in the past: {world:#?}");
                        world.now = wake;
                    }
                    None => break,
                }
            }
        }
    }
    let mut once = sent.clone();
    once.dedup();
    assert_eq!(sent, once, "a test sent two messages");
    assert!(steps <= 100, "{steps} steps in an hour with {outside:?}");
    (world, steps)
}

fn check_conditions(world: &World) {
    let verdicts = verdicts(world);
    for (name, verdict) in verdicts.all() {
        assert!(!verdict.message.is_empty(), "{name} says nothing");
    }
    let works = |direction: &DirectionView| {
        matches!(direction.state, DirectionState::NotUsed) || direction.enabled
    };
    let ready = verdicts.ready.holds();
    let should = (world.usable_grant().is_some() || world.wants_place())
        && works(&world.test.incoming)
        && works(&world.test.outgoing);
    assert!(!ready || should, "Ready though {world:#?}");
    if verdicts.ready.reason == Reason::Enabled {
        assert!(ready);
    }
}

/// Calls `check` with every world, on two threads: there are very many.
fn every(check: impl Fn(World, Outside) + Sync) -> usize {
    let specs = specs();
    let (one, other) = specs.split_at(specs.len() / 2);
    std::thread::scope(|scope| {
        let one = scope.spawn(|| every_of(one, &check));
        every_of(other, &check) + one.join().unwrap()
    })
}

/// The answers that make a difference.
fn outsides(asks: bool, place: Place) -> Vec<Outside> {
    let plain = Outside {
        renewal: Answer::Works,
        incoming: Answer::Works,
        outgoing: Answer::Works,
        arrival: Answer::Works,
    };
    if !asks {
        return vec![plain];
    }
    let mut all = Vec::new();
    for renewal in ANSWERS {
        // A place comes before a test, whose answers are seen elsewhere.
        if place != Place::Held {
            all.push(Outside { renewal, ..plain });
            continue;
        }
        for incoming in ANSWERS {
            for outgoing in ANSWERS {
                for arrival in ANSWERS {
                    // Without a login nothing is sent that might arrive.
                    if outgoing == Answer::Works || arrival == Answer::Works {
                        all.push(Outside {
                            renewal,
                            incoming,
                            outgoing,
                            arrival,
                        });
                    }
                }
            }
        }
    }
    all
}

fn every_of(specs: &[Result<ValidSpec, BadSpec>], check: &impl Fn(World, Outside)) -> usize {
    let mut count = 0;
    for spec in specs {
        for profile in profiles() {
            for grant in grants() {
                for mut test in tests() {
                    if let Ok(spec) = spec {
                        test.mark_unused(spec);
                    }
                    for (request, place) in [
                        (None, Place::Held),
                        (None, Place::Free),
                        (None, Place::Full),
                        (Some("now".to_owned()), Place::Held),
                    ] {
                        // A place is asked for before anything else is.
                        if place != Place::Held && test.running().is_some() {
                            continue;
                        }
                        let mut world = world(
                            spec.clone(),
                            profile.clone(),
                            grant.clone(),
                            test.clone(),
                            request,
                        );
                        world.place = place;
                        // Where nothing is asked, the answers do not matter.
                        let asks = decide(&world).step.is_some();
                        for outside in outsides(asks, place) {
                            count += 1;
                            check(world.clone(), outside);
                        }
                    }
                }
            }
        }
    }
    count
}
