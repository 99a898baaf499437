//! The pages in HTML: they work without scripts, on a phone, and in the dark. `maud` escapes what
//! is put in; texts of others are in `bdi`, so that none can turn the direction of ours.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::words::Words;

/// The one stylesheet. It is in each page, and allowed there by its hash.
pub(super) const STYLE: &str = include_str!("style.css");

/// Where people take an app's access back (support.google.com/accounts/answer/13533235).
const CONNECTIONS: &str = "https://myaccount.google.com/connections";

pub(super) fn layout(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
}

/// A heading and a sentence.
pub(super) fn plain(title: &str, text: &str, back: Option<&str>) -> Markup {
    html! {
        h1 { (title) }
        p { (text) }
        @if let Some(back) = back { p { a href=(back) { "Back to the sign-in page" } } }
    }
}

/// The page that a sign-in link opens.
pub(super) struct SignIn<'a> {
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
    pub connected: bool,
    /// Where the button leads; else why there is none.
    pub action: Result<&'a str, Words>,
}

impl SignIn<'_> {
    pub fn body(&self) -> Markup {
        html! {
            @if self.connected {
                h1 { bdi { (self.address) } " is connected" }
            } @else {
                h1 { "Connect " bdi { (self.address) } }
            }
            p {
                "The Mailbox " strong { (self.name) } " in the namespace " strong { (self.namespace) }
                @if let Some(cluster) = self.cluster { " of the cluster " strong { bdi { (cluster) } } }
                @if self.connected { " has access to this mailbox." }
                @else { " asks the owner of this mailbox for access to it." }
            }
            @if self.connected && self.action.is_ok() {
                p.note role="status" { "There is nothing more to do here: you may close this page." }
            }
            @if let Err(words) = &self.action { (self.closed(words)) }
            dl {
                @if let Some(account) = self.account { (row("Sign in as", account)) }
                @if let Some(purpose) = self.purpose { (row("Purpose, in the words of those who ask", purpose)) }
                @if let Some(name) = self.app_name { (row("Application, as Google will show it", name)) }
                @if let Some(contact) = self.contact { (row("Contact", contact)) }
                @if !self.connected { (row("Connected", "No")) }
            }
            h2 { "What is done with the mail" }
            ul { @for text in &self.uses { li { (text) } } }
            @if let Ok(action) = self.action { (self.button(action)) }
        }
    }

    fn button(&self, action: &str) -> Markup {
        html! {
            h2 { @if self.connected { "Sign in again" } @else { "Before you go on" } }
            p {
                "Google will ask you to let the application read, compose, send and permanently delete all of "
                "your mail: Gmail has no smaller permission for this. Go on only if you know who asks and "
                "expected it. A genuine link can reach you from the wrong person."
            }
            p {
                "You can take the access back at any time, in your "
                a href=(CONNECTIONS) rel="noreferrer" { "Google Account" } "."
            }
            form method="post" action=(action) { button.again[self.connected] type="submit" { "Sign in with Google" } }
        }
    }

    fn closed(&self, words: &Words) -> Markup {
        html! {
            div.note role="status" {
                p { strong { "Signing in is not possible now." } " " (words.meaning) "." }
                p { "Whom to ask: " (words.who) "." (reach(self.contact)) }
            }
        }
    }
}

/// A sign-in that was refused.
pub(super) struct Refusal<'a> {
    pub words: Words,
    pub contact: Option<&'a str>,
    pub back: &'a str,
    /// For an account that is not the right one.
    pub wrong: Option<WrongAccount<'a>>,
}

/// Who signed in, for whom. Only that person reads it.
pub(super) struct WrongAccount<'a> {
    pub signed_in: &'a str,
    pub expected: &'a str,
}

impl Refusal<'_> {
    pub fn body(&self) -> Markup {
        html! {
            h1 { "The mailbox was not connected" }
            p { (self.words.meaning) "." }
            @if let Some(wrong) = &self.wrong {
                p {
                    "You signed in as " strong { bdi { (wrong.signed_in) } } ", but this Mailbox is for "
                    strong { bdi { (wrong.expected) } } "."
                }
            }
            @if !self.words.cure.is_empty() { p { "What to do: " (self.words.cure) "." } }
            @if let Some(wrong) = &self.wrong {
                p {
                    "If " bdi { (wrong.expected) } " is an alias of your account, ask the team that wrote the "
                    "Mailbox to set " code { "spec.googleAccount" } " to the account that signs in."
                }
            }
            p { "Who can do it: " (self.words.who) "." (reach(self.contact)) }
            p { "Nothing was stored. If the mailbox was connected before, it still is." }
            p { a href=(self.back) { "Back to the sign-in page" } }
        }
    }
}

fn reach(contact: Option<&str>) -> Markup {
    html! { @if let Some(contact) = contact { " Contact: " bdi { (contact) } "." } }
}

fn row(term: &str, text: &str) -> Markup {
    html! { dt { (term) } dd { bdi { (text) } } }
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;
    use crate::api::Reason;

    const HOSTILE: &str = "\"><script>alert(1)</script><form action='https://evil'>&#x3c;\u{202e}";

    fn page(action: Result<&str, Words>) -> String {
        let page = SignIn {
            cluster: Some(HOSTILE),
            namespace: HOSTILE,
            name: HOSTILE,
            address: HOSTILE,
            account: Some(HOSTILE),
            purpose: Some(HOSTILE),
            app_name: Some(HOSTILE),
            contact: Some(HOSTILE),
            uses: vec![HOSTILE.to_owned()],
            connected: false,
            action,
        };
        layout(HOSTILE, page.body()).into_string()
    }

    fn count(text: &str, what: &str) -> usize {
        text.matches(what).count()
    }

    #[test]
    fn nobodys_words_become_html() {
        let open = page(Ok("/signin/a/b/c"));
        let closed = page(Err(words::of(Reason::ProfileNotReady)));
        let refusal = Refusal {
            words: words::of(Reason::WrongAccount),
            contact: Some(HOSTILE),
            back: "/signin/a/b/c",
            wrong: Some(WrongAccount {
                signed_in: HOSTILE,
                expected: HOSTILE,
            }),
        };
        let refused = layout("x", refusal.body()).into_string();
        for text in [&open, &closed, &refused] {
            assert_eq!(count(text, "<script") + count(text, "evil'>"), 0, "{text}");
            assert_eq!(count(text, "<bdi>"), count(text, "</bdi>"));
        }
        assert_eq!((count(&open, "<form"), count(&open, "<button")), (1, 1));
        assert_eq!(count(&closed, "<form") + count(&closed, "<button"), 0);
        assert!(closed.contains("platform admin"), "{closed}");
    }

    #[test]
    fn no_style_is_cut_short_by_its_own_end() {
        assert!(!STYLE.contains("</") && !STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
