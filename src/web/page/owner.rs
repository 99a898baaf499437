use maud::{Markup, html};

use super::{button, reach};
use crate::web::progress::{Overall, Progress, State, Step, Trouble, What};
use crate::web::words;

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
                html! { p { "This takes up to a minute. You can watch, or close this page." } }
            }
            Overall::Works => {
                html! { p { "There is nothing more to do here: you may close this page." } }
            }
            Overall::Fails => html! {
                p { "It is tried again by itself where that may help. What each step needs is said below." }
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
        }
    }
}

fn what(what: What) -> &'static str {
    match what {
        What::Access => "Permission from Google:",
        What::Incoming => "Receiving mail:",
        What::Outgoing => "Sending mail:",
        What::RoundTrip => "A message from the mailbox to itself:",
    }
}

fn explained(trouble: &Trouble, contact: Option<&str>) -> Markup {
    let words = words::of(trouble.reason);
    html! {
        p { (words.meaning) "." @if !words.cure.is_empty() { " What to do: " (words.cure) "." } }
        p { "Who can do it: " (words.who) "." (reach(contact)) }
        @if let Some(reply) = &trouble.reply {
            details { summary { "What the server said" } p { code { bdi { (reply) } } } }
        }
        p.small { "Reason: " code { (trouble.reason.name()) } }
    }
}
