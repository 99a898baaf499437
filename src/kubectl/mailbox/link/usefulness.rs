//! Whether a link would help a Mailbox now.

use crate::api::{Actor, Mailbox, MailboxCondition, Reason};
use crate::kubectl::conditions::reason;
use crate::kubectl::mailbox::condition;

/// What a sign-in would do now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Use {
    /// It helps; this is to be known besides, if anything.
    Helps(Option<String>),
    /// It is in vain, for this reason.
    InVain(String),
}

/// Looks at what the operator says of `mailbox`.
pub fn of(mailbox: &Mailbox) -> Use {
    if mailbox.metadata.deletion_timestamp.is_some() {
        return Use::InVain("it is being deleted".to_owned());
    }
    if mailbox.spec.suspend {
        return Use::InVain(
            "it is suspended, and its sign-in page is closed meanwhile. App team that wrote the Mailbox: set spec.suspend to false".to_owned(),
        );
    }
    let observed = mailbox.status.as_ref().and_then(|s| s.observed_generation);
    if observed.is_none() || observed < mailbox.metadata.generation {
        return Use::InVain(
            "the operator has not looked at it yet: does it run, and does it look after this namespace? If it does, try again in a moment".to_owned(),
        );
    }
    for which in [MailboxCondition::Accepted, MailboxCondition::ProfileReady] {
        if let Some(wrong) = condition(mailbox, which).filter(|c| c.status != "True") {
            return Use::InVain(format!("{}: {}", wrong.reason, wrong.message));
        }
    }
    match condition(mailbox, MailboxCondition::SignedIn) {
        Some(signed_in) if signed_in.status == "True" => {
            connected(mailbox, reason(signed_in), &signed_in.message)
        }
        Some(signed_in) => match reason(signed_in) {
            // It waits for a place, or for the account itself: another sign-in changes nothing.
            Some(Reason::CapacityReached | Reason::AccountDeleted | Reason::NotChecked) => {
                Use::InVain(format!("{}: {}", signed_in.reason, signed_in.message))
            }
            Some(Reason::SignInRequired) => Use::Helps(None),
            _ => Use::Helps(Some(format!("{}: {}", signed_in.reason, signed_in.message))),
        },
        None => Use::InVain("the operator says nothing of its sign-in yet".to_owned()),
    }
}

/// Signed in already: another sign-in helps where this one ends, or where a direction asks for one.
fn connected(mailbox: &Mailbox, signed_in: Option<Reason>, message: &str) -> Use {
    if matches!(
        signed_in,
        Some(Reason::SignInEndsSoon | Reason::SignInOnceMore)
    ) {
        return Use::Helps(Some(message.to_owned()));
    }
    let ready = condition(mailbox, MailboxCondition::Ready);
    match ready {
        Some(ready) if ready.status == "True" => {
            Use::InVain("it is connected, tested and enabled: nobody has to sign in".to_owned())
        }
        Some(ready) if reason(ready).is_some_and(|r| r.who() == Actor::MailboxUser) => {
            Use::Helps(Some(format!("{}: {}", ready.reason, ready.message)))
        }
        Some(ready) => Use::InVain(format!(
            "its owner has signed in, and another sign-in changes nothing. {}: {}",
            ready.reason, ready.message
        )),
        None => Use::InVain("its owner has signed in".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn used(conditions: &[(&str, &str, &str)], change: impl FnOnce(&mut Value)) -> Use {
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|(type_, status, reason)| {
                json!({ "type": type_, "status": status, "reason": reason, "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z" })
            })
            .collect();
        let mut mailbox = json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
            "metadata": { "name": "support", "namespace": "crm", "generation": 2 },
            "spec": { "emailAddress": "support@example.com" },
            "status": { "observedGeneration": 2, "conditions": conditions },
        });
        change(&mut mailbox);
        of(&serde_json::from_value(mailbox).unwrap_or_else(|error| panic!("{error}")))
    }

    const GOOD: [(&str, &str, &str); 2] = [
        ("Accepted", "True", "Accepted"),
        ("ProfileReady", "True", "ProfileReady"),
    ];

    /// Every reason that SignedIn has, with what Ready says beside it.
    #[test]
    fn a_link_is_for_who_can_change_something_by_it() {
        let signed_out = [
            ("SignInRequired", true),
            ("ConsentExpired", true),
            ("ConsentExpiredTesting", true),
            ("ReauthenticationRequired", true),
            ("ClientChanged", true),
            ("BlockedByWorkspacePolicy", true),
            ("MovedElsewhere", true),
            ("GrantUnreadable", true),
            ("WrongAccount", true),
            ("AReasonOfTheFuture", true),
            ("AccountDeleted", false),
            ("CapacityReached", false),
            ("NotChecked", false),
        ];
        for (reason, helps) in signed_out {
            let all = [GOOD[0], GOOD[1], ("SignedIn", "False", reason)];
            let used = used(&all, |_| ());
            assert_eq!(matches!(used, Use::Helps(_)), helps, "{reason}: {used:?}");
        }
        for (signed_in, ready, reason, helps) in [
            ("SignedIn", "True", "Enabled", false),
            ("SignedIn", "False", "Testing", false),
            ("SignedIn", "False", "LoginRefused", false),
            ("SignedIn", "False", "SmtpLoginRefused", false),
            ("SignedIn", "False", "WebLoginRequired", true),
            ("SignInEndsSoon", "True", "SignInEndsSoon", true),
            ("SignInOnceMore", "True", "SignInOnceMore", true),
        ] {
            let all = [
                GOOD[0],
                GOOD[1],
                ("SignedIn", "True", signed_in),
                ("Ready", ready, reason),
            ];
            let used = used(&all, |_| ());
            assert_eq!(matches!(used, Use::Helps(_)), helps, "{reason}: {used:?}");
        }
    }

    #[test]
    fn what_comes_before_the_sign_in_is_told() {
        let required = ("SignedIn", "False", "SignInRequired");
        for (conditions, change, said) in [
            (
                [("Accepted", "False", "InvalidSpec"), GOOD[1], required],
                Box::new(|_: &mut Value| ()) as Box<dyn FnOnce(&mut Value)>,
                "InvalidSpec: m",
            ),
            (
                [GOOD[0], ("ProfileReady", "Unknown", "NotChecked"), required],
                Box::new(|_| ()),
                "NotChecked: m",
            ),
            (
                [GOOD[0], GOOD[1], required],
                Box::new(|mailbox| mailbox["spec"]["suspend"] = json!(true)),
                "suspended",
            ),
            (
                [GOOD[0], GOOD[1], required],
                Box::new(|mailbox| mailbox["metadata"]["generation"] = json!(3)),
                "has not looked at it yet",
            ),
            (
                [GOOD[0], GOOD[1], required],
                Box::new(|mailbox| mailbox["status"] = Value::Null),
                "has not looked at it yet",
            ),
            (
                [GOOD[0], GOOD[1], required],
                Box::new(|mailbox| {
                    mailbox["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
                }),
                "being deleted",
            ),
        ] {
            let used = used(&conditions, change);
            assert!(
                matches!(&used, Use::InVain(why) if why.contains(said)),
                "{used:?}"
            );
        }
    }
}
