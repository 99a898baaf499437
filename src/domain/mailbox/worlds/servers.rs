//! Servers that answer in every way, and a Mailbox that lives with them.

use super::*;
use crate::domain::grant::Messages;
use crate::domain::schedule::later;

/// How a server answers a login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Login {
    Works,
    Refused,
    Fails,
    WantsPause,
    /// It refuses, and the token cannot be proved.
    Unproved,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Data {
    Arrives,
    ArrivesInSpam,
    GetsLost,
    RefusedForNow,
    RefusedForGood,
    AnswerLost,
}

/// Whether IMAP lets a message be looked for, where the mailbox is not read over it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Imap {
    Open,
    Refuses,
    Away,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Servers {
    pub(super) incoming: Login,
    pub(super) outgoing: Login,
    pub(super) imap: Imap,
    pub(super) data: Data,
}

pub(super) const HEALTHY: Servers = Servers {
    incoming: Login::Works,
    outgoing: Login::Works,
    imap: Imap::Open,
    data: Data::Arrives,
};
pub(super) const LOGINS: [Login; 5] = [
    Login::Works,
    Login::Refused,
    Login::Fails,
    Login::WantsPause,
    Login::Unproved,
];

/// What a story has seen.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) sent: Vec<(Timestamp, String)>,
    pub(super) incoming: Vec<(Timestamp, TestRequestedBy)>,
    pub(super) begun: Vec<(Timestamp, TestRequestedBy)>,
}

pub(super) fn failing(reason: Reason) -> Failure {
    Failure {
        reason,
        doing: "testing".into(),
        detail: String::new(),
        reply: None,
    }
}

pub(super) fn login(answer: Login, refused: Reason) -> Outcome {
    match answer {
        Login::Works => Outcome::Works,
        Login::Refused => Outcome::Fails(failing(refused)),
        // It may have got as far as the login.
        Login::Fails => Outcome::Fails(failing(Reason::ReplyTimedOut)),
        Login::WantsPause => Outcome::Fails(failing(Reason::LoginRateLimited)),
        Login::Unproved => Outcome::Held(Hold {
            reason: Reason::GoogleUnavailable,
            detail: "renewing".into(),
        }),
    }
}

/// What a look for a message shows.
pub(super) fn look(servers: Servers, reads_imap: bool) -> Outcome {
    match (servers.imap, servers.data) {
        (Imap::Refuses, _) if !reads_imap => Outcome::Unseen(failing(Reason::ImapDisabledByDomain)),
        (Imap::Away, _) if !reads_imap => Outcome::Unseen(failing(Reason::ConnectionRefused)),
        (_, Data::ArrivesInSpam) => Outcome::ArrivedInSpam,
        (_, Data::GetsLost) => Outcome::Fails(failing(Reason::MessageNotArrived)),
        _ => Outcome::Arrived,
    }
}

pub(super) fn send(world: &mut World, sight: Sight, servers: Servers, seen: &mut Seen) -> Outcome {
    let reads_imap = !matches!(sight, Sight::Untried | Sight::Doubtful);
    let sees = match (sight, servers.imap) {
        (Sight::Clear, _) | (Sight::Untried | Sight::Doubtful, Imap::Open) => true,
        (Sight::Untried, Imap::Away) => {
            return Outcome::Fails(failing(Reason::ConnectionRefused));
        }
        _ => false,
    };
    match servers.data {
        Data::RefusedForNow => return Outcome::Fails(failing(Reason::RefusedForNow)),
        Data::RefusedForGood => return Outcome::Fails(failing(Reason::MessageRefused)),
        _ => {}
    }
    let id = world.test.newest.as_ref().unwrap().id.clone();
    seen.sent.push((world.now, id.clone()));
    if let GrantView::Held(held) = &mut world.grant {
        held.messages = held.messages.with(&id, world.now, world.times.messages);
    }
    match (servers.data, sees) {
        (Data::AnswerLost, _) => Outcome::Fails(failing(Reason::ConnectionLost)),
        (_, true) => look(servers, reads_imap),
        (_, false) => match (sight, look(servers, false)) {
            (Sight::Untried | Sight::Doubtful, Outcome::Unseen(why)) => {
                Outcome::Unproved(Some(why))
            }
            _ => Outcome::Unproved(None),
        },
    }
}

