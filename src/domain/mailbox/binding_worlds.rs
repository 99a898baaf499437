//! Every combination of what decides about the Secret for workloads, driven to its end.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::*;
use crate::api::{
    DeletionPolicy, IncomingProtocol, MailboxStatus, Reason, Reminders, SmtpSecurity, TestMessage,
};
use crate::domain::address::EmailAddress;
use crate::domain::console::SignInPage;
use crate::domain::endpoints::OAuthEndpoints;
use crate::domain::name::ObjectName;
use crate::domain::profile::Audience;
use crate::domain::server::{Endpoint, MailServers};
use crate::domain::workload_secret::{SecretView, WITHDRAWN, Whose};

const START: i64 = 1_800_000_000;
const HOUR: i64 = 3600;

/// How the API server answers to each change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Works,
    Refuses,
    Fails,
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn token_endpoint() -> Url {
    OAuthEndpoints::google().token
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
        messages: sample::receipted("done"),
        reminded_for: None,
        test_requested_at: None,
    }
}

fn spec(name: Option<&str>, suspended: bool) -> ValidSpec {
    ValidSpec {
        address: address("ann@example.com"),
        account: address("ann@example.com"),
        profile_ref: None,
        incoming: Some(IncomingProtocol::Imap),
        outgoing: true,
        server_side_sync: false,
        access_token_secret: name.map(str::to_owned),
        test_message: TestMessage::None,
        reminders: Reminders::None,
        process_emails_from: None,
        suspended,
        deletion_policy: DeletionPolicy::Delete,
    }
}

fn facts() -> ProfileFacts {
    let endpoint = |port| Endpoint::new("mail.example.com", port);
    ProfileFacts {
        name: ObjectName::new("mail", "google"),
        client_id: "1-a".into(),
        token_endpoint: Box::new(token_endpoint()),
        servers: MailServers {
            imap: endpoint(993),
            pop3: endpoint(995),
            smtp: endpoint(465),
            smtp_security: SmtpSecurity::Tls,
            timeout: Duration::from_secs(5),
        },
        max_connections: 10,
        audience: Audience::Unknown,
        trust: String::new(),
        capacity: None,
    }
}

fn profiles() -> Vec<ProfileView> {
    let not_ready = |reason| ProfileView::NotReady {
        name: ObjectName::new("mail", "google"),
        reason,
        detail: String::new(),
    };
    vec![
        ProfileView::not_served(Reason::ProfileNotAvailable, None),
        not_ready(Reason::ProfileSuspended),
        not_ready(Reason::ProfileNotReady),
        ProfileView::Ready(Box::new(facts())),
    ]
}

fn grants() -> Vec<GrantView> {
    vec![
        GrantView::Absent,
        GrantView::Unreadable,
        GrantView::Ended {
            reason: Reason::ConsentExpired,
            account: address("ann@example.com"),
            signed_in_at: time(START - 10),
        },
        GrantView::Held(held()),
        GrantView::Held(Held {
            client_id: "2-b".into(),
            ..held()
        }),
        GrantView::Held(Held {
            account: address("bob@example.com"),
            ..held()
        }),
        // Its token has ended, and no new one is to be had.
        GrantView::Held(Held {
            access_expires_at: time(START - 1),
            renew_at: time(START + 2 * HOUR),
            ..held()
        }),
    ]
}

fn wanted() -> String {
    let (held, facts, spec) = (held(), facts(), spec(Some("now"), false));
    connection(&held.account, &facts, &spec)
        .fingerprint(held.access_issued_at, held.access_expires_at)
}

fn secrets() -> Vec<SecretView> {
    let ours = |content: &str| SecretView::Ours {
        content: content.to_owned(),
    };
    vec![
        SecretView::Absent,
        ours("of the token before"),
        ours(WITHDRAWN),
        ours(&wanted()),
        SecretView::NotOurs(Whose::Unknown),
        SecretView::NotOurs(Whose::Mailbox("other".into())),
        SecretView::NotOurs(Whose::Predecessor),
    ]
}

