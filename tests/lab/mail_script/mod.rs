//! Gmail's mail servers, played from a script: their true words and order of checks over IMAP, POP3 and SMTP, with a
//! small mailbox behind them for each account, and faults that can be switched while they run.
//!
//! What real servers here can be made to say is tested with Dovecot; this is for the rest. Two kinds of [`Fault`] keep a
//! hundred Mailboxes on one server apart: an account's, which begins with its login, and a [`Door`]'s, for all that comes
//! before a server can know who is there.
//!
//! Nothing but a message that came in over this SMTP may be changed, and that only by moving it: every other change that
//! a client asks for is kept, and fails the test when the servers are dropped.

#![allow(
    unused_imports,
    reason = "each program that uses the lab uses another part of it"
)]

mod certificates;
mod door;
mod fault;
mod imap;
mod login;
mod pop3;
mod post;
mod rules;
mod smtp;
mod talk;

use std::sync::Arc;

use anyhow::Result;

use super::Lab;

pub use certificates::Certificate;
pub use door::{Door, Entry};
pub use fault::{Act, At, Fault, fault};
pub use login::Offers;
pub use post::{Delivery, Folder, Post};

use certificates::Certificates;

/// What is spoken at a door.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// As imap.gmail.com:993.
    Imap,
    /// As pop.gmail.com:995.
    Pop3,
    /// As smtp.gmail.com:465.
    Smtp,
    /// As smtp.gmail.com:587: in the clear until STARTTLS.
    Submission,
}

/// One server for each protocol, and as many further doors as a test opens. They live as long as the test's runtime.
pub struct MailScript {
    /// All accounts, over all doors.
    pub post: Arc<Post>,
    /// IMAP.
    pub imap: Door,
    /// POP3.
    pub pop3: Door,
    /// SMTP over TLS.
    pub smtp: Door,
    certificates: Arc<Certificates>,
}

impl MailScript {
    /// Starts all of them, without a fault.
    pub async fn start(lab: &Lab) -> Result<MailScript> {
        let certificates = Arc::new(Certificates::new(&lab.tls)?);
        let post = Arc::new(Post::default());
        let open = |protocol| Door::open(protocol, post.clone(), certificates.clone());
        let (imap, pop3, smtp) = (
            open(Protocol::Imap).await?,
            open(Protocol::Pop3).await?,
            open(Protocol::Smtp).await?,
        );
        Ok(MailScript {
            post,
            imap,
            pop3,
            smtp,
            certificates,
        })
    }

    /// One more server, with the same accounts.
    pub async fn door(&self, protocol: Protocol) -> Result<Door> {
        Door::open(protocol, self.post.clone(), self.certificates.clone()).await
    }

    /// The authority, in PEM, behind [`Certificate::UnknownIssuer`].
    pub fn unknown_authority(&self) -> &str {
        self.certificates.unknown_authority()
    }
}

impl Drop for MailScript {
    fn drop(&mut self) {
        let broken = self.post.broken_rules();
        if !std::thread::panicking() {
            assert!(broken.is_empty(), "mail of others was changed: {broken:#?}");
        }
    }
}
