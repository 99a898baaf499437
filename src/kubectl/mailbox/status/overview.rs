//! All that is not right, grouped by who must act.

use jiff::Timestamp;
use kube::ResourceExt;

use super::seen::{Seen, name_of};
use crate::api::{Actor, GmailServerProfile, Mailbox, MailboxCondition, ProfileCondition};
use crate::kubectl::conditions::{reason, with_again};
use crate::kubectl::mailbox::{condition, holds};
use crate::kubectl::page::{Page, Row, Tone};
use crate::kubectl::profile;
use crate::kubectl::time::between;

/// What can be seen, and how it is shown.
pub struct Overview<'a> {
    /// What can be seen.
    pub seen: &'a Seen,
    /// The one namespace; `None`: all.
    pub namespace: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

/// An object that is not right.
struct Wrong {
    name: String,
    /// The address, or how many use it.
    about: String,
    /// `None`: a reason of another version, whose message has to tell.
    who: Option<Actor>,
    reason: String,
    since: Option<Timestamp>,
    message: String,
}

/// Who acts, from whoever can help most at once to nobody.
const GROUPS: [(Option<Actor>, &str); 6] = [
    (Some(Actor::PlatformAdmin), "Platform admin"),
    (Some(Actor::WorkspaceAdmin), "Google Workspace admin"),
    (Some(Actor::AppTeam), "App team"),
    (
        Some(Actor::MailboxUser),
        "Mailbox user (`kubectl gmail link NAME` writes the mail to send)",
    ),
    (None, "Whoever the message names"),
    (
        Some(Actor::Nobody),
        "Nobody: these wait for what goes on by itself",
    ),
];

impl Overview<'_> {
    /// Profiles, groups, and a line of counts.
    pub fn page(&self) -> Page {
        let mut page = Page::new();
        let profiles = self.profiles();
        if !profiles.is_empty() {
            page.heading("Profiles that are not Ready: they explain many Mailboxes")
                .rows(self.rows(&["PROFILE", "USED BY", "REASON", "SINCE"], &profiles));
        }
        let wrong = self.mailboxes();
        for (who, title) in GROUPS {
            let group: Vec<&Wrong> = wrong.iter().filter(|wrong| wrong.who == who).collect();
            if !group.is_empty() {
                page.heading(&format!("{title}: {}", group.len()))
                    .rows(self.rows(&["MAILBOX", "ADDRESS", "REASON", "SINCE"], &group));
            }
        }
        let enabled = |mailbox: &&Mailbox| holds(mailbox, MailboxCondition::Ready);
        let all = &self.seen.mailboxes;
        let place = match self.namespace {
            Some(namespace) => format!("the namespace {namespace}"),
            None => "the cluster".to_owned(),
        };
        page.heading(&match all.len() {
            0 => format!("There are no Mailboxes in {place}."),
            n => format!(
                "{} of {n} are enabled in {place}.",
                all.iter().filter(enabled).count()
            ),
        });
        page
    }

    /// Whether a person has to act.
    pub fn waits_for_somebody(&self) -> bool {
        let waits = |wrong: &Wrong| wrong.who != Some(Actor::Nobody);
        self.profiles().iter().any(waits) || self.mailboxes().iter().any(waits)
    }

    fn profiles(&self) -> Vec<Wrong> {
        let profiles = self.seen.profiles.iter();
        profiles
            .filter_map(|profile| self.profile(profile))
            .collect()
    }

    fn profile(&self, profile: &GmailServerProfile) -> Option<Wrong> {
        let name = name_of(profile);
        let users = self.seen.mailboxes.iter().filter(|mailbox| {
            let status = mailbox.status.as_ref();
            let used = status.and_then(|status| status.profile.as_ref());
            used.is_some_and(|used| used.name == name.name && used.namespace == name.namespace)
        });
        let about = match users.count() {
            1 => "1 Mailbox".to_owned(),
            n => format!("{n} Mailboxes"),
        };
        let ready = profile::condition(profile.status.as_ref(), ProfileCondition::Ready);
        if ready.is_some_and(|ready| ready.status == "True") {
            return None;
        }
        Some(Wrong::of(ready, name.to_string(), about))
    }

    fn mailboxes(&self) -> Vec<Wrong> {
        let mailboxes = self.seen.mailboxes.iter();
        mailboxes
            .filter_map(|mailbox| self.mailbox(mailbox))
            .collect()
    }

    fn mailbox(&self, mailbox: &Mailbox) -> Option<Wrong> {
        let ready = condition(mailbox, MailboxCondition::Ready);
        let name = match self.namespace {
            Some(_) => mailbox.name_any(),
            None => name_of(mailbox).to_string(),
        };
        let wrong = Wrong::of(ready, name, mailbox.spec.email_address.clone());
        let right = ready.is_some_and(|ready| ready.status == "True");
        // A mailbox that works and has a reason with somebody to act will not work for long.
        let fine = right && wrong.who.is_none_or(|who| who == Actor::Nobody);
        (!fine).then_some(wrong)
    }

    fn rows<W: std::borrow::Borrow<Wrong>>(&self, head: &[&str], all: &[W]) -> Vec<Row> {
        let mut rows = vec![Row::plain(head)];
        rows.extend(all.iter().map(|wrong| {
            let wrong = wrong.borrow();
            let tone = match wrong.who {
                Some(Actor::Nobody) => Tone::Open,
                _ => Tone::Bad,
            };
            let since = wrong.since.map(|since| between(since, self.now));
            Row::toned(&[
                (&wrong.name, Tone::Plain),
                (&wrong.about, Tone::Plain),
                (&wrong.reason, tone),
                (since.as_deref().unwrap_or("-"), Tone::Plain),
            ])
            .with_text(&wrong.message)
        }));
        rows
    }
}