fn world(spec: ValidSpec, profile: ProfileView, grant: GrantView, binding: Binding) -> World {
    World {
        now: time(START),
        uid: "uid".into(),
        spec: Ok(spec),
        test_request: None,
        profile_test_request: None,
        answered_profile_request: None,
        sign_out_request: None,
        answered_request: None,
        profile,
        grant,
        place: Place::Held,
        sign_in_page: SignInPage::PortForward(ObjectName::new("a", "b")),
        test: TestView::untested(),
        renewal: Retry::default(),
        hold: None,
        waits: false,
        reminder: Retry::default(),
        binding,
        times: sample::times(),
    }
}

fn every(mut check: impl FnMut(World)) -> usize {
    let mut count = 0;
    for name in [None, Some("now")] {
        for former in [None, Some("before")] {
            for suspended in [false, true] {
                for profile in profiles() {
                    for grant in grants() {
                        for place in [Place::Held, Place::Free, Place::Full] {
                            for secret in secrets() {
                                if name.is_none() && secret != SecretView::Absent {
                                    continue;
                                }
                                let binding = Binding {
                                    name: name.map(str::to_owned),
                                    secret,
                                    looked_at: time(START),
                                    former: former.map(str::to_owned),
                                    ..Binding::default()
                                };
                                let spec = spec(name, suspended);
                                let mut world =
                                    world(spec, profile.clone(), grant.clone(), binding);
                                world.place = place;
                                count += 1;
                                check(world);
                            }
                        }
                    }
                }
            }
        }
    }
    count
}

/// The steps of a quarter of an hour that are about Secrets, and the world after them.
fn run(mut world: World, answer: Answer) -> (World, Vec<Step>) {
    let end = time(START + HOUR / 4);
    let mut steps = Vec::new();
    while world.now <= end {
        let plan = decide(&world);
        match plan.step {
            Some(step @ (Step::PublishToken | Step::WithdrawToken | Step::RemoveSecret(_))) => {
                let done = match &step {
                    Step::PublishToken => Outcome::Secret(SecretView::Ours { content: wanted() }),
                    Step::WithdrawToken => Outcome::Secret(SecretView::Ours {
                        content: WITHDRAWN.to_owned(),
                    }),
                    _ => Outcome::SecretRemoved,
                };
                let outcome = match answer {
                    Answer::Works => done,
                    Answer::Refuses => Outcome::SecretRefused("exceeded quota".into()),
                    Answer::Fails => Outcome::Unavailable,
                };
                world = fold(world, &step, outcome);
                steps.push(step);
                assert!(steps.len() < 20, "{steps:?} in {world:#?}");
            }
            // None can be had for a while.
            Some(Step::TakePlace) => world = fold(world, &Step::TakePlace, Outcome::Unavailable),
            // A test begins: what follows is of other worlds.
            Some(_) => break,
            None => match plan.wake {
                Some(wake) => {
                    let look = look_due(&world.binding, &world.times, &world.uid);
                    // As observing does: what is there is as it was.
                    if look.is_some_and(|due| due <= wake) {
                        world.binding.looked_at = wake;
                    }
                    assert!(wake > world.now, "woken in the past: {world:#?}");
                    world.now = wake;
                }
                None => break,
            },
        }
    }
    (world, steps)
}

/// Whether the workload may have the token in use.
fn may_have(world: &World) -> bool {
    let lives = match &world.grant {
        GrantView::Held(held) => world.now < held.access_expires_at,
        _ => false,
    };
    world.usable_grant().is_some() && lives
}

