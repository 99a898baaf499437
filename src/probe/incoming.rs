use super::{Prober, Slot, Subject};
use crate::api::IncomingProtocol;
use crate::domain::failure::Failure;
use crate::mail::Folder;

impl Prober {
    /// Can mail be read? Logs in and opens the mailbox: over IMAP the inbox, read-only; over POP3 with
    /// STAT, since a mailbox that is closed to POP3 lets some log in.
    ///
    /// # Errors
    /// The [`Failure`], told apart.
    pub async fn incoming(
        &self,
        slot: &mut Slot,
        subject: &Subject<'_>,
        protocol: IncomingProtocol,
    ) -> Result<(), Failure> {
        match protocol {
            IncomingProtocol::Imap => self.can_look(slot, subject).await,
            IncomingProtocol::Pop3 => self.count(subject).await,
        }
    }

    /// Can the inbox be opened over IMAP, to look for a message there?
    ///
    /// # Errors
    /// The [`Failure`], told apart.
    pub async fn can_look(&self, _slot: &mut Slot, subject: &Subject<'_>) -> Result<(), Failure> {
        let mut session = self.imap(subject).await?;
        let opened = session.open_folder(Folder::Inbox).await;
        session.logout().await;
        opened.map(drop)
    }

    async fn count(&self, subject: &Subject<'_>) -> Result<(), Failure> {
        let mut session = self.pop3(subject).await?;
        let counted = session.stat().await;
        session.quit().await;
        counted
    }
}
