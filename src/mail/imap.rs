//! IMAP4rev1 (RFC 3501), with TLS from the start.
//!
//! async-imap is not used for the conversation: it takes the memory that a literal announces (up
//! to 512 MiB) before the literal has come, panics on some malformed answers, ignores a challenge
//! that follows an untagged line, and gives the server's words only in a debug format.

mod answer;
mod login;
mod refusal;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use self::answer::{Answer, Folders, Notes, Response, Status};
use super::MailAccount;
use super::peer::Peer;
use super::talk::Talk;
use super::wire::{LINE_LIMIT, Stream};
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::domain::server::Endpoint;
use crate::net::connect::{Dialer, Encrypted};

/// The number of a message that does not change while its mailbox exists (RFC 3501 section
/// 2.3.1.1).
pub type Uid = u32;

/// Where a message that was sent to the mailbox may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Folder {
    /// The inbox.
    Inbox,
    /// The mailbox with the special use `\Junk` (RFC 6154 section 2), whatever it is called.
    Spam,
}

/// What is done, for what is said when it fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Greeting,
    Capability,
    Login,
    Examine(Folder),
    Select(Folder),
    Noop,
    Search,
    List,
    Move,
    Logout,
}

impl Step {
    fn doing(self) -> &'static str {
        match self {
            Step::Greeting => "reading the greeting of",
            Step::Capability => "asking for the CAPABILITY of",
            Step::Login => "logging in with AUTHENTICATE at",
            Step::Examine(Folder::Inbox) => "opening the inbox with EXAMINE at",
            Step::Examine(Folder::Spam) => "opening Spam with EXAMINE at",
            Step::Select(Folder::Inbox) => "opening the inbox with SELECT at",
            Step::Select(Folder::Spam) => "opening Spam with SELECT at",
            Step::Noop => "asking for new mail with NOOP at",
            Step::Search => "looking for the message with UID SEARCH at",
            Step::List => "looking for the special folders with LIST at",
            Step::Move => "moving the message with UID MOVE at",
            Step::Logout => "leaving with LOGOUT",
        }
    }
}

/// Why a message is not in Trash.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotMoved {
    /// Somebody else was faster.
    #[error("it is no longer where it was found")]
    NotThere,
    /// The server cannot move (RFC 6851). The other way would be a STORE and an EXPUNGE, and an
    /// EXPUNGE may take other messages with it.
    #[error("the server has no MOVE")]
    NoMove,
    /// No mailbox has the special use `\Trash` (RFC 6154).
    #[error("the server shows no folder with the special use Trash")]
    NoTrash,
    /// The server said no, or the connection ended.
    #[error("{}", .0.doing)]
    Failed(Failure),
}

impl From<Failure> for NotMoved {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What the server says to a command.
enum Heard {
    /// That it waits for more of it, with its text and what came before.
    GoOn(String, Notes),
    /// The end.
    End(Answer),
}

/// A connection on which the login succeeded. After a failure it is of no further use.
pub struct ImapSession<S = Encrypted> {
    talk: Talk<S>,
    last_tag: u32,
    /// Once they have been asked for.
    folders: Option<Folders>,
}

impl ImapSession {
    /// Connects and logs in.
    ///
    /// # Errors
    /// Everything on the way: see [`Reason`].
    pub async fn open(
        dialer: &Dialer,
        server: &Endpoint,
        account: MailAccount<'_>,
    ) -> Result<Self, Failure> {
        let (peer, tls) = Peer::over_tls(dialer, server, account).await?;
        Self::over(peer, tls).await
    }
}

impl<S: Stream> ImapSession<S> {
    /// Logs in over `stream`, which goes to the peer and nowhere else.
    pub(super) async fn over(peer: Peer, stream: S) -> Result<Self, Failure> {
        let mut session = Self {
            talk: Talk::new(peer, stream),
            last_tag: 0,
            folders: None,
        };
        let offer = session.greeting().await?;
        session.login(offer).await?;
        Ok(session)
    }

    /// Opens the inbox as [`Self::open_folder`] does.
    ///
    /// # Errors
    /// As of [`Self::open_folder`].
    pub async fn examine_inbox(&mut self) -> Result<(), Failure> {
        self.open_folder(Folder::Inbox).await.map(drop)
    }

    /// Opens a folder so that nothing in it can change, not even a flag (RFC 3501 section 6.3.2).
    /// False where there is none. A Spam that is refused is none: whether a message is in the inbox
    /// does not depend on it.
    ///
    /// # Errors
    /// Those of the inbox and of the connection; an inbox that is not there is one.
    pub async fn open_folder(&mut self, folder: Folder) -> Result<bool, Failure> {
        self.enter("EXAMINE", Step::Examine(folder), folder).await
    }

    /// The newest message of the open folder whose Message-ID is `message_id`, with or without
    /// angle brackets; mail that came since the last command included.
    ///
    /// # Errors
    /// As the server's answer says, and those of the connection.
    pub async fn find(&mut self, message_id: &str) -> Result<Option<Uid>, Failure> {
        let answer = self.exchange(Step::Noop, "NOOP").await?;
        self.expect_ok(Step::Noop, answer)?;
        let command = format!(
            "UID SEARCH HEADER Message-ID {}",
            answer::quoted(message_id)
        );
        let answer = self.exchange(Step::Search, &command).await?;
        let found = answer.notes.found;
        self.expect_ok(Step::Search, answer)?;
        Ok(found)
    }

