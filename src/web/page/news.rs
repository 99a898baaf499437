use maud::{Markup, html};

use super::reach;
use crate::api::Reason;
use crate::web::outcome::News;
use crate::web::stopped::Refused;
use crate::web::words;

/// What came of the last request, above all else.
pub(super) fn notice(news: &News, expected: &str, contact: Option<&str>) -> Markup {
    match news {
        News::Refused(refused) => refusal(refused, expected, contact),
        News::TestAsked => told(
            "The test begins in a moment, or when a minute has passed since the one before it.",
        ),
        News::TestTooSoon => {
            told("A test was asked for less than a minute ago. Wait a moment before the next one.")
        }
        News::SignedOut => told(
            "You have signed out. The permission is not used any more, and is deleted from the cluster within a moment.",
        ),
        News::Moved => told("The account serves this Mailbox now, and the other one no more."),
        News::Stayed => {
            told("Nothing was changed. The account serves the Mailbox that it served before.")
        }
        News::ProofNeeded => {
            told("Prove first that this mailbox is yours: an hour may have passed since you did.")
        }
        News::NotConnected => told("Nobody is signed in, so there is nothing to test."),
        News::NotAsked => told("That was answered already."),
    }
}

fn told(text: &str) -> Markup {
    html! { p.note role="status" { (text) } }
}

fn refusal(refused: &Refused, expected: &str, contact: Option<&str>) -> Markup {
    let words = words::of(refused.reason);
    html! {
        section.note.bad role="alert" {
            h2 { "You were not signed in" }
            p { (words.meaning) "." }
            @if let Some(detail) = &refused.detail { p { "More exactly: " bdi { (detail) } "." } }
            @if let Some(signed_in) = &refused.signed_in { (wrong_account(signed_in, expected)) }
            @if !words.cure.is_empty() { p { "What to do: " (words.cure) "." } }
            p { "Who can do it: " (words.who) "." (reach(contact)) }
            p { "Nothing was stored. If the mailbox was connected before, it still is." }
            p.small { "Reason: " code { (refused.reason.name()) } }
        }
    }
}

/// Only the person who signed in reads this: the cookie that it comes from is theirs.
fn wrong_account(signed_in: &str, expected: &str) -> Markup {
    html! {
        p {
            "You signed in as " strong { bdi { (signed_in) } } ", but this Mailbox is for "
            strong { bdi { (expected) } } "."
        }
        ul {
            li {
                "If " bdi { (expected) } " is an alias of your account, ask the team that wrote the Mailbox to set "
                code { "spec.googleAccount" } " to the account that signs in."
            }
            li {
                "If it is a group, nobody can sign in as it: a group has no mailbox of its own. Ask for a Mailbox of "
                "an account that gets the group's mail."
            }
            li { "If your browser has several Google accounts, pick the right one on Google's first page." }
        }
    }
}

impl News {
    /// Whether it is bad news, for the page's title.
    pub(super) fn refused(&self) -> Option<Reason> {
        match self {
            News::Refused(refused) => Some(refused.reason),
            _ => None,
        }
    }
}
