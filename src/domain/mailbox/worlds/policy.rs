//! What is tried again when, what counts, and what is sent: every kind of answer of each server, for
//! each protocol and each reason for a test, for two hours of failures and a day of health after them.

use super::servers::*;
use super::*;
use crate::domain::schedule::later;

/// One message for each test, six a day beside receipts, a minute between tests that were asked for,
/// and five between logins over POP3 that nobody asked for.
fn check_bounds(seen: &Seen, world: &World, before: usize) {
    let mut ids: Vec<_> = seen.sent.iter().map(|(_, id)| id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), seen.sent.len(), "a test sent two messages");
    let receipts = 1;
    assert!(before + seen.sent.len() <= 6 + receipts, "{:?}", seen.sent);
    let asked =
        |by: TestRequestedBy| matches!(by, TestRequestedBy::Annotation | TestRequestedBy::Page);
    for pair in seen.begun.windows(2) {
        let [(one, by), (other, again)] = pair else {
            unreachable!()
        };
        if asked(*by) && asked(*again) {
            assert!(
                later(*one, world.times.between_requested_tests) <= *other + Duration::from_secs(1)
            );
        }
    }
    let pop3 = matches!(&world.spec, Ok(spec) if spec.incoming == Some(IncomingProtocol::Pop3));
    for pair in seen.incoming.windows(2).filter(|_| pop3) {
        let [(one, _), (other, by)] = pair else {
            unreachable!()
        };
        assert!(
            asked(*by) || later(*one, world.times.pop3_gap) <= *other + Duration::from_secs(1),
            "{:?}",
            seen.incoming
        );
    }
}

/// What is said after two hours of such answers.
fn check_findings(world: &World, servers: Servers, worked: bool) {
    let Ok(spec) = &world.spec else { return };
    let verdicts = verdicts(world);
    let held = [servers.incoming, servers.outgoing].contains(&Login::Unproved);
    for (answer, used, direction, verdict, refused) in [
        (
            servers.incoming,
            spec.incoming.is_some(),
            &world.test.incoming,
            &verdicts.incoming_ready,
            [Reason::LoginRefused, Reason::PopLoginRefused].as_slice(),
        ),
        (
            servers.outgoing,
            spec.outgoing,
            &world.test.outgoing,
            &verdicts.outgoing_ready,
            [Reason::SmtpLoginRefused].as_slice(),
        ),
    ] {
        let known = direction.last_error.as_ref().map(|error| error.reason);
        match answer {
            _ if !used => assert_eq!(verdict.reason, Reason::NotUsed),
            _ if held && worked => {}
            Login::Unproved => {
                assert_eq!(known, None, "what is held does not count");
                assert_eq!(verdict.reason, Reason::GoogleUnavailable, "{world:#?}");
            }
            Login::Refused if !held => {
                assert!(!direction.enabled && refused.contains(&verdict.reason));
                assert!(verdict.message.contains("in some hours"), "{verdict:?}");
                assert!(verdict.message.contains("Checked before"), "{verdict:?}");
            }
            Login::Fails if !held => assert!(!direction.enabled, "{world:#?}"),
            _ => {}
        }
    }
    let said = &verdicts.incoming_ready.message;
    match (servers.incoming, servers.outgoing) {
        _ if spec.incoming.is_none() || !spec.outgoing => {}
        (Login::Refused, Login::Works) if world.test.outgoing.enabled => {
            assert!(
                said.contains("works the other way") && said.contains("1-a"),
                "{said}"
            );
        }
        (Login::Refused, Login::Refused) => {
            assert!(said.contains("refused the other way"), "{said}")
        }
        // Sending does not wait for a server that wants to be left alone.
        (Login::WantsPause, Login::Works) if servers.data == Data::Arrives => {
            assert!(world.test.outgoing.enabled, "{world:#?}");
        }
        _ => {}
    }
}

fn stories() -> Vec<Story> {
    let mut stories = Vec::new();
    // IMAP and sending, IMAP alone, sending alone, POP3 and sending.
    for spec in [1, 5, 9, 13] {
        for by in [
            TestRequestedBy::SignIn,
            TestRequestedBy::Annotation,
            TestRequestedBy::Schedule,
        ] {
            for incoming in LOGINS {
                for outgoing in LOGINS {
                    for (imap, data, messages) in rests(spec, incoming, outgoing) {
                        stories.push(Story {
                            spec,
                            by,
                            messages,
                            servers: Servers {
                                incoming,
                                outgoing,
                                imap,
                                data,
                            },
                        });
                    }
                }
            }
        }
    }
    stories
}

/// What becomes of messages matters only where the login lets one be sent.
fn rests(spec: usize, incoming: Login, outgoing: Login) -> Vec<(Imap, Data, usize)> {
    if outgoing != Login::Works || incoming == Login::Unproved {
        return vec![(Imap::Open, Data::Arrives, 1)];
    }
    let imaps: &[Imap] = match spec {
        9 | 13 => &[Imap::Open, Imap::Refuses, Imap::Away],
        _ => &[Imap::Open],
    };
    let mut rests = Vec::new();
    for imap in imaps {
        for data in [
            Data::Arrives,
            Data::ArrivesInSpam,
            Data::GetsLost,
            Data::RefusedForNow,
            Data::RefusedForGood,
            Data::AnswerLost,
        ] {
            for messages in [0, 1, 6] {
                rests.push((*imap, data, messages));
            }
        }
    }
    rests
}

#[test]
fn failures_count_as_they_should_and_health_comes_back() {
    let stories = stories();
    assert!(stories.len() > 1900, "{}", stories.len());
    let (one, other) = stories.split_at(stories.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| one.iter().for_each(tell));
        other.iter().for_each(tell);
    });
}

fn tell(story: &Story) {
    let mut seen = Seen::default();
    let world = begin(story);
    let worked = world.test.incoming.enabled || world.test.outgoing.enabled;
    let start = world.now;
    let counted = match story.by {
        TestRequestedBy::Schedule => 0,
        _ => story.messages,
    };
    let failed = live(
        world,
        start + Duration::from_secs(2 * 3600),
        story.servers,
        &mut seen,
    );
    check_findings(&failed, story.servers, worked);
    check_bounds(&seen, &failed, counted.min(6));
    let day = start + Duration::from_secs(28 * 3600);
    let well = live(failed, day, HEALTHY, &mut seen);
    assert!(verdicts(&well).ready.holds(), "{story:?} ends as {well:#?}");
    let GrantView::Held(held) = &well.grant else {
        panic!("{well:#?}");
    };
    let spec = well.spec.as_ref().unwrap();
    assert!(!spec.outgoing || !held.messages.lack_receipt(), "{story:?}");
}
