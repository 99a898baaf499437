use super::{Prober, Slot, Subject};
use crate::domain::failure::Failure;
use crate::mail::SmtpSession;

impl Prober {
    /// Does the server let us send? Logs in over SMTP and sends nothing.
    ///
    /// # Errors
    /// The [`Failure`], told apart.
    pub async fn outgoing(&self, _slot: &mut Slot, subject: &Subject<'_>) -> Result<(), Failure> {
        let mut session = self.smtp(subject).await?;
        let answered = session.noop().await;
        session.quit().await;
        answered
    }

    pub(super) async fn smtp(&self, subject: &Subject<'_>) -> Result<SmtpSession, Failure> {
        let servers = subject.servers;
        let (server, security) = (&servers.smtp, servers.smtp_security);
        SmtpSession::open(&self.dialer(subject)?, server, security, subject.account()).await
    }
}
