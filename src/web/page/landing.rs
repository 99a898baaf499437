use axum::http::StatusCode;
use maud::{Markup, html};

use super::news::notice;
use super::owner::Owner;
use super::{Changes, button, google_errors, reach};
use crate::domain::profile::Outsider;
use crate::web::headers::Page;
use crate::web::outcome::News;
use crate::web::words::Words;

/// Where people take an app's access back (support.google.com/accounts/answer/13533235).
const CONNECTIONS: &str = "https://myaccount.google.com/connections";

const USES: &str = "What is done with the mail";

/// The page that a sign-in link opens.
pub(in crate::web) struct Landing<'a> {
    pub asks: Asks<'a>,
    /// The link's path, which its forms begin with.
    pub link: &'a str,
    /// Why there is no button.
    pub closed: Option<Words>,
    /// Why Google will refuse the account, as far as that is known.
    pub outsider: Option<Outsider>,
    /// What came of the last request.
    pub news: Option<News>,
    pub stage: Stage<'a>,
}

/// Who asks, for what.
pub(in crate::web) struct Asks<'a> {
    pub cluster: Option<&'a str>,
    pub namespace: &'a str,
    pub name: &'a str,
    pub address: &'a str,
    /// The account that signs in, where the address is its alias.
    pub account: Option<&'a str>,
    pub purpose: Option<&'a str>,
    pub app_name: Option<&'a str>,
    pub contact: Option<&'a str>,
    pub uses: Vec<String>,
}

