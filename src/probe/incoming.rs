use super::{Prober, Slot, Subject};
use crate::domain::failure::Failure;
use crate::mail::ImapSession;

impl Prober {
    /// Can mail be read? Logs in over IMAP and opens INBOX read-only.
    ///
    /// # Errors
    /// The [`Failure`], told apart.
    pub async fn incoming(&self, _slot: &mut Slot, subject: &Subject<'_>) -> Result<(), Failure> {
        let mut session = ImapSession::open(
            &self.dialer(subject)?,
            &subject.servers.imap,
            subject.account(),
        )
        .await?;
        let examined = session.examine_inbox().await;
        session.logout().await;
        examined
    }
}
