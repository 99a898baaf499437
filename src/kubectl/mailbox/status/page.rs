//! The page about one Mailbox.

use jiff::Timestamp;

use super::next::Next;
use crate::api::{
    DirectionState, DirectionStatus, GmailServerProfile, Mailbox, MailboxCondition, MailboxStatus,
    Method, ProfileCondition, Reason, TestRequestedBy, TestStep,
};
use crate::domain::name::ObjectName;
use crate::domain::verdict::explain;
use crate::kubectl::conditions::{reason, tone, who, with_again};
use crate::kubectl::mailbox::condition;
use crate::kubectl::page::{Page, Row, Tone};
use crate::kubectl::profile;
use crate::kubectl::time::{between, date};

/// What is shown.
pub struct Shown<'a> {
    /// The Mailbox.
    pub name: &'a ObjectName,
    /// Its spec and status.
    pub mailbox: &'a Mailbox,
    /// Its profile, where whoever looks may read it.
    pub profile: Option<&'a GmailServerProfile>,
    /// What to do next.
    pub next: &'a Next,
    /// Now.
    pub now: Timestamp,
}

impl Shown<'_> {
    /// Everything that is asked about a Mailbox.
    pub fn page(&self) -> Page {
        let mut page = Page::new();
        self.summary(&mut page);
        self.sign_in(&mut page);
        self.profile(&mut page);
        self.directions(&mut page);
        self.errors(&mut page);
        self.conditions(&mut page);
        page.heading("What to do next").text(&self.next.to_string());
        page
    }

    fn status(&self) -> Option<&MailboxStatus> {
        self.mailbox.status.as_ref()
    }

    fn summary(&self, page: &mut Page) {
        let spec = &self.mailbox.spec;
        page.heading(&format!("Mailbox {} ({})", self.name, spec.email_address));
        let ready = condition(self.mailbox, MailboxCondition::Ready);
        page.text(&match ready {
            Some(ready) if ready.status == "True" => format!("Ready: {}", ready.message),
            Some(ready) => format!(
                "Not Ready since {} ({}): {}",
                date(ready.last_transition_time.0),
                ready.reason,
                with_again(&ready.message, reason(ready))
            ),
            None => "Nothing is said of it yet.".to_owned(),
        });
        let observed = self.status().and_then(|status| status.observed_generation);
        if observed.is_some() && observed < self.mailbox.metadata.generation {
            page.text("The spec has been changed since: the operator has not looked at it yet.");
        }
        if let Some(purpose) = &spec.purpose {
            page.fields([("Purpose", purpose)]);
        }
    }

    fn sign_in(&self, page: &mut Page) {
        let sign_in = self.status().and_then(|status| status.sign_in.clone());
        let sign_in = sign_in.unwrap_or_default();
        page.heading("Sign-in");
        let mut fields = Vec::new();
        match (&sign_in.account, &sign_in.signed_in_at) {
            (Some(account), at) => {
                fields.push(("Account", account.clone()));
                if let Some(at) = at {
                    fields.push(("Signed in", self.ago(at.0)));
                }
                fields.push((
                    "Ends",
                    match &sign_in.expires_at {
                        Some(at) if at.0 > self.now => {
                            format!("{} (in {})", date(at.0), between(self.now, at.0))
                        }
                        Some(at) => format!("{}, which is over", date(at.0)),
                        None => "no end is known".to_owned(),
                    },
                ));
                fields.push((
                    "Allowed",
                    "kept with the grant in the operator's namespace, which this command does not read; its owner sees it at https://myaccount.google.com/connections".to_owned(),
                ));
            }
            (None, _) => fields.push(("Account", "nobody is signed in".to_owned())),
        }
        if let Some(account) = &self.mailbox.spec.google_account {
            fields.push(("Only for", account.clone()));
        }
        if let Some(attempt) = &sign_in.last_attempt {
            fields.push((
                "Last refused",
                format!(
                    "{}: {} ({})",
                    self.ago(attempt.at.0),
                    attempt.reason.meaning(),
                    attempt.reason
                ),
            ));
        }
        fields.push((
            "Page",
            sign_in.url.unwrap_or_else(|| {
                "the operator has no --public-url: through a port-forward".to_owned()
            }),
        ));
        page.fields(fields);
    }

    fn profile(&self, page: &mut Page) {
        let in_use = self.status().and_then(|status| status.profile_name.clone());
        let mut fields = vec![(
            "Name",
            in_use
                .clone()
                .unwrap_or_else(|| "none serves it".to_owned()),
        )];
        match self.profile {
            Some(profile) => {
                let ready = profile::condition(profile.status.as_ref(), ProfileCondition::Ready);
                fields.push((
                    "State",
                    match ready {
                        Some(ready) if ready.status == "True" => "Ready".to_owned(),
                        Some(ready) => format!("not Ready ({}): {}", ready.reason, ready.message),
                        None => "nothing is said of it yet".to_owned(),
                    },
                ));
                if let Some(contact) = &profile.spec.contact {
                    fields.push(("Contact", contact.clone()));
                }
            }
            None if in_use.is_some() => {
                fields.push(("State", "you may not read it, or it is gone".to_owned()));
            }
            None => {}
        }
        page.heading("Profile").fields(fields);
    }

    fn directions(&self, page: &mut Page) {
        let spec = &self.mailbox.spec;
        let mut rows = vec![Row::plain(&[
            "DIRECTION",
            "METHOD",
            "STATE",
            "ENABLED",
            "TESTED",
        ])];
        for (name, method, direction) in [
            (
                "Incoming",
                spec.incoming.method,
                self.status().and_then(|status| status.incoming.as_ref()),
            ),
            (
                "Outgoing",
                spec.outgoing.method,
                self.status().and_then(|status| status.outgoing.as_ref()),
            ),
        ] {
            rows.push(self.direction(name, method, direction));
        }
        page.heading("Directions").rows(rows);
        let mut fields = vec![("Newest test", self.test())];
        if let Some(remark) = self.remark() {
            fields.push(("It noticed", remark));
        }
        if let Some(wanted) = &spec.access_token_secret {
            let binding = self.status().and_then(|status| status.binding.as_ref());
            fields.push((
                "Access token",
                match binding {
                    Some(binding) if binding.name == wanted.name => {
                        format!("in the Secret {}", binding.name.0)
                    }
                    _ => format!("not in the Secret {} yet", wanted.name.0),
                },
            ));
        }
        page.fields(fields);
    }

    fn direction(&self, name: &str, method: Method, direction: Option<&DirectionStatus>) -> Row {
        let method = match method {
            Method::ServerSideSync => "ServerSideSync",
            Method::External => "External",
            Method::None => "None",
        };
        let state = direction.map_or(DirectionState::NotRun, |direction| direction.state);
        let (state, tone) = match state {
            DirectionState::NotUsed => ("NotUsed", Tone::Plain),
            DirectionState::NotRun => ("NotRun", Tone::Open),
            DirectionState::Running => ("Running", Tone::Open),
            DirectionState::Success => ("Success", Tone::Good),
            DirectionState::Failure => ("Failure", Tone::Bad),
        };
        let enabled = direction.is_some_and(|direction| direction.enabled);
        let tested = direction.and_then(|direction| direction.tested_at.as_ref());
        let tested = tested.map_or_else(|| "never".to_owned(), |at| self.ago(at.0));
        Row::toned(&[
            (name, Tone::Plain),
            (method, Tone::Plain),
            (state, tone),
            (if enabled { "yes" } else { "no" }, Tone::Plain),
            (&tested, Tone::Plain),
        ])
    }

    fn test(&self) -> String {
        let Some(test) = self.status().and_then(|status| status.test.as_ref()) else {
            return "none yet".to_owned();
        };
        let why = match test.requested_by {
            TestRequestedBy::SignIn => "after the sign-in",
            TestRequestedBy::Change => "after a change",
            TestRequestedBy::Annotation => "asked for by annotation",
            TestRequestedBy::Page => "asked for on the page",
            TestRequestedBy::Schedule => "by schedule",
        };
        let step = match test.step {
            TestStep::Token => "the token",
            TestStep::Incoming => "receiving",
            TestStep::Outgoing => "sending",
            TestStep::RoundTrip => "a message to itself",
        };
        match &test.finished_at {
            Some(at) => format!("{why}, ended {}; its last step was {step}", self.ago(at.0)),
            None => format!("{why}, running since {}: {step}", date(test.started_at.0)),
        }
    }

    /// What the newest test noticed although nothing failed.
    fn remark(&self) -> Option<String> {
        let status = self.status()?;
        let mut directions = [&status.outgoing, &status.incoming].into_iter().flatten();
        let noticed = directions.find(|direction| direction.remark.is_some())?;
        let remark = noticed.remark?;
        let words = noticed.remark_message.clone();
        let words = words.unwrap_or_else(|| explain(remark, ""));
        Some(format!("{words} ({remark})"))
    }

    fn errors(&self, page: &mut Page) {
        let status = self.status();
        let mut rows = vec![Row::plain(&["DIRECTION", "FIRST SEEN", "REASON"])];
        for (name, direction) in [
            ("Incoming", status.and_then(|s| s.incoming.as_ref())),
            ("Outgoing", status.and_then(|s| s.outgoing.as_ref())),
        ] {
            let Some(direction) = direction else { continue };
            let Some(error) = &direction.last_error else {
                continue;
            };
            let over = match direction.state {
                DirectionState::Success => " (it is over)",
                _ => "",
            };
            let words = error.server_reply.as_ref();
            let words = words.map_or_else(String::new, |w| format!(" The server said: {w}"));
            rows.push(
                Row::plain(&[
                    name,
                    &self.ago(error.at.0),
                    &format!("{}{over}", error.reason),
                ])
                .with_text(&format!("{}{words}", error.message)),
            );
        }
        if rows.len() > 1 {
            page.heading("Last errors").rows(rows);
        }
    }

    fn conditions(&self, page: &mut Page) {
        let conditions = self.status().map(|status| status.conditions.as_slice());
        let mut wrong = conditions
            .unwrap_or_default()
            .iter()
            .filter(|c| c.status != "True" && c.reason != Reason::NotUsed.name())
            .peekable();
        if wrong.peek().is_none() {
            return;
        }
        let mut rows = vec![Row::plain(&["TYPE", "STATUS", "REASON", "WHO MUST ACT"])];
        rows.extend(wrong.map(|condition| {
            let row = Row::toned(&[
                (&condition.type_, Tone::Plain),
                (&condition.status, tone(condition)),
                (&condition.reason, Tone::Plain),
                (who(condition), Tone::Plain),
            ]);
            // Ready repeats another one, and stands at the top.
            match condition.type_ == MailboxCondition::Ready.name() {
                true => row,
                false => row.with_text(&with_again(&condition.message, reason(condition))),
            }
        }));
        page.heading("Conditions that are not right").rows(rows);
    }

    fn ago(&self, time: Timestamp) -> String {
        format!("{} ({} ago)", date(time), between(time, self.now))
    }
}
