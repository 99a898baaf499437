use super::{Prober, Slot, Subject};
use crate::domain::failure::Failure;

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
}
