use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use super::counts::Standing;
use crate::api::{
    Again, DirectionState, DirectionStatus, MailboxStatus, ProfileTestStatus, Reason, TestStatus,
};
use crate::domain::verdict::{Truth, Verdict, explain, seconds};

/// A request for a test of all Mailboxes of a profile, short enough to be kept for each of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestKey(u64);

impl RequestKey {
    /// Of the annotation's value.
    pub fn of(request: &str) -> Self {
        let mut hash = DefaultHasher::new();
        request.hash(&mut hash);
        Self(hash.finish())
    }
}

/// How a Mailbox has answered the newest request that it has taken up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answer {
    request: RequestKey,
    /// Its newest test has come to an end, or goes on only to see whether a failure is over: that may
    /// take hours.
    over: bool,
    /// A direction does not work.
    fails: bool,
}

impl Answer {
    /// What `status` says of it.
    pub fn of(status: &MailboxStatus) -> Option<Self> {
        let request = status.last_handled_profile_test_request.as_deref()?;
        let test = status.test.as_ref();
        let fails = |test: &TestStatus| {
            let mut directions = [&status.incoming, &status.outgoing].into_iter().flatten();
            directions.any(|direction| has_failed(direction, test))
        };
        Some(Self {
            request: RequestKey::of(request),
            over: test.is_some_and(|test| test.finished_at.is_some() || fails(test)),
            fails: test.is_some_and(fails),
        })
    }
}

/// Whether `direction` has failed in `test` and is tried again in some time, if at all. A test begins
/// with both directions Running; one that was off before is Failure again by its first failure.
fn has_failed(direction: &DirectionStatus, test: &TestStatus) -> bool {
    let met = direction.last_error.as_ref();
    match direction.state {
        DirectionState::Failure => true,
        DirectionState::Running => met.is_some_and(|error| {
            error.reason.again() == Again::AfterPause && error.at.0 >= test.started_at.0
        }),
        _ => false,
    }
}

/// How far a profile's Mailboxes have answered one request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Those that are tested.
    pub mailboxes: i32,
    /// Of those: to an end.
    pub tested: i32,
    /// Of those: do not work.
    pub failing: i32,
}

impl Tally {
    /// Counts what `mailboxes` say of `request`. One that nobody is signed in to, or that is
    /// suspended, is not counted, unless that was found by this very test.
    pub fn of(mailboxes: impl Iterator<Item = Standing>, request: RequestKey) -> Self {
        let mut tally = Self::default();
        for standing in mailboxes {
            let answer = standing.answer.filter(|answer| answer.request == request);
            let lost = standing.connected && !standing.signed_in;
            match answer {
                Some(answer) if answer.over || lost => {
                    tally.mailboxes += 1;
                    tally.tested += 1;
                    tally.failing += i32::from(answer.fails || lost);
                }
                _ => tally.mailboxes += i32::from(standing.testable),
            }
        }
        tally
    }
}

/// Whether a profile's Mailboxes can be tested, as far as that lies with the profile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// They can.
    Given,
    /// Google has not said yet whether it accepts the client.
    NotYet,
    /// It is suspended or not right.
    Stopped,
}

/// What status says of the test that `request` asks for, where it said `before`. One that has ended
/// stays as it ended; of one that was called off nothing stays. It begins when the profile gives
/// `service`, and ends, with whatever it has found by then, when the profile stops that.
pub fn follow(
    request: Option<&str>,
    before: Option<&ProfileTestStatus>,
    tally: Tally,
    service: Service,
    now: Timestamp,
) -> Option<ProfileTestStatus> {
    let ended = before.filter(|before| before.finished_at.is_some());
    let Some(request) = request else {
        return ended.cloned();
    };
    if let Some(ended) = ended.filter(|ended| ended.request == request) {
        return Some(ended.clone());
    }
    let goes_on = before.filter(|before| before.request == request);
    if goes_on.is_none() && service != Service::Given {
        return ended.cloned();
    }
    let over = tally.tested >= tally.mailboxes || service == Service::Stopped;
    let now = seconds(now);
    Some(ProfileTestStatus {
        request: request.to_owned(),
        started_at: goes_on.map_or_else(|| now.clone(), |before| before.started_at.clone()),
        mailboxes: tally.mailboxes,
        tested: tally.tested,
        failing: tally.failing,
        finished_at: over.then_some(now),
    })
}

