use super::{Prober, Slot, Subject};
use crate::domain::failure::Failure;
use crate::mail::SmtpSession;

impl Prober {
    /// Does the server let us send? Logs in over SMTP and sends nothing.
    ///
    /// # Errors
    /// The [`Failure`], told apart.
    pub async fn outgoing(&self, _slot: &mut Slot, subject: &Subject<'_>) -> Result<(), Failure> {
        let servers = subject.servers;
        let mut session = SmtpSession::open(
            &self.dialer(subject)?,
            &servers.smtp,
            servers.smtp_security,
            subject.account(),
        )
        .await?;
        let answered = session.noop().await;
        session.quit().await;
        answered
    }
}
