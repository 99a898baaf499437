use crate::api::{MailboxCondition, MailboxStatus, Reason};

/// How a Mailbox is, for whoever looks after many of them: what needs somebody is told apart from what
/// somebody wants so.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Health {
    /// Whether it works, and if not, whether it should.
    pub state: HealthState,
    /// Why `Ready` is as it is.
    pub reason: Reason,
}

/// Whether a Mailbox works, and if not, whether it should.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum HealthState {
    /// It is Ready.
    Ready,
    /// Nobody has signed in, or has signed out, or its first test is yet to come.
    Waiting,
    /// It, or its profile, is suspended.
    Suspended,
    /// It is signed in and does not work.
    Failing,
}

impl Default for Health {
    /// Of a Mailbox that has no status yet.
    fn default() -> Self {
        Self {
            state: HealthState::Waiting,
            reason: Reason::NotChecked,
        }
    }
}

impl From<&MailboxStatus> for Health {
    fn from(status: &MailboxStatus) -> Self {
        let mut conditions = status.conditions.iter();
        let ready = conditions.find(|c| c.type_ == MailboxCondition::Ready.name());
        let Some(ready) = ready else {
            return Self::default();
        };
        let Ok(reason) = ready.reason.parse() else {
            return Self::default();
        };
        let sign_in = status.sign_in.as_ref();
        let signed_in = sign_in.is_some_and(|sign_in| sign_in.account.is_some());
        let state = match ready.status == "True" {
            true => HealthState::Ready,
            false => not_ready(reason, signed_in),
        };
        Self { state, reason }
    }
}

/// An account stands in status from the sign-in until the sign-out, also when Google has ended it.
fn not_ready(reason: Reason, signed_in: bool) -> HealthState {
    match reason {
        Reason::Suspended | Reason::ProfileSuspended => HealthState::Suspended,
        // Who signed in is not known any more.
        Reason::GrantUnreadable => HealthState::Failing,
        Reason::NotChecked
        | Reason::NotTested
        | Reason::Testing
        | Reason::CapacityReached
        | Reason::MovedElsewhere => HealthState::Waiting,
        _ if signed_in => HealthState::Failing,
        _ => HealthState::Waiting,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;
    use strum::IntoEnumIterator;

    use super::*;

    fn health(ready: &str, reason: &str, account: Option<&str>) -> Health {
        let status: MailboxStatus = serde_json::from_value(json!({
            "conditions": [{
                "type": "Ready", "status": ready, "reason": reason, "message": "",
                "lastTransitionTime": "2026-11-26T10:00:00Z",
            }],
            "signIn": { "account": account },
        }))
        .unwrap();
        Health::from(&status)
    }

    #[test]
    fn what_should_work_and_does_not_is_told_apart() {
        use HealthState::{Failing, Ready, Suspended, Waiting};
        let ann = Some("ann@example.com");
        for (ready, reason, account, state) in [
            ("True", Reason::Enabled, ann, Ready),
            ("True", Reason::SignInEndsSoon, ann, Ready),
            ("False", Reason::Suspended, ann, Suspended),
            ("False", Reason::Suspended, None, Suspended),
            ("False", Reason::ProfileSuspended, ann, Suspended),
            ("False", Reason::SignInRequired, None, Waiting),
            ("False", Reason::ProfileNotReady, None, Waiting),
            ("False", Reason::NoDefaultProfile, None, Waiting),
            ("False", Reason::CapacityReached, ann, Waiting),
            ("False", Reason::MovedElsewhere, ann, Waiting),
            ("False", Reason::NotTested, ann, Waiting),
            ("False", Reason::ConsentExpired, ann, Failing),
            ("False", Reason::ClientChanged, ann, Failing),
            ("False", Reason::ProfileNotReady, ann, Failing),
            ("False", Reason::ConnectionTimedOut, ann, Failing),
            ("False", Reason::GrantUnreadable, None, Failing),
        ] {
            let wanted = Health { state, reason };
            assert_eq!(health(ready, reason.name(), account), wanted);
        }
    }

    #[test]
    fn nobody_who_has_not_signed_in_fails() {
        let mut failing = Reason::iter().filter(|reason| {
            let health = health("False", reason.name(), None);
            health.state == HealthState::Failing
        });
        assert_eq!(failing.next(), Some(Reason::GrantUnreadable));
        assert_eq!(failing.next(), None);
    }

    #[test]
    fn what_says_nothing_waits() {
        assert_eq!(Health::from(&MailboxStatus::default()), Health::default());
        assert_eq!(
            health("False", "OfALaterVersion", Some("ann@example.com")),
            Health::default()
        );
    }
}
