//! IMAP4rev1 (RFC 3501), with TLS from the start.
//!
//! async-imap is not used for the conversation: it takes the memory that a literal announces (up
//! to 512 MiB) before the literal has come, panics on some malformed answers, ignores a challenge
//! that follows an untagged line, and gives the server's words only in a debug format.

mod answer;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::time::Duration;

use self::answer::{Answer, Response, Status};
use super::MailAccount;
use super::peer::Peer;
use super::wire::{Wire, WireError};
use super::xoauth2::Xoauth2;
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::domain::secret::ExposeSecret;
use crate::domain::server::Endpoint;
use crate::net::connect::{Dialer, Encrypted};

/// The number of a message that does not change while its mailbox exists (RFC 3501 section
/// 2.3.1.1).
pub type Uid = u32;

/// How long the end of a session may take: nothing depends on it.
const GOODBYE: Duration = Duration::from_secs(2);

/// A connection on which the login succeeded. After a failure it is of no further use.
pub struct ImapSession {
    peer: Peer,
    wire: Wire<Encrypted>,
    last_tag: u32,
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
        let peer = Peer {
            server: server.clone(),
            timeout: dialer.timeout(),
            login: Xoauth2::new(account),
        };
        let connected = dialer.tcp(server).await;
        let tcp = connected.map_err(|error| peer.unconnected("connecting to", &error))?;
        let encrypted = dialer.tls(tcp, &server.host).await;
        let tls = encrypted.map_err(|error| peer.unconnected("starting TLS with", &error))?;
        let mut session = Self {
            peer,
            wire: Wire::new(tls),
            last_tag: 0,
        };
        session.greeting().await?;
        session.authenticate().await?;
        Ok(session)
    }

    /// Opens the inbox so that nothing in it can change, not even a flag (RFC 3501 section 6.3.2).
    ///
    /// # Errors
    /// [`Reason::InboxMissing`] where the server refuses.
    pub async fn examine_inbox(&mut self) -> Result<(), Failure> {
        const STEP: &str = "opening the inbox with EXAMINE at";
        let answer = self.exchange(STEP, "EXAMINE INBOX").await?;
        self.expect_ok(STEP, &answer, Reason::InboxMissing)
    }

    /// The newest message of the open mailbox whose Message-ID is `message_id`, with or without
    /// angle brackets; mail that came since the last command included.
    ///
    /// # Errors
    /// [`Reason::MailServerUnavailable`] where the server refuses to search.
    pub async fn find(&mut self, message_id: &str) -> Result<Option<Uid>, Failure> {
        const NOOP: &str = "asking for new mail with NOOP at";
        const SEARCH: &str = "looking for the message with UID SEARCH at";
        let answer = self.exchange(NOOP, "NOOP").await?;
        self.expect_ok(NOOP, &answer, Reason::MailServerUnavailable)?;
        let command = format!(
            "UID SEARCH HEADER Message-ID {}",
            answer::quoted(message_id)
        );
        let answer = self.exchange(SEARCH, &command).await?;
        self.expect_ok(SEARCH, &answer, Reason::MailServerUnavailable)?;
        Ok(answer.found().into_iter().max())
    }

    /// Moves a message of our own from the inbox to the mailbox with the special use `\Trash` (RFC
    /// 6154). Where there is none, or no MOVE (RFC 6851), the message stays where it is and the
    /// answer is false: the other way would be a STORE and an EXPUNGE, and an EXPUNGE may take
    /// other messages with it.
    ///
    /// # Errors
    /// As of [`Self::examine_inbox`] and [`Self::find`].
    pub async fn move_to_trash(&mut self, message_id: &str) -> Result<bool, Failure> {
        const SELECT: &str = "opening the inbox with SELECT at";
        const CAPABILITY: &str = "asking for its CAPABILITY";
        const LIST: &str = "looking for the trash with LIST at";
        const MOVE: &str = "moving the message with UID MOVE at";
        let answer = self.exchange(SELECT, "SELECT INBOX").await?;
        self.expect_ok(SELECT, &answer, Reason::InboxMissing)?;
        let Some(uid) = self.find(message_id).await? else {
            return Ok(false);
        };
        let answer = self.exchange(CAPABILITY, "CAPABILITY").await?;
        if !answer.has_capability("MOVE") {
            return Ok(false);
        }
        let answer = self.exchange(LIST, r#"LIST "" "*""#).await?;
        let Some(trash) = answer.trash() else {
            return Ok(false);
        };
        let answer = self
            .exchange(MOVE, &format!("UID MOVE {uid} {trash}"))
            .await?;
        Ok(answer.status == Status::Ok)
    }

    /// Says goodbye, for at most two seconds.
    pub async fn logout(mut self) {
        self.peer.timeout = self.peer.timeout.min(GOODBYE);
        // Its answer begins with BYE, which is a failure for every other command.
        let _ended = self.exchange("leaving with LOGOUT", "LOGOUT").await;
    }

    async fn greeting(&mut self) -> Result<(), Failure> {
        const STEP: &str = "reading the greeting of";
        let Self { peer, wire, .. } = self;
        peer.timed(STEP, async {
            let line = wire
                .line()
                .await
                .map_err(|error| peer.broken(STEP, &error))?;
            match Response::read(&line) {
                Some(Response::Untagged(Status::Ok, _)) => Ok(()),
                Some(Response::Untagged(Status::Bye, text)) => {
                    Err(peer.said(Reason::MailServerUnavailable, STEP, &text))
                }
                _ => Err(not_imap(peer, STEP, &line)),
            }
        })
        .await
    }

    async fn authenticate(&mut self) -> Result<(), Failure> {
        const STEP: &str = "logging in with AUTHENTICATE at";
        let tag = self.next_tag();
        let Self { peer, wire, .. } = self;
        let answer = peer
            .timed(STEP, async {
                let command = format!("{tag} AUTHENTICATE XOAUTH2\r\n");
                let mut sent = wire.send(&[command.as_bytes()]).await;
                // The server invites us to send the login. If it asks once more, that is the
                // challenge after which the refusal comes, once it is answered with an empty line.
                for response in [peer.login.expose_secret(), ""] {
                    sent.map_err(|error| peer.broken(STEP, &error))?;
                    if let Some(answer) = read_answer(peer, wire, STEP, &tag).await? {
                        return Ok(answer);
                    }
                    sent = wire.send(&[response.as_bytes(), b"\r\n"]).await;
                }
                sent.map_err(|error| peer.broken(STEP, &error))?;
                let answer = read_answer(peer, wire, STEP, &tag).await?;
                answer.ok_or_else(|| not_imap(peer, STEP, b"+"))
            })
            .await?;
        self.expect_ok(STEP, &answer, Reason::LoginRefused)
    }

    /// Sends one command and reads all that belongs to its answer.
    async fn exchange(&mut self, step: &str, command: &str) -> Result<Answer, Failure> {
        let tag = self.next_tag();
        let Self { peer, wire, .. } = self;
        peer.timed(step, async {
            let line = format!("{tag} {command}\r\n");
            let sent = wire.send(&[line.as_bytes()]).await;
            sent.map_err(|error| peer.broken(step, &error))?;
            read_answer(peer, wire, step, &tag)
                .await?
                .ok_or_else(|| not_imap(peer, step, b"+"))
        })
        .await
    }

    /// `refused` is what a NO or a BAD means here, unless its words say that it will pass.
    fn expect_ok(&self, step: &str, answer: &Answer, refused: Reason) -> Result<(), Failure> {
        let kind = match answer.status {
            Status::Ok => return Ok(()),
            _ if answer.is_transient() => Reason::MailServerUnavailable,
            Status::No | Status::Bad => refused,
            Status::Bye | Status::PreAuth => Reason::UnexpectedReply,
        };
        Err(self.peer.said(kind, step, &answer.text))
    }

    fn next_tag(&mut self) -> String {
        self.last_tag += 1;
        format!("a{}", self.last_tag)
    }
}