    /// Moves a message of our own from `folder` to the mailbox with the special use `\Trash` (RFC
    /// 6154).
    ///
    /// # Errors
    /// [`NotMoved`]: the message stays where it is.
    pub async fn move_to_trash(
        &mut self,
        folder: Folder,
        message_id: &str,
    ) -> Result<(), NotMoved> {
        if !self.enter("SELECT", Step::Select(folder), folder).await? {
            return Err(NotMoved::NotThere);
        }
        let uid = self.find(message_id).await?.ok_or(NotMoved::NotThere)?;
        let answer = self.exchange(Step::Capability, "CAPABILITY").await?;
        if !answer.notes.can_move {
            return Err(NotMoved::NoMove);
        }
        let trash = self.folders().await?.trash.ok_or(NotMoved::NoTrash)?;
        let command = format!("UID MOVE {uid} {trash}");
        let answer = self.exchange(Step::Move, &command).await?;
        Ok(self.expect_ok(Step::Move, answer)?)
    }

    /// Says goodbye, for at most two seconds.
    pub async fn logout(mut self) {
        self.talk.hurry();
        // Its answer begins with BYE, which is a failure for every other command.
        let _ended = self.exchange(Step::Logout, "LOGOUT").await;
    }

    /// False where there is no such folder.
    async fn enter(&mut self, command: &str, step: Step, folder: Folder) -> Result<bool, Failure> {
        let folders = match folder {
            Folder::Inbox => Folders::default(),
            Folder::Spam => self.folders().await?,
        };
        let Some(name) = folders.name(folder) else {
            return Ok(false);
        };
        let answer = self.exchange(step, &format!("{command} {name}")).await?;
        if folder == Folder::Spam && answer.status == Status::No {
            return Ok(false);
        }
        self.expect_ok(step, answer).map(|()| true)
    }

    async fn folders(&mut self) -> Result<Folders, Failure> {
        if let Some(known) = &self.folders {
            return Ok(known.clone());
        }
        let answer = self.exchange(Step::List, r#"LIST "" "*""#).await?;
        let folders = answer.notes.folders.clone();
        self.expect_ok(Step::List, answer)?;
        self.folders = Some(folders.clone());
        Ok(folders)
    }

    /// Sends one command and reads all that belongs to its answer.
    async fn exchange(&mut self, step: Step, command: &str) -> Result<Answer, Failure> {
        let tag = self.next_tag();
        let line = format!("{tag} {command}\r\n");
        self.talk.say(step.doing(), &[line.as_bytes()]).await?;
        match self.answer(step, &tag, Notes::default()).await? {
            Heard::End(answer) => Ok(answer),
            Heard::GoOn(..) => Err(self.not_imap(step, b"+")),
        }
    }

    /// Reads up to the end of the answer to `tag`, or up to the server's invitation to go on. `notes`
    /// are of what the same command was answered before.
    async fn answer(&mut self, step: Step, tag: &str, mut notes: Notes) -> Result<Heard, Failure> {
        loop {
            let line = self.response(step).await?;
            match Response::read(&line) {
                Some(Response::Continue(text)) => return Ok(Heard::GoOn(text, notes)),
                Some(Response::Data) => notes.data(&line),
                Some(Response::Untagged(status, text)) => {
                    notes.status(status, &text);
                    if status == Status::Bye {
                        return Err(self.refused(step, status, &notes.warnings));
                    }
                }
                Some(Response::Tagged(of, status, text)) if of == tag => {
                    notes.status(status, &text);
                    return Ok(Heard::End(Answer {
                        status,
                        text,
                        notes,
                    }));
                }
                Some(Response::Tagged(..)) | None => return Err(self.not_imap(step, &line)),
            }
        }
    }

    /// One line, together with the literals in it (RFC 3501 section 4.3).
    async fn response(&mut self, step: Step) -> Result<Vec<u8>, Failure> {
        let mut response = self.talk.line(step.doing()).await?;
        while let Some(length) = answer::announced_literal(&response) {
            response.extend(b"\r\n");
            response.extend(self.talk.bytes(step.doing(), length).await?);
            response.extend(self.talk.line(step.doing()).await?);
            if response.len() as u64 > LINE_LIMIT {
                return Err(self.talk.peer.too_long(step.doing()));
            }
        }
        Ok(response)
    }

    fn expect_ok(&self, step: Step, answer: Answer) -> Result<(), Failure> {
        match answer.status {
            Status::Ok => Ok(()),
            Status::PreAuth => Err(self.not_imap(step, answer.text.as_bytes())),
            status => Err(self.refused(step, status, &answer.notes.warnings)),
        }
    }

    /// `texts` are all that was said of it; the last is the server's answer.
    fn refused(&self, step: Step, status: Status, texts: &[String]) -> Failure {
        let reason = refusal::reason(step, status, texts);
        let said = texts.last().map_or("", String::as_str);
        self.talk.peer.said(reason, step.doing(), said)
    }

    fn not_imap(&self, step: Step, line: &[u8]) -> Failure {
        let said = String::from_utf8_lossy(line);
        let peer = &self.talk.peer;
        peer.said(Reason::UnexpectedReply, step.doing(), &said)
    }

    fn next_tag(&mut self) -> String {
        self.last_tag += 1;
        format!("a{}", self.last_tag)
    }
}
