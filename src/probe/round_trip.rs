use tokio::time::{Instant, sleep};

use super::{Prober, Slot, Subject};
use crate::api::Reason;
use crate::domain::address::EmailAddress;
use crate::domain::failure::Failure;
use crate::mail::{Folder, ImapSession, NotTaken, SmtpSession};

/// A round trip's message.
pub struct Parcel<'a> {
    /// From whom, and to whom.
    pub address: &'a EmailAddress,
    /// The account that sends it.
    pub sender: &'a EmailAddress,
    /// All of it (RFC 5322).
    pub message: &'a [u8],
}

/// Logged in over SMTP, with a message still to be sent. The message is looked for afterwards, so
/// that one slot is enough for both connections.
pub struct Sender<'a> {
    session: SmtpSession,
    _slot: &'a mut Slot,
}

/// What was found of the message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Search {
    /// It is in the inbox, or was until it was put away. The failure is of the putting away.
    Found(Option<Failure>),
    /// It did not arrive in time.
    Missing(Failure),
    /// It could not be looked for.
    CannotLook(Failure),
}

impl Prober {
    /// Logs in over SMTP, to send a message.
    ///
    /// # Errors
    /// The [`Failure`], told apart. Nothing has been sent.
    pub async fn sender<'a>(
        &self,
        slot: &'a mut Slot,
        subject: &Subject<'_>,
    ) -> Result<Sender<'a>, Failure> {
        let servers = subject.servers;
        let session = SmtpSession::open(
            &self.dialer(subject)?,
            &servers.smtp,
            servers.smtp_security,
            subject.account(),
        )
        .await?;
        Ok(Sender {
            session,
            _slot: slot,
        })
    }

    /// Looks for a message over IMAP until its time is over, and moves it to Trash if it is to be
    /// put away.
    pub async fn find(
        &self,
        _slot: &mut Slot,
        subject: &Subject<'_>,
        message_id: &str,
        put_away: bool,
    ) -> Search {
        let mut session = match self.inbox(subject).await {
            Ok(session) => session,
            Err(failure) => return Search::CannotLook(failure),
        };
        let deadline = Instant::now() + self.waits.arrival;
        let search = loop {
            match session.find(message_id).await {
                Ok(Some(_)) if put_away => {
                    break Search::Found(
                        session.move_to_trash(Folder::Inbox, message_id).await.err(),
                    );
                }
                Ok(Some(_)) => break Search::Found(None),
                Ok(None) if Instant::now() >= deadline => {
                    break Search::Missing(Failure {
                        reason: Reason::MessageNotArrived,
                        doing: format!("looking in INBOX for {} s", self.waits.arrival.as_secs()),
                        detail: String::new(),
                        reply: None,
                    });
                }
                Ok(None) => sleep(self.waits.look).await,
                Err(failure) => break Search::CannotLook(failure),
            }
        };
        session.logout().await;
        search
    }

    async fn inbox(&self, subject: &Subject<'_>) -> Result<ImapSession, Failure> {
        let mut session = ImapSession::open(
            &self.dialer(subject)?,
            &subject.servers.imap,
            subject.account(),
        )
        .await?;
        session.examine_inbox().await?;
        Ok(session)
    }
}

impl Sender<'_> {
    /// Sends the message and says goodbye.
    ///
    /// # Errors
    /// The [`Failure`], told apart.
    pub async fn send(mut self, parcel: &Parcel<'_>) -> Result<(), Failure> {
        self.session.envelope(parcel.sender, parcel.address).await?;
        let sent = self.session.data(parcel.message).await;
        self.session.quit().await;
        sent.map_err(|(NotTaken::Refused(failure) | NotTaken::Unknown(failure))| failure)
    }
}
