use maud::{Markup, html};

use super::{button, reach};
use crate::api::{Actor, IncomingProtocol, Reason};
use crate::domain::progress::{State, Step, Trouble, What};
use crate::web::progress::{Overall, Progress};
use crate::web::words::{self, Words};

/// What only a mailbox's owner sees.
pub(in crate::web) struct Owner<'a> {
    /// The account that signed in.
    pub account: &'a str,
    /// How the test is going.
    pub progress: Progress,
}

impl Owner<'_> {
    pub(super) fn is_running(&self) -> bool {
        self.progress.overall == Overall::Running
    }

    /// The part that changes while a test runs.
    pub(super) fn live(&self, link: &str, contact: Option<&str>) -> Markup {
        html! {
            section id="live" aria-live="polite" data-running[self.is_running()] {
                div.state.(self.class()) { h2 { (self.heading()) } (self.lead(contact)) }
                ol.steps { @for step in &self.progress.steps { (row(step, contact)) } }
                // There at all times: what is around it is the same then, and is not read out again.
                div { @if !self.is_running() { (button(&format!("{link}/test"), "again", "Test again")) } }
            }
        }
    }

    /// Whether the test noticed something that asks for its reader.
    fn is_remarkable(&self) -> bool {
        let mut remarks = self.progress.steps.iter().filter_map(|step| step.remark);
        remarks.any(|remark| remark.who() != Actor::Nobody)
    }

    fn class(&self) -> &'static str {
        match self.progress.overall {
            Overall::Running => "running",
            Overall::Works => "works",
            Overall::Fails => "fails",
            Overall::Held(_) => "held",
        }
    }

    fn heading(&self) -> &'static str {
        match self.progress.overall {
            Overall::Running => "The mailbox is being tested",
            Overall::Works => "Everything works",
            Overall::Fails => "Something does not work yet",
            Overall::Held(_) => "The mailbox is not tested now",
        }
    }

    fn lead(&self, contact: Option<&str>) -> Markup {
        match self.progress.overall {
            Overall::Running => {
                html! { p {
                    "This takes up to a minute, and begins a minute after the test before it at the soonest. "
                    "You can watch, or close this page."
                } }
            }
            Overall::Works if self.is_remarkable() => {
                html! { p { "The test noticed something, which is said below." } }
            }
            Overall::Works => {
                html! { p { "There is nothing more to do here: you may close this page." } }
            }
            Overall::Fails => html! {
                p { "What each step needs, and when it is tried again by itself, is said below." }
            },
            Overall::Held(reason) => {
                let words = words::of(reason);
                html! { p { (words.meaning) ". Whom to ask: " (words.who) "." (reach(contact)) } }
            }
        }
    }

    /// Ending the access, and what that means.
    pub(super) fn sign_out(&self, link: &str) -> Markup {
        html! {
            details {
                summary { "Sign out" }
                p {
                    "The permission that " bdi { (self.account) } " gave is used no more and deleted, and those who "
                    "asked can neither read nor send mail with it. The Mailbox stays, and asks for a new sign-in."
                }
                (button(&format!("{link}/sign-out"), "bad", "Sign out"))
            }
        }
    }
}

fn row(step: &Step, contact: Option<&str>) -> Markup {
    let (class, said) = match &step.state {
        State::Waiting => ("waiting", "waiting"),
        State::Running => ("running", "running"),
        State::Works => ("works", "works"),
        State::TriesAgain(_) => ("running", "failed, and is tried again"),
        State::Fails(_) => ("fails", "does not work"),
        State::NotTried => ("waiting", "not tried, since another step failed"),
        State::NotTested => ("waiting", "not tested"),
    };
    html! {
        li.(class) {
            span { (what(step.what)) } " " strong { (said) }
            @if let State::TriesAgain(trouble) | State::Fails(trouble) = &step.state {
                (explained(trouble, contact))
            }
            @if let Some(remark) = step.remark { (remarked(remark, contact)) }
        }
    }
}

fn what(what: What) -> &'static str {
    match what {
        What::Access => "Permission from Google:",
        What::Incoming(IncomingProtocol::Imap) => "Receiving mail:",
        What::Incoming(IncomingProtocol::Pop3) => "Receiving mail over POP3:",
        What::Outgoing => "Sending mail:",
        What::RoundTrip => "A message from the mailbox to itself:",
    }
}

fn explained(trouble: &Trouble, contact: Option<&str>) -> Markup {
    let reason = trouble.reason;
    let words = words::of(reason);
    html! {
        p { (words.meaning) "." (what_to_do(reason, &words)) }
        (whom_to_ask(reason, &words, contact))
        @if let Some(again) = words.again { p { (again) "." } }
        @if let Some(reply) = &trouble.reply {
            details { summary { "What the server said" } p { code { bdi { (reply) } } } }
        }
        p.small { "Reason: " code { (reason.name()) } }
    }
}

/// What was noticed although nothing failed.
fn remarked(remark: Reason, contact: Option<&str>) -> Markup {
    let words = words::of(remark);
    html! {
        p { (words.meaning) "." (what_to_do(remark, &words)) }
        (whom_to_ask(remark, &words, contact))
        p.small { "Noticed: " code { (remark.name()) } }
    }
}

/// What its reader can do, or ask of their own admin; what others do is for them to read.
fn what_to_do(reason: Reason, words: &Words) -> Markup {
    html! {
        @if !words.cure.is_empty() && matches!(reason.who(), Actor::MailboxUser | Actor::WorkspaceAdmin) {
            " What to do: " (words.cure) "."
        }
    }
}

fn whom_to_ask(reason: Reason, words: &Words, contact: Option<&str>) -> Markup {
    html! {
        @match reason.who() {
            Actor::Nobody => {}
            Actor::MailboxUser => p { "Who can do it: " (words.who) "." }
            Actor::WorkspaceAdmin => p { "Who can do it: " (words.who) "." (reach(contact)) }
            Actor::PlatformAdmin | Actor::AppTeam | Actor::Author => {
                p { "Who can do it: " (words.who) "." (reach(contact)) }
                @if !words.cure.is_empty() {
                    details { summary { "What they can do" } p { (words.cure) "." } }
                }
            }
        }
    }
}
