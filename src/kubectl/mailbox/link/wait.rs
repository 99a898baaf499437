//! Until somebody has signed in and the mailbox is tested.

use jiff::Timestamp;

use crate::api::{
    Actor, Mailbox, MailboxCondition, Reason, SignInAttempt, SignInStatus, TestStatus,
};
use crate::kubectl::conditions::reason;
use crate::kubectl::mailbox::condition;
use crate::kubectl::watch::Verdict;

/// What status said when the wait began: only what comes after it counts.
#[derive(Clone, Debug)]
pub struct Before {
    signed_in_at: Option<Timestamp>,
    attempt: Option<SignInAttempt>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Signed in, tested and enabled.
    Connected(Box<Mailbox>),
    /// Not, for this reason.
    Refused(String),
}

impl Before {
    /// As `mailbox` is now.
    pub fn of(mailbox: &Mailbox) -> Self {
        let sign_in = sign_in(mailbox);
        Self {
            signed_in_at: signed_in_at(sign_in),
            attempt: sign_in.and_then(|sign_in| sign_in.last_attempt.clone()),
        }
    }

    /// What `mailbox` says of a sign-in since.
    pub fn judge(&self, mailbox: &Mailbox) -> Verdict<Outcome> {
        let sign_in = sign_in(mailbox);
        let new = signed_in_at(sign_in).filter(|at| self.signed_in_at != Some(*at));
        match (new, sign_in.and_then(|s| s.last_attempt.as_ref())) {
            (Some(at), _) => tested(mailbox, at),
            (None, Some(attempt)) if self.attempt.as_ref() != Some(attempt) => {
                Verdict::Decided(Outcome::Refused(refused(attempt.reason)))
            }
            _ => Verdict::Waiting(format!("{} to sign in on the page", account(mailbox))),
        }
    }
}

/// What the test after the sign-in at `at` found.
fn tested(mailbox: &Mailbox, at: Timestamp) -> Verdict<Outcome> {
    let Some(ready) = condition(mailbox, MailboxCondition::Ready) else {
        return Verdict::Waiting("the operator to look at the sign-in".to_owned());
    };
    if ready.status == "True" {
        return Verdict::Decided(Outcome::Connected(Box::new(mailbox.clone())));
    }
    let of_grant = condition(mailbox, MailboxCondition::SignedIn)
        .is_some_and(|signed_in| signed_in.status == "False");
    let test = mailbox.status.as_ref().and_then(|s| s.test.as_ref());
    let over = test.is_some_and(|test| test.started_at.0 >= at && test.finished_at.is_some());
    let somebody_acts = reason(ready).is_none_or(|reason| reason.who() != Actor::Nobody);
    // What Ready said before the test is of the time before.
    if somebody_acts && (over || of_grant) {
        return Verdict::Decided(Outcome::Refused(format!(
            "{} has signed in, but the mailbox is not enabled. {}: {}",
            account(mailbox),
            ready.reason,
            ready.message
        )));
    }
    Verdict::Waiting(match test.filter(|test| test.started_at.0 >= at) {
        Some(test) => format!("the test ({})", step(test)),
        None => "the test to begin".to_owned(),
    })
}

fn step(test: &TestStatus) -> &'static str {
    use crate::api::TestStep;
    match test.step {
        TestStep::Token => "the token",
        TestStep::Incoming => "receiving",
        TestStep::Outgoing => "sending",
        TestStep::RoundTrip => "a message to itself",
    }
}

fn refused(reason: Reason) -> String {
    format!(
        "the sign-in was refused. {reason}: {}. {}: {}.",
        reason.meaning(),
        reason.who().title(),
        reason.cure()
    )
}

fn sign_in(mailbox: &Mailbox) -> Option<&SignInStatus> {
    mailbox.status.as_ref()?.sign_in.as_ref()
}

fn signed_in_at(sign_in: Option<&SignInStatus>) -> Option<Timestamp> {
    Some(sign_in?.signed_in_at.as_ref()?.0)
}