#[test]
fn a_token_is_where_it_may_be_and_nowhere_else() {
    let count = every(|start| {
        let (end, steps) = run(start.clone(), Answer::Works);
        let foreign = matches!(start.binding.secret, SecretView::NotOurs(_));
        let says = format!("{steps:?} from {start:#?}");
        assert_eq!(end.binding.former, None, "the old one goes: {says}");
        let written = steps
            .iter()
            .any(|step| matches!(step, Step::PublishToken | Step::WithdrawToken));
        assert!(!(foreign && written), "left alone: {says}");
        if start.binding.name.is_none() || foreign {
            assert!(!written, "{says}");
            return;
        }
        let holds = match &end.binding.secret {
            SecretView::Ours { content } if *content == wanted() => Some(true),
            SecretView::Ours { content } if content == WITHDRAWN => Some(false),
            SecretView::Absent => Some(false),
            _ => None,
        };
        if may_have(&start) {
            assert_eq!(holds, Some(true), "{says}");
        }
        let held = matches!(&start.grant, GrantView::Held(held) if held.account.as_str() == "ann@example.com");
        let waits = matches!(
            &start.profile,
            ProfileView::NotReady {
                reason: Reason::ProfileNotReady,
                ..
            }
        ) || start.wants_place();
        let suspended = start.spec.as_ref().is_ok_and(|spec| spec.suspended);
        if suspended || !held || (start.usable_grant().is_none() && !waits) {
            assert_eq!(holds, Some(false), "{says}");
        }
        if !suspended && held && waits {
            assert_eq!(
                end.binding.secret, start.binding.secret,
                "as it was: {says}"
            );
        }
    });
    assert!(count > 1000, "{count}");
}

#[test]
fn what_is_as_it_should_be_is_not_written_again() {
    every(|start| {
        let (end, _) = run(start, Answer::Works);
        let (_, again) = run(
            World {
                now: time(START),
                ..end
            },
            Answer::Works,
        );
        assert_eq!(again, []);
    });
}

#[test]
fn a_refusal_is_told_and_tried_again_and_holds_up_nothing_else() {
    every(|start| {
        let (end, steps) = run(start.clone(), Answer::Refuses);
        if steps.is_empty() {
            return;
        }
        let accepted = verdicts(&end).accepted;
        let served = !matches!(end.profile, ProfileView::NotServed { .. });
        if served {
            assert_eq!(accepted.reason, Reason::SecretNotWritten, "{end:#?}");
            assert!(accepted.message.contains("exceeded quota"));
        }
        // A blip says nothing.
        let (end, steps) = run(start, Answer::Fails);
        assert!(!steps.is_empty() && verdicts(&end).accepted.reason != Reason::SecretNotWritten);
        let tested = decide(&World {
            now: time(START),
            binding: Binding {
                retry: Retry {
                    failed: 1,
                    not_before: Some(time(START + 300)),
                },
                ..end.binding.clone()
            },
            ..end
        });
        if let Some(step) = tested.step {
            assert!(!matches!(step, Step::PublishToken | Step::RemoveSecret(_)));
        }
    });
}

#[test]
fn a_secret_that_is_not_ours_is_named_and_looked_at_again() {
    every(|world| {
        let SecretView::NotOurs(_) = &world.binding.secret else {
            return;
        };
        let look = look_due(&world.binding, &world.times, &world.uid);
        assert!(
            look.is_some_and(|due| due <= time(START + 50)),
            "{world:#?}"
        );
        let verdicts = verdicts(&world);
        if !matches!(world.profile, ProfileView::NotServed { .. }) {
            assert_eq!(verdicts.accepted.reason, Reason::SecretNotOwned);
            assert!(verdicts.accepted.message.contains("now"), "{verdicts:?}");
            assert!(!verdicts.ready.holds());
        }
        assert_eq!(
            report(&world, None, None).binding.map(|b| b.name.0),
            world.binding.former
        );
    });
}

#[test]
fn status_names_the_secret_that_is_there() {
    every(|world| {
        let MailboxStatus { binding, .. } = report(&world, None, None);
        let ours = matches!(world.binding.secret, SecretView::Ours { .. });
        let wanted = world
            .binding
            .former
            .clone()
            .or(world.binding.name.clone().filter(|_| ours));
        assert_eq!(binding.map(|binding| binding.name.0), wanted);
    });
}
