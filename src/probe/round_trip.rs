use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};

use super::{ProbeWaits, Prober, Subject};
use crate::domain::address::EmailAddress;
use crate::domain::failure::{Failure, FailureKind};
use crate::mail::{ImapSession, SmtpSession};

/// A round trip that is ready to begin: logged in over IMAP, where that is possible.
pub struct RoundTrip {
    incoming: Result<ImapSession, Failure>,
    waits: ProbeWaits,
    _slot: Option<OwnedSemaphorePermit>,
}

/// A round trip's message.
pub struct Parcel<'a> {
    /// From whom, and to whom.
    pub address: &'a EmailAddress,
    /// The account that sends it.
    pub sender: &'a EmailAddress,
    /// Its Message-ID.
    pub message_id: &'a str,
    /// All of it (RFC 5322).
    pub message: &'a [u8],
}

/// What is known of the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// It was found in the inbox.
    Found,
    /// It was sent, but IMAP does not let us look for it.
    CannotLook,
}

impl Prober {
    /// Logs in over IMAP, to look for a message.
    ///
    /// # Errors
    /// The [`Failure`] where no connection can be prepared at all.
    pub async fn round_trip(&self, subject: &Subject<'_>) -> Result<RoundTrip, Failure> {
        let slot = self
            .slots
            .take(subject.profile, subject.max_connections)
            .await;
        let mut incoming = ImapSession::open(
            &self.dialer(subject)?,
            &subject.servers.imap,
            subject.account(),
        )
        .await;
        if let Ok(session) = &mut incoming
            && let Err(failure) = session.examine_inbox().await
        {
            incoming = Err(failure);
        }
        Ok(RoundTrip {
            incoming,
            waits: self.waits,
            _slot: slot,
        })
    }

    /// Logs in over SMTP, to send one.
    ///
    /// # Errors
    /// The [`Failure`], told apart.
    pub async fn sender(&self, subject: &Subject<'_>) -> Result<SmtpSession, Failure> {
        let servers = subject.servers;
        SmtpSession::open(
            &self.dialer(subject)?,
            &servers.smtp,
            servers.smtp_security,
            subject.account(),
        )
        .await
    }
}

impl RoundTrip {
    /// Sends the message and looks for it.
    ///
    /// # Errors
    /// The [`Failure`] of the sending, or that the message did not arrive in time.
    pub async fn send_and_find(
        self,
        mut sender: SmtpSession,
        parcel: &Parcel<'_>,
    ) -> Result<(Arrival, Option<ImapSession>), Failure> {
        let sent = sender
            .send(parcel.sender, parcel.address, parcel.message)
            .await;
        sender.quit().await;
        sent?;
        self.find(parcel.message_id).await
    }

    /// Looks for the message until its time is over. The session comes back for what follows.
    ///
    /// # Errors
    /// The [`Failure`] of the looking, or that the message did not arrive in time.
    pub async fn find(self, message_id: &str) -> Result<(Arrival, Option<ImapSession>), Failure> {
        let Ok(mut session) = self.incoming else {
            return Ok((Arrival::CannotLook, None));
        };
        let deadline = Instant::now() + self.waits.arrival;
        loop {
            if session.find(message_id).await?.is_some() {
                return Ok((Arrival::Found, Some(session)));
            }
            if Instant::now() >= deadline {
                session.logout().await;
                return Err(Failure {
                    kind: FailureKind::MessageNotArrived,
                    doing: format!("looking in INBOX for {} s", self.waits.arrival.as_secs()),
                    detail: String::new(),
                    reply: None,
                });
            }
            sleep(self.waits.look).await;
        }
    }
}