/// Who is to sign in.
fn account(mailbox: &Mailbox) -> &str {
    let spec = &mailbox.spec;
    spec.google_account.as_ref().unwrap_or(&spec.email_address)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn mailbox(sign_in: Value, ready: (&str, &str), test: Value) -> Mailbox {
        let signed_in = if sign_in["signedInAt"].is_null() {
            "False"
        } else {
            "True"
        };
        let condition = |type_: &str, status: &str, reason: &str| json!({ "type": type_, "status": status, "reason": reason, "message": "m.", "lastTransitionTime": "2026-01-01T00:00:00Z" });
        serde_json::from_value(json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
            "metadata": { "name": "support", "namespace": "crm" },
            "spec": { "emailAddress": "support@example.com" },
            "status": { "signIn": sign_in, "test": test, "conditions": [
                condition("SignedIn", signed_in, "SignedIn"), condition("Ready", ready.0, ready.1),
            ] },
        }))
        .unwrap_or_else(|error| panic!("{error}"))
    }

    fn test(started: &str, finished: bool) -> Value {
        let mut test = json!({ "id": "t", "requestedBy": "SignIn", "startedAt": started, "step": "Incoming", "settings": "" });
        if finished {
            test["finishedAt"] = json!(started);
        }
        test
    }

    const OLD: &str = "2026-01-01T00:00:00Z";
    const NEW: &str = "2026-01-02T00:00:00Z";

    #[test]
    fn only_what_comes_after_the_start_counts() {
        let before = mailbox(
            json!({ "signedInAt": OLD, "lastAttempt": { "at": OLD, "reason": "WrongAccount" } }),
            ("False", "SmtpLoginRefused"),
            test(OLD, true),
        );
        let attempt = |at: &str, reason: &str| json!({ "at": at, "reason": reason });
        let cases = [
            (before.clone(), "Waiting for support@example.com to sign in"),
            (
                mailbox(
                    json!({ "signedInAt": OLD, "lastAttempt": attempt(NEW, "ConsentDeclined") }),
                    ("False", "SmtpLoginRefused"),
                    test(OLD, true),
                ),
                "Refused the sign-in was refused. ConsentDeclined: The owner declined access. Mailbox user: Start",
            ),
            // The page has stored it, and Ready is still that of the time before.
            (
                mailbox(
                    json!({ "signedInAt": NEW, "lastAttempt": attempt(NEW, "ConsentDeclined") }),
                    ("False", "SmtpLoginRefused"),
                    test(OLD, true),
                ),
                "Waiting for the test to begin",
            ),
            (
                mailbox(
                    json!({ "signedInAt": NEW }),
                    ("False", "Testing"),
                    test(NEW, false),
                ),
                "Waiting for the test (receiving)",
            ),
            (
                mailbox(
                    json!({ "signedInAt": NEW }),
                    ("False", "LoginRefused"),
                    test(NEW, true),
                ),
                "Refused support@example.com has signed in, but the mailbox is not enabled. LoginRefused: m.",
            ),
            // It passes by itself.
            (
                mailbox(
                    json!({ "signedInAt": NEW }),
                    ("False", "MailServerUnavailable"),
                    test(NEW, true),
                ),
                "Waiting for the test (receiving)",
            ),
            (
                mailbox(
                    json!({ "signedInAt": NEW }),
                    ("True", "Enabled"),
                    test(NEW, true),
                ),
                "Connected",
            ),
        ];
        let asked = Before::of(&before);
        for (mailbox, wanted) in cases {
            let said = match asked.judge(&mailbox) {
                Verdict::Waiting(what) => format!("Waiting for {what}"),
                Verdict::Decided(Outcome::Refused(why)) => format!("Refused {why}"),
                Verdict::Decided(Outcome::Connected(_)) => "Connected".to_owned(),
            };
            assert!(said.starts_with(wanted), "{said} is not {wanted}");
        }
    }
}
