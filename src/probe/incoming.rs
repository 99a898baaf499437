use super::{Prober, Subject};
use crate::domain::failure::Failure;
use crate::mail::ImapSession;

impl Prober {
    /// Can mail be read? Logs in over IMAP and opens INBOX read-only.
    ///
    /// # Errors
    /// The [`Failure`], told apart.
    pub async fn incoming(&self, subject: &Subject<'_>) -> Result<(), Failure> {
        let _slot = self
            .slots
            .take(subject.profile, subject.max_connections)
            .await;
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