pub(super) fn act(world: &mut World, step: &Step, servers: Servers, seen: &mut Seen) -> Outcome {
    let by = world.test.newest.as_ref().map(|test| test.requested_by);
    let pop3 = matches!(&world.spec, Ok(spec) if spec.incoming == Some(IncomingProtocol::Pop3));
    let imap = matches!(&world.spec, Ok(spec) if spec.incoming == Some(IncomingProtocol::Imap));
    match step {
        Step::StartTest(test) => {
            seen.begun.push((world.now, test.requested_by));
            Outcome::Started
        }
        Step::Renew if [servers.incoming, servers.outgoing].contains(&Login::Unproved) => {
            Outcome::Held(Hold {
                reason: Reason::GoogleUnavailable,
                detail: "in other words".into(),
            })
        }
        Step::Renew => match &world.grant {
            GrantView::Held(held) => Outcome::Grant(Box::new(GrantView::Held(Held {
                access_issued_at: world.now,
                access_expires_at: world.now + Duration::from_secs(3600),
                renew_at: world.now + Duration::from_secs(3000),
                ..held.clone()
            }))),
            other => panic!("{other:?}"),
        },
        Step::TestIncoming => {
            seen.incoming.push((world.now, by.unwrap()));
            let refused = match pop3 {
                true => Reason::PopLoginRefused,
                false => Reason::LoginRefused,
            };
            login(servers.incoming, refused)
        }
        Step::TestOutgoing => login(servers.outgoing, Reason::SmtpLoginRefused),
        Step::SendMessage(sight) => send(world, *sight, servers, seen),
        Step::FindMessage => look(servers, imap),
        other => panic!("{other:?}"),
    }
}

pub(super) fn live(mut world: World, until: Timestamp, servers: Servers, seen: &mut Seen) -> World {
    let mut steps = 0;
    while world.now < until {
        let plan = decide(&world);
        check_conditions(&world);
        if let Some(step) = plan.step {
            steps += 1;
            assert!(steps < 400, "{step:?} with {servers:?} in {world:#?}");
            let outcome = act(&mut world, &step, servers, seen);
            let before = world.hold.clone();
            world = fold(world, &step, outcome);
            if let (Some(before), Some(after)) = (&before, &world.hold) {
                assert_eq!(before, after, "told in the words of before");
            }
            world.now += Duration::from_millis(700);
        } else {
            let wake = plan.wake.unwrap();
            assert!(wake > world.now, "asks to be woken in the past: {world:#?}");
            world.now = wake.min(until);
        }
    }
    world
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    pub(super) spec: usize,
    pub(super) by: TestRequestedBy,
    pub(super) messages: usize,
    pub(super) servers: Servers,
}

pub(super) fn begin(story: &Story) -> World {
    let sent_at = vec![time(START - 3600); story.messages];
    let mut grant = held();
    grant.messages = match (story.by, story.messages) {
        // Those of an earlier sign-in count, too.
        (TestRequestedBy::SignIn, _) | (_, 0) => Messages {
            sent_at,
            ..Messages::default()
        },
        _ => Messages {
            sent_at,
            ..sample::receipted("before")
        },
    };
    let mut view = TestView::untested();
    let mut world = world(
        specs()[story.spec].clone(),
        profiles()[3].clone(),
        GrantView::Held(grant.clone()),
        TestView::untested(),
        None,
    );
    if story.by != TestRequestedBy::SignIn {
        let Some(Step::StartTest(test)) = decide(&world).step else {
            panic!("no test");
        };
        let passed = DirectionView {
            state: DirectionState::Success,
            enabled: true,
            tested_at: Some(time(START - 3000)),
            ..DirectionView::untested()
        };
        view = TestView {
            newest: Some(Test {
                started_at: time(START - 3000),
                begun_at: time(START - 3000),
                finished_at: Some(time(START - 2990)),
                ..test
            }),
            incoming: passed.clone(),
            outgoing: passed,
        };
        match story.by {
            TestRequestedBy::Annotation => world.test_request = Some("now".into()),
            TestRequestedBy::Page => grant.test_requested_at = Some(time(START)),
            _ => world.now = later(time(START - 2990), world.times.retest),
        }
    }
    if let Ok(spec) = &world.spec {
        view.mark_unused(spec);
    }
    world.grant = GrantView::Held(Held {
        access_expires_at: world.now + Duration::from_secs(3600),
        renew_at: world.now + Duration::from_secs(3000),
        ..grant
    });
    world.test = view;
    world
}
