//! Sign-ins that are known to end, in every combination, from a week before to a day after.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::api::{DeletionPolicy, IncomingProtocol, Reason, Reminders, SmtpSecurity, TestMessage};
use crate::domain::console::SignInPage;
use crate::domain::endpoints::OAuthEndpoints;
use crate::domain::failure::Failure;
use crate::domain::grant::{EndCause, KnownEnd};
use crate::domain::name::ObjectName;
use crate::domain::profile::Audience;
use crate::domain::server::{Endpoint, MailServers};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// When the owner signed in.
const SIGN_IN: i64 = 1_800_000_000;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn testing(test_users: &[&str]) -> Audience {
    Audience::Testing {
        test_users: test_users
            .iter()
            .map(|user| user.parse().unwrap())
            .collect(),
    }
}

fn end(after: i64, cause: EndCause) -> Option<KnownEnd> {
    let at = time(SIGN_IN + after);
    Some(KnownEnd { at, cause })
}

fn spec() -> ValidSpec {
    ValidSpec {
        address: "ann@example.com".parse().unwrap(),
        account: "ann@example.com".parse().unwrap(),
        profile_ref: None,
        incoming: Some(IncomingProtocol::Imap),
        outgoing: true,
        server_side_sync: true,
        access_token_secret: None,
        test_message: TestMessage::None,
        reminders: Reminders::ToSelf,
        process_emails_from: None,
        suspended: false,
        deletion_policy: DeletionPolicy::Delete,
    }
}

/// A Mailbox whose owner signed in at [`SIGN_IN`], tested and enabled, `after` seconds later.
fn world(ends: Option<KnownEnd>, audience: Audience, after: i64) -> World {
    let server = |port| Endpoint::new("mail.example.com", port);
    let now = SIGN_IN + after;
    let world = World {
        now: time(now),
        uid: "uid".into(),
        spec: Ok(spec()),
        test_request: None,
        answered_request: None,
        profile_test_request: None,
        answered_profile_request: None,
        sign_out_request: None,
        profile: ProfileView::Ready(Box::new(ProfileFacts {
            name: ObjectName::new("mail", "google"),
            client_id: "1-a".into(),
            servers: MailServers {
                imap: server(993),
                pop3: server(995),
                smtp: server(465),
                smtp_security: SmtpSecurity::Tls,
                timeout: Duration::from_secs(30),
            },
            token_endpoint: Box::new(OAuthEndpoints::google().token),
            max_connections: 10,
            capacity: None,
            audience,
            trust: String::new(),
        })),
        grant: GrantView::Held(Held {
            account: "ann@example.com".parse().unwrap(),
            client_id: "1-a".into(),
            token_endpoint: Box::new(OAuthEndpoints::google().token),
            signed_in_at: time(SIGN_IN),
            ends,
            access_issued_at: time(now - 60),
            access_expires_at: time(now - 60 + HOUR),
            renew_at: time(now - 60 + 3000),
            messages: Default::default(),
            reminded_for: None,
            test_requested_at: None,
        }),
        place: Place::Held,
        waits: false,
        sign_in_page: SignInPage::Published(
            "https://gmail.example.com/signin/a/b/uid".parse().unwrap(),
        ),
        test: TestView::untested(),
        renewal: Retry::default(),
        hold: None,
        reminder: Retry::default(),
        binding: Binding::default(),
        times: sample::times(),
    };
    enabled(world)
}

/// Takes the steps of a test, all of which go well.
fn enabled(mut world: World) -> World {
    while let Some(step @ (Step::StartTest(_) | Step::TestIncoming | Step::TestOutgoing)) =
        decide(&world).step
    {
        let outcome = match step {
            Step::StartTest(_) => Outcome::Started,
            _ => Outcome::Works,
        };
        world = fold(world, &step, outcome);
    }
    world
}