/// What is told once, when `after` has ended and `before` had not: nothing where there was nobody to
/// test, or where it was cut short. The numbers are in status: an Event
/// that happens again soon is counted up, with the words that it had.
pub fn ending(
    before: Option<&ProfileTestStatus>,
    after: Option<&ProfileTestStatus>,
) -> Option<Verdict> {
    let whole = |test: &&ProfileTestStatus| test.mailboxes > 0 && test.tested >= test.mailboxes;
    let after = after
        .filter(|after| after.finished_at.is_some())
        .filter(whole)?;
    let told = before.is_some_and(|before| {
        before.request == after.request && before.finished_at == after.finished_at
    });
    if told {
        return None;
    }
    let detail = "status.test has the numbers";
    Some(match after.failing {
        0 => Verdict {
            truth: Truth::True,
            reason: Reason::MailboxesTested,
            message: explain(Reason::MailboxesTested, detail),
        },
        _ => Verdict::no(Reason::MailboxesTestedSomeFail, detail),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REQUEST: &str = "2026-11-26T14:00:00Z";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every way in which a Mailbox can stand, against what it counts for.
    #[test]
    fn each_mailbox_counts_once() {
        for bits in 0..64_u8 {
            let [connected, signed_in, testable, answered, over, fails] =
                [1, 2, 4, 8, 16, 32].map(|bit| bits & bit != 0);
            let standing = Standing {
                connected,
                signed_in,
                testable,
                answer: Some(Answer {
                    request: RequestKey::of(if answered { REQUEST } else { "an older one" }),
                    over,
                    fails,
                }),
                ..Standing::default()
            };
            let tally = Tally::of([standing].into_iter(), RequestKey::of(REQUEST));
            let lost = connected && !signed_in;
            let tested = answered && (over || lost);
            let wanted = Tally {
                mailboxes: i32::from(tested || testable),
                tested: i32::from(tested),
                failing: i32::from(tested && (fails || lost)),
            };
            assert_eq!(tally, wanted, "{standing:?}");
        }
    }

    #[test]
    fn a_test_begins_goes_on_and_ends_once() {
        let tally = |mailboxes, tested, failing| Tally {
            mailboxes,
            tested,
            failing,
        };
        let follow =
            |request, before, tally, now| follow(request, before, tally, Service::Given, now);
        assert_eq!(follow(None, None, tally(3, 0, 0), at(1)), None);
        let begun = follow(Some(REQUEST), None, tally(3, 0, 0), at(1));
        assert_eq!(ending(None, begun.as_ref()), None);
        let half = follow(Some(REQUEST), begun.as_ref(), tally(3, 2, 1), at(5));
        let said = half.as_ref().map(|half| (half.started_at.0, half.tested));
        assert_eq!(said, Some((at(1), 2)));
        let ended = follow(Some(REQUEST), half.as_ref(), tally(3, 3, 1), at(9));
        let told = ending(half.as_ref(), ended.as_ref()).map(|told| (told.truth, told.reason));
        assert_eq!(told, Some((Truth::False, Reason::MailboxesTestedSomeFail)));
        // Whatever comes after it.
        let later = follow(Some(REQUEST), ended.as_ref(), tally(7, 0, 0), at(20));
        assert_eq!(later, ended);
        assert_eq!(ending(ended.as_ref(), later.as_ref()), None);
        let next = follow(Some("another"), ended.as_ref(), tally(3, 0, 0), at(30));
        assert_eq!(next.map(|next| next.started_at.0), Some(at(30)));
        assert_eq!(follow(None, ended.as_ref(), tally(3, 0, 0), at(30)), ended);
        assert_eq!(follow(None, half.as_ref(), tally(3, 2, 1), at(30)), None);
    }

    #[test]
    fn without_a_mailbox_it_is_over_at_once_and_nothing_is_told() {
        let ended = follow(Some(REQUEST), None, Tally::default(), Service::Given, at(1));
        assert!(
            ended
                .as_ref()
                .is_some_and(|ended| ended.finished_at.is_some())
        );
        assert_eq!(ending(None, ended.as_ref()), None);
    }

    #[test]
    fn it_begins_with_the_profiles_service_and_ends_with_it() {
        let tally = Tally {
            mailboxes: 3,
            tested: 1,
            failing: 0,
        };
        let follow = |before, service, now| follow(Some(REQUEST), before, tally, service, at(now));
        for service in [Service::NotYet, Service::Stopped] {
            assert_eq!(follow(None, service, 1), None);
        }
        let begun = follow(None, Service::Given, 2);
        let waits = follow(begun.as_ref(), Service::NotYet, 3);
        assert_eq!(waits, begun);
        let cut = follow(begun.as_ref(), Service::Stopped, 4);
        let said = cut
            .as_ref()
            .map(|cut| (cut.tested, cut.finished_at.is_some()));
        assert_eq!(said, Some((1, true)));
        assert_eq!(ending(begun.as_ref(), cut.as_ref()), None);
        assert_eq!(follow(cut.as_ref(), Service::Given, 5), cut);
    }

    /// An hour's pause, and a failure that was there before, do not hold the others' test up.
    #[test]
    fn a_failure_that_takes_long_to_mend_is_an_answer() {
        let status = |state, reason: Reason, at: &str, finished: bool| {
            let mut test = json!({ "id": "t", "requestedBy": "Annotation", "step": "Incoming",
                "startedAt": REQUEST, "settings": "" });
            if finished {
                test["finishedAt"] = json!(REQUEST);
            }
            serde_json::from_value::<MailboxStatus>(json!({
                "lastHandledProfileTestRequest": REQUEST, "test": test,
                "incoming": { "state": state, "enabled": false,
                    "lastError": { "at": at, "reason": reason.name(), "message": "why" } },
                "outgoing": { "state": "Success", "enabled": true },
            }))
            .unwrap_or_else(|error| panic!("{error}"))
        };
        let (before, within) = ("2026-11-26T13:00:00Z", "2026-11-26T14:00:01Z");
        let (soon, later) = (Reason::ConnectionRefused, Reason::TooManyConnections);
        assert_eq!(
            (soon.again(), later.again()),
            (Again::Soon, Again::AfterPause)
        );
        for (state, reason, at, finished, over, fails) in [
            ("Running", soon, within, false, false, false),
            ("Running", later, before, false, false, false),
            ("Running", later, within, false, true, true),
            ("Failure", soon, before, false, true, true),
            ("Failure", later, before, false, true, true),
            ("Failure", soon, within, true, true, true),
            ("Success", later, within, false, false, false),
            ("Success", later, within, true, true, false),
        ] {
            let answer = Answer::of(&status(state, reason, at, finished));
            let answer = answer.map(|answer| (answer.over, answer.fails));
            assert_eq!(
                answer,
                Some((over, fails)),
                "{state}, {reason} at {at}, {finished}"
            );
        }
    }
}
