use tokio::time::{Instant, sleep};

use super::{Prober, Slot, Subject};
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::mail::{Folder, ImapSession, NotMoved};

/// What becomes of a message that is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Afterwards {
    /// It stays where it is.
    Stays,
    /// It is moved to Trash.
    GoesToTrash,
}

/// What became of a message that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Became {
    /// It stays where it is, as it should.
    Kept,
    /// It is in Trash.
    PutAway,
    /// It is not in Trash, though it should be.
    Left(NotMoved),
}

/// What was found of the message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Search {
    /// It has arrived there.
    Found(Folder, Became),
    /// It did not arrive in time.
    Missing(Failure),
    /// It could not be looked for.
    CannotLook(Failure),
}

impl Prober {
    /// Looks for a message over IMAP, in the inbox and in Spam, until its time is over. Nothing but
    /// this message is changed.
    pub async fn find(
        &self,
        _slot: &mut Slot,
        subject: &Subject<'_>,
        message_id: &str,
        afterwards: Afterwards,
    ) -> Search {
        let mut session = match self.imap(subject).await {
            Ok(session) => session,
            Err(failure) => return Search::CannotLook(failure),
        };
        let search = match self.look(&mut session, message_id).await {
            Ok(Some(folder)) => {
                let became = match afterwards {
                    Afterwards::Stays => Became::Kept,
                    Afterwards::GoesToTrash => {
                        let moved = session.move_to_trash(folder, message_id).await;
                        moved.map_or_else(Became::Left, |()| Became::PutAway)
                    }
                };
                Search::Found(folder, became)
            }
            Ok(None) => Search::Missing(self.not_arrived(subject)),
            Err(failure) => Search::CannotLook(failure),
        };
        session.logout().await;
        search
    }

    async fn look(
        &self,
        session: &mut ImapSession,
        message_id: &str,
    ) -> Result<Option<Folder>, Failure> {
        let deadline = Instant::now() + self.waits.arrival;
        let (mut first, mut has_spam) = (true, true);
        loop {
            if session.open_folder(Folder::Inbox).await?
                && session.find(message_id).await?.is_some()
            {
                return Ok(Some(Folder::Inbox));
            }
            // It hardly ever is there, so the first look does without.
            if !first && has_spam {
                has_spam = session.open_folder(Folder::Spam).await?;
                if has_spam && session.find(message_id).await?.is_some() {
                    return Ok(Some(Folder::Spam));
                }
            }
            if !first && Instant::now() >= deadline {
                return Ok(None);
            }
            first = false;
            sleep(self.waits.look).await;
        }
    }

    fn not_arrived(&self, subject: &Subject<'_>) -> Failure {
        let seconds = self.waits.arrival.as_secs();
        let imap = &subject.servers.imap;
        Failure {
            reason: Reason::MessageNotArrived,
            doing: format!("looking in the inbox and in Spam at {imap} for {seconds} s"),
            detail: String::new(),
            reply: None,
        }
    }
}
