//! The running test, or the newest one, as its owner follows it on the page.

use crate::api::{Mailbox, MailboxStatus, Reason};
use crate::domain::grant::Grant;
use crate::domain::progress::{Step, gate, steps};
use crate::domain::verdict::seconds;

/// How far it has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Progress {
    pub overall: Overall,
    pub steps: Vec<Step>,
}

/// The whole in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Overall {
    /// Something is still to come.
    Running,
    /// All that is used works.
    Works,
    /// Something does not.
    Fails,
    /// No test can begin: this stands in the way.
    Held(Reason),
}

/// What status says of the test of `grant`.
pub(super) fn progress(mailbox: &Mailbox, grant: &Grant) -> Progress {
    let no_status = MailboxStatus::default();
    let status = mailbox.status.as_ref().unwrap_or(&no_status);
    let asked = [Some(grant.signed_in_at), grant.test_requested_at];
    let since = asked.into_iter().flatten().max().map(|at| seconds(at).0);
    let test = status.test.as_ref();
    let test = test.filter(|test| since.is_none_or(|since| test.started_at.0 >= since));
    let steps = steps(mailbox, test);
    let overall = match (held(status, grant), test) {
        (Some(reason), _) => Overall::Held(reason),
        (None, None) => Overall::Running,
        (None, Some(test)) if test.finished_at.is_none() => Overall::Running,
        (None, Some(_)) if steps.iter().any(Step::is_bad) => Overall::Fails,
        (None, Some(_)) => Overall::Works,
    };
    Progress { overall, steps }
}

/// What keeps a test from beginning. Right after a sign-in status still says that there is none.
fn held(status: &MailboxStatus, grant: &Grant) -> Option<Reason> {
    let known = status
        .sign_in
        .as_ref()
        .and_then(|s| s.signed_in_at.as_ref());
    let seen = known.is_some_and(|at| at.0 == seconds(grant.signed_in_at).0);
    let reason = gate(&status.conditions).and_then(|shut| shut.reason.parse().ok());
    reason.filter(|reason| seen || *reason == Reason::Suspended)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
