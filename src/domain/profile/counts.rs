use jiff::Timestamp;

use super::round::Answer;
use crate::api::{MailboxCondition, MailboxStatus, Reason};

/// How a Mailbox stands, as far as its profile counts it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// Its owner has signed in once.
    pub connected: bool,
    /// The sign-in can be used.
    pub signed_in: bool,
    /// It is Ready.
    pub ready: bool,
    /// When the sign-in is known to end, while it is used.
    pub ends: Option<Timestamp>,
    /// Since when it fails, for a reason that is not the profile's.
    pub failing_since: Option<Timestamp>,
    /// A test can begin, as far as that lies with the Mailbox.
    pub testable: bool,
    /// How it has answered the newest request for a test that its profile made.
    pub answer: Option<Answer>,
}

/// A profile's mailboxes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// All.
    pub assigned: i32,
    /// Of those: their owner has signed in once.
    pub connected: i32,
    /// Of those: the sign-in can be used.
    pub signed_in: i32,
    /// Of those: Ready.
    pub ready: i32,
    /// Connected, and failing.
    pub failing: i32,
    /// Of those: began to fail lately.
    pub failing_lately: i32,
}

impl From<&MailboxStatus> for Standing {
    fn from(status: &MailboxStatus) -> Self {
        let connected = status
            .sign_in
            .as_ref()
            .is_some_and(|sign_in| sign_in.account.is_some());
        let holds = |condition: MailboxCondition| {
            status
                .conditions
                .iter()
                .any(|c| c.type_ == condition.name() && c.status == "True")
        };
        let failing_since = [
            MailboxCondition::SignedIn,
            MailboxCondition::IncomingReady,
            MailboxCondition::OutgoingReady,
        ]
        .into_iter()
        .filter_map(|condition| {
            let found = status
                .conditions
                .iter()
                .find(|c| c.type_ == condition.name());
            found.filter(|c| c.status == "False" && !is_innocent(&c.reason))
        })
        .map(|condition| condition.last_transition_time.0)
        .min();
        let signed_in = holds(MailboxCondition::SignedIn);
        let ends = status.sign_in.as_ref();
        let ends = ends.and_then(|sign_in| sign_in.expires_at.as_ref());
        Self {
            connected,
            signed_in,
            ends: ends
                .filter(|_| signed_in && !is_suspended(status))
                .map(|time| time.0),
            ready: holds(MailboxCondition::Ready),
            failing_since: failing_since.filter(|_| connected),
            testable: signed_in
                && !says(status, MailboxCondition::Ready, Reason::Suspended)
                && !says(status, MailboxCondition::Accepted, Reason::InvalidSpec),
            answer: Answer::of(status),
        }
    }
}

/// Nobody minds when the sign-in of what stands still ends.
fn is_suspended(status: &MailboxStatus) -> bool {
    [Reason::Suspended, Reason::ProfileSuspended]
        .into_iter()
        .any(|reason| says(status, MailboxCondition::Ready, reason))
}

/// Whether `condition` has that reason.
fn says(status: &MailboxStatus, condition: MailboxCondition, reason: Reason) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|c| c.type_ == condition.name() && c.reason == reason.name())
}

/// Whether a condition is False for a reason that says nothing against the mailbox.
fn is_innocent(reason: &str) -> bool {
    [
        Reason::NotUsed,
        Reason::SignInRequired,
        Reason::ClientChanged,
        Reason::CapacityReached,
    ]
    .iter()
    .any(|innocent| innocent.name() == reason)
}

impl Counts {
    /// Counts `mailboxes`; what fails since `lately` or later counts as that.
    pub fn of(mailboxes: impl Iterator<Item = Standing>, lately: Timestamp) -> Self {
        let mut counts = Self::default();
        for standing in mailboxes {
            let Standing {
                connected,
                signed_in,
                ready,
                failing_since,
                ends: _,
                testable: _,
                answer: _,
            } = standing;
            counts.assigned += 1;
            counts.connected += i32::from(connected);
            counts.signed_in += i32::from(signed_in);
            counts.ready += i32::from(ready);
            counts.failing += i32::from(failing_since.is_some());
            counts.failing_lately += i32::from(failing_since.is_some_and(|since| since >= lately));
        }
        counts
    }

    /// Whether it looks as if one cause made them fail: more than half within the time that counts
    /// as lately. Once it does, until no more than half of them fail. One alone tells nothing.
    pub fn fail_together(&self, did: bool) -> bool {
        let most = |failing: i32| failing > 1 && failing * 2 > self.connected;
        most(self.failing_lately) || (did && most(self.failing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_within_the_hour() {
        for (connected, failing, lately, did, together) in [
            (0, 0, 0, false, false),
            (1, 1, 1, false, false),
            (2, 2, 2, false, true),
            (4, 2, 2, false, false),
            (4, 3, 3, false, true),
            (4, 3, 2, false, false),
            (4, 3, 2, true, true),
            (4, 3, 0, true, true),
            (4, 2, 0, true, false),
            (4, 4, 0, false, false),
        ] {
            let counts = Counts {
                connected,
                failing,
                failing_lately: lately,
                ..Counts::default()
            };
            assert_eq!(
                counts.fail_together(did),
                together,
                "{lately} lately, {failing} in all, of {connected}, {did} before"
            );
        }
    }
}
