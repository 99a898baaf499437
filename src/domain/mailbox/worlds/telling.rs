//! What becomes an Event on the way from one status to the next.

use super::*;
use crate::api::{MailboxCondition, MailboxStatus};

/// A Mailbox that is reported after each step.
struct Told {
    world: World,
    status: Option<MailboxStatus>,
    events: Vec<(MailboxCondition, Reason)>,
}

impl Told {
    fn new() -> Self {
        Self {
            world: world(
                specs()[1].clone(),
                profiles()[3].clone(),
                GrantView::Held(Held {
                    messages: sample::receipted("before"),
                    ..held()
                }),
                TestView::untested(),
                None,
            ),
            status: None,
            events: Vec::new(),
        }
    }

    /// Goes on until nothing is to be done for an hour; what was told meanwhile.
    fn live(
        &mut self,
        incoming: impl Fn() -> Outcome,
        outgoing: impl Fn() -> Outcome,
    ) -> Vec<(MailboxCondition, Reason)> {
        let end = self.world.now + Duration::from_secs(3600);
        while self.world.now < end {
            let plan = decide(&self.world);
            let Some(step) = plan.step else {
                self.tell();
                self.world.now = plan.wake.unwrap().min(end);
                continue;
            };
            let outcome = match &step {
                Step::StartTest(_) => Outcome::Started,
                Step::TestIncoming => incoming(),
                Step::TestOutgoing => outgoing(),
                Step::SendMessage(_) | Step::FindMessage => Outcome::Arrived,
                Step::Renew => Outcome::Grant(Box::new(GrantView::Held(Held {
                    access_issued_at: self.world.now,
                    renew_at: self.world.now + Duration::from_secs(3000),
                    access_expires_at: self.world.now + Duration::from_secs(3600),
                    messages: sample::receipted("before"),
                    ..held()
                }))),
                other => panic!("{other:?}"),
            };
            self.world = fold(self.world.clone(), &step, outcome);
            self.world.now += Duration::from_millis(500);
            self.tell();
        }
        std::mem::take(&mut self.events)
    }

    fn tell(&mut self) {
        let told = transitions(self.status.as_ref(), &self.world);
        let told = told.into_iter().map(|told| (told.condition, told.verdict));
        self.events.extend(
            told.filter(|(_, verdict)| verdict.reason != Reason::Testing)
                .map(|(condition, verdict)| (condition, verdict.reason)),
        );
        self.status = Some(report(&self.world, self.status.as_ref(), Some(1)));
    }
}

fn fails(reason: Reason) -> impl Fn() -> Outcome {
    move || {
        Outcome::Fails(Failure {
            reason,
            doing: "testing".into(),
            detail: String::new(),
            reply: None,
        })
    }
}

fn works() -> Outcome {
    Outcome::Works
}

#[test]
fn each_transition_of_a_direction_is_told_once() {
    use MailboxCondition::{IncomingReady, OutgoingReady, Ready};
    let mut told = Told::new();
    assert_eq!(told.live(works, works), [(Ready, Reason::Enabled)]);
    // Tried again and again, and asked for, it is still the same.
    let refused = fails(Reason::SmtpLoginRefused);
    told.world.test_request = Some("1".into());
    assert_eq!(
        told.live(works, &refused),
        [(Ready, Reason::SmtpLoginRefused)]
    );
    told.world.test_request = Some("2".into());
    assert_eq!(
        told.live(works, &refused),
        [(Ready, Reason::SmtpLoginRefused)],
        "after Testing"
    );
    // The other one is worse, and is what Ready says.
    told.world.test_request = Some("3".into());
    assert_eq!(
        told.live(fails(Reason::ImapDisabledByUser), &refused),
        [(Ready, Reason::ImapDisabledByUser)]
    );
    told.world.test_request = Some("4".into());
    let limit = fails(Reason::SendingBlocked);
    let events = told.live(fails(Reason::ImapDisabledByUser), limit);
    assert!(
        events.contains(&(OutgoingReady, Reason::SendingBlocked)),
        "{events:?}"
    );
    told.world.test_request = Some("5".into());
    let events = told.live(works, works);
    for event in [
        (Ready, Reason::Enabled),
        (IncomingReady, Reason::Enabled),
        (OutgoingReady, Reason::Enabled),
    ] {
        let times = events.iter().filter(|told| **told == event).count();
        assert_eq!(times, 1, "{event:?} in {events:?}");
    }
}
