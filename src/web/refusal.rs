//! The pages of requests that do not get what they ask for, each with its HTTP status.

use axum::http::StatusCode;
use url::Url;

use super::Web;
use super::headers::Page;
use super::link::Link;
use super::page::{self, Changes};
use super::stopped::{NoSignIn, Stopped};
use super::words;
use crate::api::Reason;

impl Stopped {
    /// The page, where nothing is known of a Mailbox.
    pub fn page(&self) -> Page {
        self.page_with(None)
    }

    /// The same with a way back to the sign-in page, where that is known.
    pub fn page_with(&self, back: Option<&Url>) -> Page {
        let (status, title, text) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "The link is not complete, or what it was for is gone. Ask whoever gave it to you for a new one.",
            ),
            Self::OtherOrigin => (
                StatusCode::FORBIDDEN,
                "This did not come from the sign-in page",
                "Open your sign-in link in this browser, and press the button there.",
            ),
            Self::NoSignIn(why) => (
                StatusCode::BAD_REQUEST,
                "Start again from the sign-in page",
                no_sign_in(*why),
            ),
            Self::Refused(refused) => (
                status(refused.reason),
                "Signing in is not possible now",
                words::of(refused.reason).meaning,
            ),
            Self::Cluster(detail) => {
                tracing::warn!(detail, "the API server did not answer a sign-in page");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Try again in a moment",
                    AGAIN,
                )
            }
            Self::Google(detail) => {
                tracing::warn!(detail, "the OAuth server did not answer a sign-in");
                (
                    StatusCode::BAD_GATEWAY,
                    "Try again in a moment",
                    "Google could not be reached from here. Nothing was stored. Open your sign-in link again in a moment.",
                )
            }
        };
        let back = back.map(Url::path);
        Page::new(status, title, Changes::No, page::plain(title, text, back))
    }
}

fn no_sign_in(why: NoSignIn) -> &'static str {
    match why {
        NoSignIn::NotAnAnswer => {
            "This is not an answer of Google's to a sign-in. Nothing was changed. Open your sign-in link again."
        }
        NoSignIn::NoCookie => {
            "This browser has no sign-in open. It was begun in another browser or window, it is over already, or cookies are blocked here. Nothing was changed. Open your sign-in link again, in this browser."
        }
        NoSignIn::OfAnother => {
            "This is the answer to a sign-in that this browser did not begin, or that is over already. Nothing was changed. Open your sign-in link again."
        }
        NoSignIn::Unreadable => {
            "What this browser kept of the sign-in cannot be read any more. Nothing was changed. Open your sign-in link again."
        }
    }
}

/// For a server that cannot answer now.
const AGAIN: &str = "The server cannot answer just now. Nothing was stored. Load this page again in a moment, or open your sign-in link again.";

/// More requests than are answered at once, or one that took too long.
pub(super) fn busy() -> Page {
    let title = "Try again in a moment";
    Page::new(
        StatusCode::SERVICE_UNAVAILABLE,
        title,
        Changes::No,
        page::plain(title, AGAIN, None),
    )
}

/// A request that is larger than any of a browser here.
pub(super) fn too_large(status: StatusCode) -> Page {
    let title = "The request is too large";
    Page::new(
        status,
        title,
        Changes::No,
        page::plain(title, "Open your sign-in link again.", None),
    )
}

impl Web {
    /// The sign-in page of `link`.
    pub(super) fn page_url(&self, link: &Link) -> Url {
        let name = &link.mailbox;
        self.settings
            .public_url
            .sign_in_page(&name.namespace, &name.name, &link.uid)
    }
}

/// 403: the person or an admin said no; 502: Google, or what is set up there, did; 400: the request
/// is not one that can be gone on with.
fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::ConsentLinkInvalid | Reason::ConsentCodeRejected | Reason::ClientChanged => {
            StatusCode::BAD_REQUEST
        }
        Reason::ConsentExchangeFailed
        | Reason::IdentityNotProved
        | Reason::GrantNotProved
        | Reason::NoRefreshToken => StatusCode::BAD_GATEWAY,
        _ => StatusCode::FORBIDDEN,
    }
}