fn held(world: &mut World) -> &mut Held {
    match &mut world.grant {
        GrantView::Held(held) => held,
        other => panic!("{other:?}"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Server {
    Works,
    Away,
    Refuses,
}

/// What a world went through until its grant ended.
#[derive(Debug, Default)]
struct Story {
    /// Ready's reasons, each with when it came, in seconds after the sign-in.
    reasons: Vec<(Reason, i64)>,
    /// When reminders went out.
    sent: Vec<i64>,
    /// How often one was tried in vain.
    vain: usize,
}

/// Lets time go by, from one moment that `decide` asks for to the next, until `until` seconds after
/// the sign-in; a restart now and then loses what only memory knows.
fn live(mut world: World, server: Server, restarts: bool, until: i64) -> (World, Story) {
    let mut story = Story::default();
    for _ in 0..20_000 {
        let now = world.now.as_second() - SIGN_IN;
        let ready = verdicts(&world).ready;
        assert!(ready.holds(), "{ready:?}");
        if story.reasons.last().map(|(reason, _)| *reason) != Some(ready.reason) {
            story.reasons.push((ready.reason, now));
        }
        let plan = decide(&world);
        match plan.step {
            Some(step @ Step::Remind(asked)) => {
                let outcome = match server {
                    Server::Away => {
                        story.vain += 1;
                        Outcome::Unavailable
                    }
                    answer => {
                        if answer == Server::Works {
                            story.sent.push(now);
                        }
                        held(&mut world).reminded_for = Some(asked.at);
                        Outcome::Grant(Box::new(world.grant.clone()))
                    }
                };
                world = fold(world, &step, outcome);
                // As the pause after what could not be done.
                world.now += Duration::from_secs(5);
            }
            Some(step @ Step::Renew) => {
                if restarts {
                    world.reminder = Retry::default();
                }
                let now = world.now;
                let held = held(&mut world);
                held.access_issued_at = now;
                held.access_expires_at = now + Duration::from_secs(3600);
                held.renew_at = now + Duration::from_secs(3000);
                let renewed = world.grant.clone();
                world = fold(world, &step, Outcome::Grant(Box::new(renewed)));
            }
            Some(_) => world = enabled(world),
            None => {
                let wake = plan.wake.unwrap();
                assert!(wake > world.now, "woken in the past");
                world.now = wake;
            }
        }
        if world.now.as_second() - SIGN_IN >= until {
            return (world, story);
        }
    }
    panic!("it does not come to an end: {story:?}");
}

#[test]
fn the_end_that_counts() {
    let week = end(7 * DAY, EndCause::Testing);
    let limited = end(3 * DAY, EndCause::TimeLimit);
    for (given, audience, after, counts) in [
        (None, Audience::Unknown, DAY, None),
        (None, Audience::InProduction, DAY, None),
        (None, Audience::Internal, DAY, None),
        (None, testing(&[]), DAY, week),
        (None, testing(&[]), 7 * DAY - 1, week),
        // A grant that outlived it was not given in Testing.
        (None, testing(&[]), 8 * DAY, None),
        (None, testing(&[]), 90 * DAY, None),
        (week, testing(&[]), DAY, week),
        (week, Audience::InProduction, DAY, week),
        (week, Audience::Unknown, DAY, week),
        (limited, testing(&[]), DAY, limited),
        (limited, Audience::InProduction, DAY, limited),
        // The access token is from before the end: Google has not been asked since.
        (week, testing(&[]), 7 * DAY + 30, week),
        (None, testing(&[]), 7 * DAY + 30, week),
        (week, testing(&[]), 7 * DAY + 90, None),
    ] {
        let world = world(given, audience.clone(), after);
        assert_eq!(known_end(&world), counts, "{given:?} {audience:?} {after}");
        let status = report(&world, None, None).sign_in.unwrap();
        assert_eq!(
            status.expires_at.map(|time| time.0),
            counts.map(|end| end.at)
        );
    }
}

#[test]
fn an_end_that_only_the_profile_tells_is_of_its_own_client_and_profile() {
    let mut other = world(None, testing(&[]), DAY);
    held(&mut other).client_id = "2-b".into();
    assert_eq!(known_end(&other), None);
    let mut away = world(None, testing(&[]), DAY);
    away.profile = ProfileView::not_served(Reason::ProfileNotAvailable, None);
    assert_eq!(known_end(&away).map(|end| end.cause), Some(EndCause::Idle));
    // An end of its own counts all the same.
    let mut away = world(end(7 * DAY, EndCause::Testing), testing(&[]), DAY);
    away.profile = ProfileView::not_served(Reason::ProfileNotAvailable, None);
    assert!(known_end(&away).is_some());
    assert_eq!(decide(&away).wake, Some(time(SIGN_IN + 6 * DAY)));
}

/// Every end, every audience and both settings: what Ready says when, and when the owner is reminded.
#[test]
fn by_itself_over_a_week() {
    let week = end(7 * DAY, EndCause::Testing);
    let audiences = [
        ("unknown", Audience::Unknown),
        ("internal", Audience::Internal),
        ("testing", testing(&[])),
        ("published", Audience::InProduction),
    ];
    let mut worlds = 0;
    for given in [None, week, end(7 * DAY, EndCause::TimeLimit)] {
        for (name, audience) in &audiences {
            for reminders in [Reminders::ToSelf, Reminders::None] {
                for url in [true, false] {
                    for server in [Server::Works, Server::Away, Server::Refuses] {
                        for restarts in [false, true] {
                            worlds += 1;
                            let mut start = world(given, audience.clone(), 60);
                            if let Ok(spec) = &mut start.spec {
                                spec.reminders = reminders;
                            }
                            if !url {
                                start.sign_in_page =
                                    SignInPage::PortForward(ObjectName::new("a", "b"));
                            }
                            let (_, story) = live(start, server, restarts, 7 * DAY);
                            let told = format!(
                                "{given:?} {name} {reminders:?} {url} {server:?}: {story:?}"
                            );
                            let past = matches!(*name, "internal" | "published");
                            let ends = given.is_some() || *name == "testing";
                            let first = match given.map(|end| end.cause) {
                                Some(EndCause::Testing) if past => Reason::SignInOnceMore,
                                _ => Reason::Enabled,
                            };
                            let mut reasons = vec![(first, 60)];
                            if ends {
                                reasons.push((Reason::SignInEndsSoon, 6 * DAY));
                            }
                            assert_eq!(story.reasons, reasons, "{told}");
                            let reminds = ends && reminders == Reminders::ToSelf;
                            let sent: &[i64] = match (reminds, server) {
                                (true, Server::Works) => &[5 * DAY],
                                _ => &[],
                            };
                            assert_eq!(story.sent, sent, "{told}");
                            if reminds && server == Server::Away && !restarts {
                                // Two days of tries: at first quickly, then about every five minutes.
                                assert!((500..1000).contains(&story.vain), "{}", story.vain);
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(worlds, 3 * 4 * 2 * 2 * 3 * 2);
}

#[test]
fn after_the_end_that_was_not_meant_all_is_normal() {
    let start = world(
        end(7 * DAY, EndCause::Testing),
        testing(&[]),
        6 * DAY + HOUR,
    );
    let (after, story) = live(start, Server::Works, false, 8 * DAY);
    let reasons: Vec<_> = story.reasons.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, [Reason::SignInEndsSoon, Reason::Enabled]);
    assert_eq!(story.sent.len(), 1, "late is better than never: {story:?}");
    assert_eq!(known_end(&after), None);
}

#[test]
fn no_reminder_for_a_short_life_or_without_a_usable_grant() {
    let limit = |after| end(after, EndCause::TimeLimit);
    let reminds = |world: &World| matches!(decide(world).step, Some(Step::Remind(_)));
    assert!(reminds(&world(limit(2 * DAY + 1), Audience::Internal, DAY)));
    assert!(!reminds(&world(limit(2 * DAY), Audience::Internal, DAY)));
    let good = world(limit(7 * DAY), Audience::Internal, 6 * DAY);
    assert!(reminds(&good));
    let spoilt: BTreeMap<&str, fn(&mut World)> = BTreeMap::from([
        (
            "suspended",
            (|world| world.spec.as_mut().unwrap().suspended = true) as fn(&mut World),
        ),
        ("withdrawn", |world| {
            world.profile = ProfileView::not_served(Reason::ProfileNotAvailable, None)
        }),
        ("not ready", |world| {
            world.profile = ProfileView::NotReady {
                name: ObjectName::new("mail", "google"),
                reason: Reason::ProfileSuspended,
                detail: String::new(),
            }
        }),
        ("another client", |world| {
            held(world).client_id = "2-b".into()
        }),
        ("another account", |world| {
            held(world).account = "bob@example.com".parse().unwrap()
        }),
        ("not wanted", |world| {
            world.spec.as_mut().unwrap().reminders = Reminders::None
        }),
        ("done", |world| {
            held(world).reminded_for = Some(time(SIGN_IN + 7 * DAY))
        }),
        ("no token", |world| {
            held(world).access_expires_at = world.now;
            held(world).renew_at = world.now;
            world.renewal.not_before = Some(time(SIGN_IN + 7 * DAY));
        }),
        ("over", |world| world.now = time(SIGN_IN + 7 * DAY)),
    ]);
    for (why, spoil) in spoilt {
        let mut world = good.clone();
        spoil(&mut world);
        assert!(!reminds(&world), "{why}");
    }
    let mut earlier = good.clone();
    held(&mut earlier).reminded_for = Some(time(SIGN_IN));
    assert!(reminds(&earlier), "another end was reminded of");
}

#[test]
fn a_reminder_that_fails_turns_nothing_off() {
    let before = world(end(7 * DAY, EndCause::Testing), testing(&[]), 6 * DAY);
    let step = decide(&before).step.unwrap();
    for outcome in [
        Outcome::Unavailable,
        Outcome::Fails(Failure {
            reason: Reason::MessageRefused,
            doing: "sending".into(),
            detail: String::new(),
            reply: None,
        }),
    ] {
        let after = fold(before.clone(), &step, outcome);
        assert_eq!((&after.test, after.renewal), (&before.test, before.renewal));
        assert_eq!(report(&after, None, None), report(&before, None, None));
        assert!(decide(&after).step.is_none() && after.reminder.failed == 1);
    }
}

#[test]
fn a_test_that_goes_on_slowly_holds_no_reminder_up() {
    let mut world = world(end(7 * DAY, EndCause::Testing), testing(&[]), 6 * DAY);
    world.test_request = Some("now".into());
    for _ in 0..2 {
        let step = decide(&world).step.unwrap();
        let outcome = match step {
            Step::StartTest(_) => Outcome::Started,
            _ => Outcome::Fails(Failure {
                reason: Reason::ConnectionRefused,
                doing: "connecting".into(),
                detail: String::new(),
                reply: None,
            }),
        };
        world = fold(world, &step, outcome);
    }
    world.test.outgoing.retry.not_before = Some(time(SIGN_IN + 7 * DAY));
    assert!(matches!(decide(&world).step, Some(Step::Remind(_))));
}

#[test]
fn the_words_name_the_end_the_page_and_what_helps() {
    let week = end(7 * DAY, EndCause::Testing);
    let date = time(SIGN_IN + 7 * DAY).to_string();
    let page = "https://gmail.example.com/signin/a/b/uid";
    let said = |given, audience, after| verdicts(&world(given, audience, after)).ready;
    for (ready, reason, words) in [
        (
            said(week, testing(&[]), 6 * DAY),
            Reason::SignInEndsSoon,
            "while an app is in Testing",
        ),
        (
            said(week, Audience::InProduction, 6 * DAY),
            Reason::SignInEndsSoon,
            "so a new one lasts",
        ),
        (
            said(
                end(7 * DAY, EndCause::TimeLimit),
                Audience::Internal,
                6 * DAY,
            ),
            Reason::SignInEndsSoon,
            "the time for which access was given",
        ),
        (
            said(week, Audience::Internal, DAY),
            Reason::SignInOnceMore,
            "Sign in once more and it lasts",
        ),
    ] {
        assert_eq!(ready.reason, reason);
        for part in [
            date.as_str(),
            page,
            words,
            "Mailbox user: ",
            "Tested and enabled.",
        ] {
            assert!(ready.message.contains(part), "{part} in {}", ready.message);
        }
    }
    let ended = |audience| {
        let mut world = world(None, audience, 7 * DAY);
        world.grant = GrantView::Ended {
            reason: Reason::ConsentExpiredTesting,
            account: "ann@example.com".parse().unwrap(),
            signed_in_at: time(SIGN_IN),
        };
        verdicts(&world).ready.message
    };
    for (audience, parts) in [
        (
            testing(&[]),
            ["another 7 days", page, "Platform admin: Publish the app"],
        ),
        (
            Audience::InProduction,
            [
                "left Testing since",
                page,
                "Mailbox user: Sign in once more",
            ],
        ),
        (
            Audience::Unknown,
            ["another 7 days", page, "Platform admin: Publish the app"],
        ),
    ] {
        let message = ended(audience);
        for part in parts {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
}

#[test]
fn who_will_be_refused_is_told_while_waiting() {
    let message = |account: &str, audience: Audience| {
        let mut world = world(None, audience, DAY);
        world.grant = GrantView::Absent;
        world.spec.as_mut().unwrap().account = account.parse().unwrap();
        let signed_in = verdicts(&world).signed_in;
        assert_eq!(signed_in.reason, Reason::SignInRequired);
        signed_in.message
    };
    let listed = ["bob@gmail.com", "A.n.n@googlemail.com"];
    let refused = message("eve@gmail.com", testing(&listed));
    assert!(
        refused.contains("Audience, Test users") && refused.contains("platform admin"),
        "{refused}"
    );
    assert!(
        !refused.contains("bob@"),
        "the list is the admin's: {refused}"
    );
    let outside = message("ann@gmail.com", Audience::Internal);
    assert!(outside.contains("Internal to an organisation"), "{outside}");
    for (account, audience) in [
        ("ann@gmail.com", testing(&listed)),
        ("eve@gmail.com", testing(&[])),
        ("ann@example.com", Audience::Internal),
        ("ann@gmail.com", Audience::InProduction),
        ("ann@gmail.com", Audience::Unknown),
    ] {
        let message = message(account, audience.clone());
        assert!(
            !message.contains("refuse"),
            "{account} {audience:?}: {message}"
        );
    }
}
