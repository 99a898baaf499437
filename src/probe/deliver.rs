use super::{Prober, Slot, Subject};
use crate::domain::address::EmailAddress;
use crate::domain::failure::Failure;
use crate::mail::{NotTaken, SmtpSession};

/// A message to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    /// The account that sends it.
    pub from: &'a EmailAddress,
    /// Who gets it.
    pub to: &'a EmailAddress,
    /// All of it (RFC 5322).
    pub message: &'a [u8],
}

/// What is known of a message after an attempt to send it.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// The server has taken it over.
    Sent,
    /// The server does not have it.
    NotSent(Failure),
    /// The server's last answer did not come, or was not understood: it may have it.
    Unknown(Failure),
    /// The note before it was not made, so it was not sent.
    NotNoted,
}

impl Prober {
    /// Sends `mail` over SMTP. `note` is awaited before DATA, when the server has accepted the
    /// recipient; without its yes nothing is sent.
    pub async fn deliver(
        &self,
        _slot: &mut Slot,
        subject: &Subject<'_>,
        mail: &Mail<'_>,
        note: impl Future<Output = bool>,
    ) -> Delivery {
        let mut session = match self.ready_to_send(subject, mail).await {
            Ok(session) => session,
            Err(failure) => return Delivery::NotSent(failure),
        };
        let delivery = match note.await {
            false => Delivery::NotNoted,
            true => match session.data(mail.message).await {
                Ok(()) => Delivery::Sent,
                Err(NotTaken::Refused(failure)) => Delivery::NotSent(failure),
                Err(NotTaken::Unknown(failure)) => Delivery::Unknown(failure),
            },
        };
        session.quit().await;
        delivery
    }

    async fn ready_to_send(
        &self,
        subject: &Subject<'_>,
        mail: &Mail<'_>,
    ) -> Result<SmtpSession, Failure> {
        let mut session = self.smtp(subject).await?;
        session.envelope(mail.from, mail.to).await?;
        Ok(session)
    }
}
