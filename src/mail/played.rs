//! A server in memory, whose words are known beforehand, and whole sessions with it: for faults at
//! any byte, and for `tests/fuzz`.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::imap::Uid;
use super::peer::Peer;
use super::sasl::{Login, Mechanism};
use super::smtp::clear::in_clear;
use super::{Folder, ImapSession, MailAccount, NotMoved, NotTaken, Pop3Session, SmtpSession};
use crate::domain::failure::Failure;
use crate::domain::secret::AccessToken;
use crate::domain::server::{Endpoint, SmtpSecurity};

/// The token of these sessions.
pub const TOKEN: &str = "ya29.a0AfH6SMBnotARealTokenOfAnybody";

/// The account that logs in, whose messages these are.
const ADDRESS: &str = "ann@example.com";
const MESSAGE_ID: &str = "<t1@gmail-operator.dev>";
const MESSAGE: &[u8] = b"Subject: x\r\n\r\nhi\r\n";

/// What the server says, whatever it is told.
#[derive(Clone, Debug)]
pub struct Script {
    /// All of it.
    pub words: Vec<u8>,
    /// At most so many bytes come at once.
    pub at_once: usize,
    /// What follows.
    pub then: Then,
}

/// What a server does that has said all.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// It ends the connection.
    Closes,
    /// Nothing.
    IsSilent,
    /// It says its last words again and again.
    Repeats,
}

/// How a session with it went.
#[derive(Debug)]
pub struct Outcome<T> {
    /// What it was told.
    pub heard: Vec<u8>,
    /// What came of it.
    pub result: Result<T, Failure>,
}

/// What a session over IMAP found.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// The message, in the inbox.
    pub inbox: Option<Uid>,
    /// Whether there is a folder Spam, and the message there.
    pub spam: Option<Option<Uid>>,
    /// Whether it was moved from there.
    pub moved: bool,
}

/// What a hostile server could repeat, each of which must not be in a failure.
pub fn secrets() -> [String; 3] {
    let token = AccessToken::new(TOKEN);
    let login = Login::new(account(&token), &server());
    let payload = |mechanism| login.response(mechanism).to_owned();
    [
        TOKEN.to_owned(),
        payload(Mechanism::Xoauth2),
        payload(Mechanism::OauthBearer),
    ]
}

/// A test over IMAP, with all that a round trip does.
pub async fn imap(script: Script) -> Outcome<Found> {
    with(script, async |peer, stream| {
        let mut session = ImapSession::over(peer, stream).await?;
        let mut found = Found::default();
        session.examine_inbox().await?;
        found.inbox = session.find(MESSAGE_ID).await?;
        if session.open_folder(Folder::Spam).await? {
            found.spam = Some(session.find(MESSAGE_ID).await?);
            found.moved = match session.move_to_trash(Folder::Spam, MESSAGE_ID).await {
                Ok(()) => true,
                Err(NotMoved::Failed(failure)) => return Err(failure),
                Err(_) => false,
            };
        }
        session.logout().await;
        Ok(found)
    })
    .await
}

/// A test over POP3.
pub async fn pop3(script: Script) -> Outcome<()> {
    with(script, async |peer, stream| {
        let mut session = Pop3Session::over(peer, stream).await?;
        session.stat().await?;
        session.quit().await;
        Ok(())
    })
    .await
}

/// A test over SMTP, and a message.
pub async fn smtp(script: Script) -> Outcome<()> {
    with(script, async |peer, stream| {
        let mut session = SmtpSession::over(peer, SmtpSecurity::Tls, stream).await?;
        session.noop().await?;
        if let Ok(address) = ADDRESS.parse() {
            session.envelope(&address, &address).await?;
        }
        let sent = session.data(MESSAGE).await;
        sent.map_err(|(NotTaken::Refused(failure) | NotTaken::Unknown(failure))| failure)?;
        session.quit().await;
        Ok(())
    })
    .await
}

/// What is said over SMTP before the encryption.
pub async fn smtp_in_clear(script: Script) -> Outcome<()> {
    with(script, async |peer, stream| {
        in_clear(peer, stream).await.map(drop)
    })
    .await
}

/// Whether a line is one of those that a mail server may be told: nothing that changes a mailbox but
/// the moving of a message of our own.
pub fn is_harmless(line: &[u8]) -> bool {
    const COMMANDS: &[&str] = &[
        "CAPABILITY",
        "AUTHENTICATE ",
        "EXAMINE ",
        "SELECT ",
        "NOOP",
        "UID SEARCH ",
        "UID MOVE ",
        "LIST ",
        "LOGOUT",
        "CAPA",
        "AUTH ",
        "STAT",
        "QUIT",
        "EHLO ",
        "STARTTLS",
        "MAIL FROM:<",
        "RCPT TO:<",
        "DATA",
    ];
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    let command = match line.split_once(' ') {
        Some((tag, command)) if tag.starts_with('a') => command,
        _ => line,
    };
    let is_login = secrets().iter().any(|secret| secret == line) || ["", "AQ=="].contains(&line);
    let is_message = ["Subject: x", "hi", "."].contains(&line);
    let is_command = COMMANDS.iter().any(|start| command.starts_with(start));
    !line.chars().any(char::is_control) && (is_login || is_message || is_command)
}

async fn with<T>(
    script: Script,
    session: impl AsyncFnOnce(Peer, Played) -> Result<T, Failure>,
) -> Outcome<T> {
    let token = AccessToken::new(TOKEN);
    let peer = Peer {
        server: server(),
        timeout: Duration::from_secs(10),
        login: Login::new(account(&token), &server()),
    };
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let played = Played {
        script,
        said: 0,
        heard: Arc::clone(&heard),
    };
    let result = session(peer, played).await;
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Outcome { heard, result }
}

fn account(token: &AccessToken) -> MailAccount<'_> {
    MailAccount {
        user: ADDRESS,
        token,
    }
}

fn server() -> Endpoint {
    Endpoint::new("mail.example.com", 993)
}

/// The connection to such a server.
struct Played {
    script: Script,
    said: usize,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// How much is repeated.
const LAST_WORDS: usize = 64;

impl AsyncRead for Played {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let words = &self.script.words;
        let from = match self.script.then {
            Then::Repeats if self.said >= words.len() => words.len().saturating_sub(LAST_WORDS),
            // Time-outs wake us.
            Then::IsSilent if self.said >= words.len() => return Poll::Pending,
            _ => self.said,
        };
        let rest = words.get(from..).unwrap_or_default();
        let length = rest.len().min(self.script.at_once).min(buffer.remaining());
        buffer.put_slice(rest.get(..length).unwrap_or_default());
        self.said = from + length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Played {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