/// How far its owner has come.
pub(in crate::web) enum Stage<'a> {
    /// Nobody is signed in.
    Open,
    /// Somebody is; who looks at the page is not known.
    Connected,
    /// The owner looks at it.
    Owner(Owner<'a>),
    /// The owner's account serves another Mailbox: it is this one.
    AskedToMove(&'a str),
}

impl Landing<'_> {
    pub fn page(&self, status: StatusCode) -> Page {
        let changes = match &self.stage {
            Stage::Owner(owner) if owner.is_running() => Changes::Live,
            _ => Changes::No,
        };
        let address = self.asks.address;
        let title = match (&self.stage, self.news.as_ref().and_then(News::refused)) {
            (_, Some(_)) => format!("Not signed in: {address}"),
            (Stage::Open, _) => format!("Connect {address}"),
            (Stage::AskedToMove(_), _) => format!("Move {address} here?"),
            _ => format!("{address} is connected"),
        };
        Page::new(status, &title, changes, self.body())
    }

    fn body(&self) -> Markup {
        let contact = self.asks.contact;
        let expected = self.expected();
        html! {
            h1 { (self.heading()) }
            (self.who())
            @if let Some(news) = &self.news { (notice(news, expected, contact)) }
            @if let Some(words) = &self.closed { (self.closed(words)) }
            @match &self.stage {
                Stage::Owner(owner) => (owner.live(self.link, contact)),
                Stage::AskedToMove(account) => (self.question(account)),
                Stage::Connected if self.closed.is_none() => {
                    p.note { "There is nothing more to do here: you may close this page." }
                }
                _ => {}
            }
            (self.facts())
            @if self.closed.is_none() { (self.sign_in()) }
            @if let Stage::Owner(owner) = &self.stage { (owner.sign_out(self.link)) }
        }
    }

    /// The account that is to sign in.
    fn expected(&self) -> &str {
        self.asks.account.unwrap_or(self.asks.address)
    }

    fn heading(&self) -> Markup {
        let address = html! { bdi { (self.asks.address) } };
        match &self.stage {
            Stage::Open => html! { "Connect " (address) },
            Stage::AskedToMove(_) => html! { "Move the account of " (address) " here?" },
            Stage::Connected | Stage::Owner(_) => html! { (address) " is connected" },
        }
    }

    fn who(&self) -> Markup {
        let Asks {
            name,
            namespace,
            cluster,
            ..
        } = &self.asks;
        html! {
            p {
                "The Mailbox " strong { (name) } " in the namespace " strong { (namespace) }
                @if let Some(cluster) = cluster { " of the cluster " strong { bdi { (cluster) } } }
                @match self.stage {
                    Stage::Connected | Stage::Owner(_) => " has access to this mailbox.",
                    _ => " asks the owner of this mailbox for access to it.",
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let Asks {
            account,
            purpose,
            app_name,
            contact,
            ..
        } = &self.asks;
        html! {
            dl {
                @if let Some(account) = account { (row("Sign in as", account)) }
                @if let Stage::Owner(owner) = &self.stage { (row("Signed in as", owner.account)) }
                @if let Some(purpose) = purpose { (row("Purpose, in the words of those who ask", purpose)) }
                @if let Some(name) = app_name { (row("Application, as Google will show it", name)) }
                @if let Some(contact) = contact { (row("Contact", contact)) }
                @if matches!(self.stage, Stage::Open) { (row("Connected", "No")) }
            }
            @match self.stage {
                Stage::Open | Stage::AskedToMove(_) => { h2 { (USES) } (self.uses()) }
                // Who has agreed already has other things to read first.
                Stage::Connected | Stage::Owner(_) => details { summary { (USES) } (self.uses()) }
            }
        }
    }

    fn uses(&self) -> Markup {
        html! { ul { @for text in &self.asks.uses { li { (text) } } } }
    }

    /// The buttons that lead to Google.
    fn sign_in(&self) -> Markup {
        html! {
            @if matches!(self.stage, Stage::Connected) {
                h2 { "Is it your mailbox?" }
                p {
                    "Prove it to see how it is tested, to test it again, or to sign out. You sign in to Google once "
                    "more, which is asked for nothing but your address."
                }
                (button(&format!("{}/prove", self.link), "again", "Prove it is you"))
            }
            @match self.stage {
                Stage::AskedToMove(_) => {}
                Stage::Open => { h2 { "Before you go on" } (self.consent("first")) }
                Stage::Connected | Stage::Owner(_) => {
                    details { summary { "Sign in again" } (self.consent("again")) }
                }
            }
        }
    }

    /// The button that asks for access to mail, and what has to be known before.
    fn consent(&self, class: &str) -> Markup {
        html! {
            p {
                "Google will ask you to let the application read, compose, send and permanently delete all of "
                "your mail: Gmail has no smaller permission for this. Go on only if you know who asks and "
                "expected it. A genuine link can reach you from the wrong person."
            }
            p {
                "You can take the access back at any time, in your "
                a href=(CONNECTIONS) rel="noreferrer" { "Google Account" } "."
            }
            (self.outsider())
            (button(self.link, class, "Sign in with Google"))
            (google_errors::list(self.expected(), self.asks.contact))
        }
    }

    fn outsider(&self) -> Markup {
        let text = match self.outsider {
            None => return html! {},
            Some(Outsider::NotATestUser) => {
                "Google will refuse this account: the app is in Testing, and the account is not among its test users."
            }
            Some(Outsider::NotInTheOrganisation) => {
                "Google will refuse this account: the app is only for one organisation's accounts, and this is a personal one."
            }
        };
        html! { p.note.bad { (text) " Ask before you go on." (reach(self.asks.contact)) } }
    }

    fn question(&self, account: &str) -> Markup {
        html! {
            section.note {
                p {
                    "You signed in as " strong { bdi { (account) } } ". This account already serves another Mailbox "
                    "here, and one account serves one Mailbox."
                }
                p {
                    "Move it here, and the other Mailbox ends its access and says so to those who use it. Cancel, and "
                    "all stays as it is. Without an answer nothing is changed either."
                }
                (button(&format!("{}/move", self.link), "first", "Move it here"))
                (button(&format!("{}/stay", self.link), "again", "Cancel"))
            }
        }
    }

    fn closed(&self, words: &Words) -> Markup {
        html! {
            div.note.bad role="status" {
                p { strong { "Signing in is not possible now." } " " (words.meaning) "." }
                p { "Whom to ask: " (words.who) "." (reach(self.asks.contact)) }
            }
        }
    }
}

fn row(term: &str, text: &str) -> Markup {
    html! { dt { (term) } dd { bdi { (text) } } }
}
