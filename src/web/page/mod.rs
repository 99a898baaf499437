//! The pages in HTML: they work without scripts, on a phone, and in the dark. `maud` escapes what
//! is put in; texts of others are in `bdi`, so that none can turn the direction of ours.

mod google_errors;
mod landing;
mod news;
mod owner;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(super) use landing::{Asks, Landing, Stage};
pub(super) use owner::Owner;

/// The one stylesheet. It is in each page, and allowed there by its hash.
pub(super) const STYLE: &str = include_str!("style.css");
/// The one script, in a page that changes by itself.
pub(super) const SCRIPT: &str = include_str!("live.js");

/// How often a page that changes is loaded again where scripts do not run, in seconds.
const RELOAD: u8 = 4;

/// Whether a page changes by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Changes {
    /// It is as it is.
    No,
    /// It follows a test.
    Live,
}

pub(super) fn layout(title: &str, changes: Changes, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if changes == Changes::Live {
                    noscript { meta http-equiv="refresh" content=(RELOAD); }
                }
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (body) }
                @if changes == Changes::Live { script { (PreEscaped(SCRIPT)) } }
            }
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

/// How to reach those who run this.
fn reach(contact: Option<&str>) -> Markup {
    html! { @if let Some(contact) = contact { " Contact: " bdi { (contact) } "." } }
}

/// A button that is a form of its own.
fn button(action: &str, class: &str, text: &str) -> Markup {
    html! {
        form method="post" action=(action) { button.(class) type="submit" { (text) } }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