impl Wrong {
    /// What `ready` says of the object; without it nobody has looked at it.
    fn of(
        ready: Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition>,
        name: String,
        about: String,
    ) -> Self {
        match ready {
            Some(ready) => Self {
                name,
                about,
                who: reason(ready).map(|reason| match reason.who() {
                    // Whoever wrote a Mailbox is the app team.
                    Actor::Author => Actor::AppTeam,
                    who => who,
                }),
                reason: ready.reason.clone(),
                since: Some(ready.last_transition_time.0),
                message: match ready.status.as_str() {
                    "True" => ready.message.clone(),
                    _ => with_again(&ready.message, reason(ready)),
                },
            },
            None => Self {
                name,
                about,
                who: Some(Actor::Nobody),
                reason: "-".to_owned(),
                since: None,
                message: "The operator has not looked at it yet: does it run, and does it look after this namespace?".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kubectl::page::Look;

    fn object<T: serde::de::DeserializeOwned>(
        kind: &str,
        name: &str,
        status: &str,
        reason: &str,
    ) -> T {
        let mut object = json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": kind,
            "metadata": { "name": name, "namespace": "crm" },
            "spec": {},
            "status": { "conditions": [{
                "type": "Ready", "status": status, "reason": reason,
                "message": format!("About {name}."), "lastTransitionTime": "2026-01-01T00:00:00Z",
            }] },
        });
        if kind == "Mailbox" {
            object["spec"] = json!({ "emailAddress": format!("{name}@example.com") });
            object["status"]["profile"] = json!({ "name": "google", "namespace": "crm" });
        }
        if status.is_empty() {
            object["status"] = Value::Null;
        }
        serde_json::from_value(object).unwrap_or_else(|error| panic!("{error}"))
    }

    fn said(seen: &Seen, namespace: Option<&str>) -> (String, bool) {
        let overview = Overview {
            seen,
            namespace,
            now: "2026-01-04T00:00:00Z".parse().unwrap_or_default(),
        };
        let text = overview.page().render(Look {
            styled: false,
            width: None,
        });
        (text, overview.waits_for_somebody())
    }

    #[test]
    fn each_is_under_who_must_act() {
        let mailbox =
            |name: &str, status: &str, reason: &str| object("Mailbox", name, status, reason);
        let seen = Seen {
            mailboxes: vec![
                mailbox("works", "True", "Enabled"),
                mailbox("ends", "True", "SignInEndsSoon"),
                mailbox("invalid", "False", "InvalidSpec"),
                mailbox("held", "False", "ProfileNotReady"),
                mailbox("blocked", "False", "LoginRefused"),
                mailbox("tested", "False", "Testing"),
                mailbox("future", "False", "AReasonOfTheFuture"),
                mailbox("new", "", ""),
                mailbox("newer", "True", "AReasonOfTheFuture"),
            ],
            profiles: vec![
                object("GmailServerProfile", "google", "False", "ClientDeleted"),
                object(
                    "GmailServerProfile",
                    "other",
                    "True",
                    "ProfileReadyInTesting",
                ),
            ],
        };
        let (text, waits) = said(&seen, Some("crm"));
        let wanted = "\
Profiles that are not Ready: they explain many Mailboxes
  PROFILE      USED BY       REASON          SINCE
  crm/google   8 Mailboxes   ClientDeleted   3d
      About google. It is tried again in ten minutes to an hour.

Platform admin: 1
  MAILBOX   ADDRESS            REASON            SINCE
  held      held@example.com   ProfileNotReady   3d
      About held.

Google Workspace admin: 1
  MAILBOX   ADDRESS               REASON         SINCE
  blocked   blocked@example.com   LoginRefused   3d
      About blocked. It is tried again in some hours, or when a test is asked for.

App team: 1
  MAILBOX   ADDRESS               REASON        SINCE
  invalid   invalid@example.com   InvalidSpec   3d
      About invalid.

Mailbox user (`kubectl gmail link NAME` writes the mail to send): 1
  MAILBOX   ADDRESS            REASON           SINCE
  ends      ends@example.com   SignInEndsSoon   3d
      About ends.

Whoever the message names: 1
  MAILBOX   ADDRESS              REASON               SINCE
  future    future@example.com   AReasonOfTheFuture   3d
      About future.

Nobody: these wait for what goes on by itself: 2
  MAILBOX   ADDRESS              REASON    SINCE
  tested    tested@example.com   Testing   3d
      About tested.
  new       new@example.com      -         -
      The operator has not looked at it yet: does it run, and does it look after this namespace?

3 of 9 are enabled in the namespace crm.
";
        assert_eq!(text, wanted);
        assert!(waits);
        let (text, _) = said(&seen, None);
        assert!(text.contains("  crm/held "), "{text}");
        assert!(text.contains("enabled in the cluster."), "{text}");
    }

    #[test]
    fn what_only_waits_calls_nobody() {
        let seen = |mailboxes: Vec<Mailbox>, profiles| Seen {
            mailboxes,
            profiles,
        };
        let waiting = object("Mailbox", "tested", "False", "Testing");
        let (_, waits) = said(&seen(vec![waiting], Vec::new()), None);
        assert!(!waits);
        let (text, waits) = said(&seen(Vec::new(), Vec::new()), Some("crm"));
        assert_eq!(text, "There are no Mailboxes in the namespace crm.\n");
        assert!(!waits);
        let profile = object("GmailServerProfile", "google", "False", "ClientDeleted");
        assert!(said(&seen(Vec::new(), vec![profile]), None).1);
    }
}