/// Reads up to the end of the answer to `tag`, or up to the server's invitation to go on, which is
/// `None`.
async fn read_answer(
    peer: &Peer,
    wire: &mut Wire<Encrypted>,
    step: &str,
    tag: &str,
) -> Result<Option<Answer>, Failure> {
    let mut data = Vec::new();
    loop {
        let line = read_response(wire)
            .await
            .map_err(|error| peer.broken(step, &error))?;
        match Response::read(&line) {
            Some(Response::Continue) => return Ok(None),
            Some(Response::Data) => data.push(line),
            Some(Response::Untagged(Status::Bye, text)) => {
                return Err(peer.said(Reason::MailServerUnavailable, step, &text));
            }
            Some(Response::Untagged(..)) => {}
            Some(Response::Tagged(of, status, text)) if of == tag => {
                return Ok(Some(Answer { status, text, data }));
            }
            Some(Response::Tagged(..)) | None => return Err(not_imap(peer, step, &line)),
        }
    }
}

/// One line, together with the literals in it (RFC 3501 section 4.3).
async fn read_response(wire: &mut Wire<Encrypted>) -> Result<Vec<u8>, WireError> {
    let mut response = wire.line().await?;
    while let Some(length) = answer::announced_literal(&response) {
        response.extend(b"\r\n");
        response.extend(wire.bytes(length).await?);
        response.extend(wire.line().await?);
    }
    Ok(response)
}

fn not_imap(peer: &Peer, step: &str, line: &[u8]) -> Failure {
    let said = String::from_utf8_lossy(line);
    peer.said(Reason::UnexpectedReply, step, &said)
}
