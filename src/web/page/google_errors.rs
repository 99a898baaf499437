use maud::{Markup, html};

use crate::domain::google_pages::google_pages;

/// What Google's own pages say and mean, folded up. `account` signs in; whether somebody to ask is
/// named above.
pub(super) fn list(account: &str, contact: Option<&str>) -> Markup {
    let contact = match contact {
        Some(_) => "the contact above",
        None => "whoever sent you the link",
    };
    html! {
        details {
            summary { "If Google shows an error" }
            dl.errors {
                @for page in google_pages(account, contact, None) {
                    dt { (page.says) } dd { bdi { (page.means) } }
                }
            }
        }
    }
}
