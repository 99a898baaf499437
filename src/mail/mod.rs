//! Mail servers, each spoken to as far as a test of a mailbox needs: log in with a token, open the
//! inbox, send one message, find it, put it away. Nothing else of a mailbox is read or changed.
//!
//! What a server says comes back as a [`Failure`](crate::domain::failure::Failure) of the failure
//! table, with its words made safe.

mod imap;
mod message;
mod peer;
mod pop3;
mod protocol;
mod sasl;
mod smtp;
mod talk;
mod wire;
mod wording;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod stage;

#[cfg(test)]
mod faults;
#[cfg(any(test, fuzzing))]
pub mod played;

pub use imap::{Folder, ImapSession, NotMoved};
pub use message::{NotComposed, compose};
pub use pop3::Pop3Session;
pub use sasl::Xoauth2;
pub use smtp::{NotTaken, SmtpSession};

use crate::domain::secret::AccessToken;

/// Who logs in, with what.
#[derive(Clone, Copy, Debug)]
pub struct MailAccount<'a> {
    /// The address of the Google account that signed in.
    pub user: &'a str,
    /// Its access token, with the scope `https://mail.google.com/`.
    pub token: &'a AccessToken,
}
