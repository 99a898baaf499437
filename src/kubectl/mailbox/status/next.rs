//! What to do next: one line.

use crate::api::{Actor, Mailbox, MailboxCondition, Reason};
use crate::domain::console::SignInPage;
use crate::domain::name::ObjectName;
use crate::kubectl::access::{AccessFlags, quoted};
use crate::kubectl::conditions::reason;
use crate::kubectl::mailbox::{command, condition};
use crate::kubectl::operator::OPERATOR_LABEL;

/// Who must act, and what they do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Next {
    who: Option<Actor>,
    what: String,
}

impl Next {
    /// What `mailbox` needs now.
    pub fn of(name: &ObjectName, mailbox: &Mailbox, access: &AccessFlags) -> Self {
        let Some(ready) = condition(mailbox, MailboxCondition::Ready) else {
            return Self {
                who: Some(Actor::PlatformAdmin),
                what: format!(
                    "see that the operator runs and looks after this namespace: kubectl get pods --all-namespaces --selector {OPERATOR_LABEL}"
                ),
            };
        };
        let Some(reason) = reason(ready) else {
            return match ready.status.as_str() {
                "True" => Self::nobody("nothing has to be done"),
                _ => Self {
                    who: None,
                    what: ready.message.clone(),
                },
            };
        };
        match (reason, reason.who()) {
            (Reason::Enabled, _) => Self::nobody("nothing has to be done"),
            (_, Actor::Nobody) => Self::nobody("it goes on by itself"),
            (Reason::Suspended, who) => Self::by(
                who,
                format!(
                    "kubectl patch mailbox {}{} --type=merge --patch='{{\"spec\":{{\"suspend\":false}}}}'",
                    name.name,
                    access.again(&name.namespace)
                ),
            ),
            (Reason::ProfileNotReady | Reason::ProfileSuspended | Reason::CapacityReached, who) => {
                Self::by(who, show_profile(mailbox, reason))
            }
            (_, Actor::MailboxUser) => Self::by(
                Actor::MailboxUser,
                format!("{}. {}", reason.cure(), page(name, mailbox, access)),
            ),
            (_, who) => Self::by(who, reason.cure().to_owned()),
        }
    }

    /// Whether a person has to act.
    pub fn waits_for_somebody(&self) -> bool {
        self.who != Some(Actor::Nobody)
    }

    fn nobody(what: &str) -> Self {
        Self::by(Actor::Nobody, what.to_owned())
    }

    fn by(who: Actor, what: String) -> Self {
        let who = match who {
            Actor::Author => Actor::AppTeam,
            who => who,
        };
        Self {
            who: Some(who),
            what,
        }
    }
}

impl std::fmt::Display for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.who {
            Some(who) => write!(f, "{}: {}", who.title(), self.what),
            None => self.what.fmt(f),
        }
    }
}

fn show_profile(mailbox: &Mailbox, reason: Reason) -> String {
    let profile = mailbox.status.as_ref().and_then(|s| s.profile.as_ref());
    match profile {
        Some(profile) => format!(
            "{}: kubectl gmail profile show {} --namespace {}",
            reason.cure(),
            quoted(&profile.name),
            quoted(&profile.namespace)
        ),
        None => reason.cure().to_owned(),
    }
}

/// The page, where everybody can open it; and the mail that leads there.
fn page(name: &ObjectName, mailbox: &Mailbox, access: &AccessFlags) -> String {
    let sign_in = mailbox.status.as_ref().and_then(|s| s.sign_in.as_ref());
    match sign_in.and_then(|sign_in| sign_in.url.as_deref()) {
        Some(url) => format!(
            "The page is {url} (the mail to send: {})",
            command("link", name, access)
        ),
        None => format!("The page opens by: {}", SignInPage::forwarding(name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn next(status: &str, reason: &str, url: Option<&str>) -> (String, bool) {
        let mailbox: Mailbox = serde_json::from_value(json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
            "metadata": { "name": "support", "namespace": "crm" },
            "spec": { "emailAddress": "support@example.com" },
            "status": {
                "signIn": { "url": url },
                "profile": { "name": "google", "namespace": "mail" },
                "conditions": [{ "type": "Ready", "status": status, "reason": reason, "message": "As it says.", "lastTransitionTime": "2026-01-01T00:00:00Z" }],
            },
        }))
        .unwrap_or_else(|error| panic!("{error}"));
        let name = ObjectName::new("crm", "support");
        let next = Next::of(&name, &mailbox, &AccessFlags::default());
        (next.to_string(), next.waits_for_somebody())
    }

    #[test]
    fn one_line_says_who_and_what() {
        let url = Some("https://gmail.example.com/signin/crm/support/u-1");
        for (status, reason, url, wanted, waits) in [
            (
                "True",
                "Enabled",
                url,
                "Nobody: nothing has to be done",
                false,
            ),
            (
                "False",
                "Testing",
                url,
                "Nobody: it goes on by itself",
                false,
            ),
            (
                "False",
                "SignInRequired",
                url,
                "Mailbox user: Open the sign-in page and sign in to Google. The page is https://gmail.example.com/signin/crm/support/u-1 (the mail to send: kubectl gmail link support --namespace crm)",
                true,
            ),
            (
                "False",
                "SignInRequired",
                None,
                "Mailbox user: Open the sign-in page and sign in to Google. The page opens by: kubectl gmail link support -n crm --port-forward",
                true,
            ),
            (
                "True",
                "SignInEndsSoon",
                None,
                "Mailbox user: Sign in again before then. The page opens by: kubectl gmail link support -n crm --port-forward",
                true,
            ),
            (
                "False",
                "ProfileNotReady",
                url,
                "Platform admin: Look at the profile's own status: kubectl gmail profile show google --namespace mail",
                true,
            ),
            (
                "False",
                "Suspended",
                url,
                "App team: kubectl patch mailbox support --namespace crm --type=merge --patch='{\"spec\":{\"suspend\":false}}'",
                true,
            ),
            (
                "False",
                "InvalidSpec",
                url,
                "App team: Correct the value that the message names",
                true,
            ),
            ("False", "AReasonOfTheFuture", url, "As it says.", true),
            (
                "True",
                "AReasonOfTheFuture",
                url,
                "Nobody: nothing has to be done",
                false,
            ),
        ] {
            assert_eq!(next(status, reason, url), (wanted.to_owned(), waits));
        }
    }
}
