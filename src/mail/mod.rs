//! Mail servers, each spoken to as far as a test of a mailbox needs: log in with XOAUTH2, open the
//! inbox, send one message, find it, put it away. Nothing else of a mailbox is read or changed.
//!
//! What a server says comes back as a [`Failure`](crate::domain::failure::Failure) of the failure
//! table, with its words made safe.

mod imap;
mod message;
mod peer;
mod smtp;
mod wire;
mod xoauth2;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod stage;

pub use imap::{ImapSession, Uid};
pub use message::{NotComposed, compose};
pub use smtp::{NotTaken, SmtpSession};
pub use xoauth2::Xoauth2;

use crate::domain::secret::AccessToken;

/// Who logs in, with what.
#[derive(Clone, Copy, Debug)]
pub struct MailAccount<'a> {
    /// The address of the Google account that signed in.
    pub user: &'a str,
    /// Its access token, with the scope `https://mail.google.com/`.
    pub token: &'a AccessToken,
}
