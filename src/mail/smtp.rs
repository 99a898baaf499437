//! SMTP submission (RFC 6409), with TLS from the start or by STARTTLS.
//!
//! lettre's connection is not used for the conversation: it cannot answer the challenge of a
//! refused XOAUTH2, its STARTTLS takes neither our trust nor drops what was received in the clear
//! before the handshake, and it does not tell an ended connection from an unreadable answer.

mod refusal;
mod reply;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use tokio::net::TcpStream;

use self::reply::{NotAReply, Reply, ReplyReader};
use super::MailAccount;
use super::peer::Peer;
use super::protocol::{Protocol, not_greeted};
use super::sasl::Offer;
use super::talk::Talk;
use super::wire::Stream;
use crate::api::Reason;
use crate::domain::address::EmailAddress;
use crate::domain::failure::Failure;
use crate::domain::server::{Endpoint, SmtpSecurity};
use crate::net::connect::{Dialer, Encrypted};

/// An address literal (RFC 5321 section 4.1.3) that says nothing about the cluster's network: it
/// ends up in the header of each message.
const EHLO: &[&[u8]] = &[b"EHLO [127.0.0.1]\r\n"];

/// TLS records of the kinds alert and handshake (RFC 8446 section 5.1): what a TLS port says to
/// somebody who does not begin with TLS.
const TLS_RECORDS: [u8; 2] = [21, 22];

/// What is done, for what is said when it fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Noop,
    Mail,
    Rcpt,
    Announce,
    Data,
    Quit,
}

impl Step {
    fn doing(self) -> &'static str {
        match self {
            Step::Greeting => "reading the greeting of",
            Step::Ehlo => "introducing ourselves with EHLO to",
            Step::StartTls => "asking for encryption with STARTTLS at",
            Step::Auth => "logging in with AUTH at",
            Step::Noop => "checking the connection with NOOP at",
            Step::Mail => "naming the sender with MAIL at",
            Step::Rcpt => "naming the recipient with RCPT at",
            Step::Announce => "announcing the message with DATA at",
            Step::Data => "sending the message's DATA to",
            Step::Quit => "leaving with QUIT",
        }
    }

    /// The first digit of the answer that is hoped for. The others are not looked at (RFC 5321
    /// section 4.2): a recipient may be accepted with 251.
    fn hoped_for(self) -> u16 {
        match self {
            Step::Announce => 3,
            _ => 2,
        }
    }
}

/// Why a message was not sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotTaken {
    /// The server does not have it: it said no, or had not been sent all of it.
    Refused(Failure),
    /// The connection ended before the server's last answer: it may have it.
    Unknown(Failure),
}

/// A connection on which the login succeeded.
pub struct SmtpSession<S = Encrypted> {
    talk: Talk<S>,
}

impl SmtpSession {
    /// Connects, encrypts as `security` says, and logs in. Nothing but EHLO and STARTTLS is sent
    /// in the clear.
    ///
    /// # Errors
    /// Everything on the way: see [`Reason`].
    pub async fn open(
        dialer: &Dialer,
        server: &Endpoint,
        security: SmtpSecurity,
        account: MailAccount<'_>,
    ) -> Result<Self, Failure> {
        let peer = Peer::new(dialer, server, account);
        let tcp = peer.connect(dialer).await?;
        let (peer, tcp) = match security {
            SmtpSecurity::Tls => (peer, tcp),
            SmtpSecurity::StartTls => starttls(peer, tcp).await?,
        };
        let tls = peer.encrypt(dialer, tcp).await.map_err(|failure| {
            match (security, failure.reason) {
                // It came after the answer to STARTTLS, and a moment later.
                (SmtpSecurity::StartTls, Reason::PlainTextOnTlsPort) => Failure {
                    reason: Reason::StartTlsInjected,
                    ..failure
                },
                _ => failure,
            }
        })?;
        Self::over(peer, security, tls).await
    }
}

impl<S: Stream> SmtpSession<S> {
    /// Logs in over `stream`, which goes to the peer and nowhere else. A server that was greeted
    /// before STARTTLS does not greet again.
    pub(super) async fn over(
        peer: Peer,
        security: SmtpSecurity,
        stream: S,
    ) -> Result<Self, Failure> {
        let talk = Talk::new(peer, stream);
        let mut session = Self { talk };
        if security == SmtpSecurity::Tls {
            session.greeting().await?;
        }
        let offer = session.command(Step::Ehlo, EHLO).await?.mechanisms();
        session.auth(offer).await?;
        Ok(session)
    }

    /// Whether the server still listens to us.
    ///
    /// # Errors
    /// As the server's answer says, and those of the connection.
    pub async fn noop(&mut self) -> Result<(), Failure> {
        self.command(Step::Noop, &[b"NOOP\r\n"]).await.map(drop)
    }

    /// Names sender and recipient: until it is over nothing can have been sent.
    ///
    /// # Errors
    /// As the server's answer says.
    pub async fn envelope(
        &mut self,
        from: &EmailAddress,
        to: &EmailAddress,
    ) -> Result<(), Failure> {
        let mail = format!("MAIL FROM:<{from}>\r\n");
        self.command(Step::Mail, &[mail.as_bytes()]).await?;
        let rcpt = format!("RCPT TO:<{to}>\r\n");
        self.command(Step::Rcpt, &[rcpt.as_bytes()]).await?;
        Ok(())
    }

    /// Sends `message`, as [`compose`](super::compose) makes it, and waits until the server has
    /// taken it over.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn data(&mut self, message: &[u8]) -> Result<(), NotTaken> {
        let announced = self.command(Step::Announce, &[b"DATA\r\n"]).await;
        announced.map_err(NotTaken::Refused)?;
        let sent = self.ask(Step::Data, &[&reply::as_data(message)]).await;
        let answer = sent.map_err(NotTaken::Unknown)?;
        self.expect(Step::Data, answer).map_err(NotTaken::Refused)?;
        Ok(())
    }

    /// Says goodbye, for at most two seconds.
    pub async fn quit(mut self) {
        self.talk.hurry();
        let _ended = self.ask(Step::Quit, &[b"QUIT\r\n"]).await;
    }

    async fn greeting(&mut self) -> Result<(), Failure> {
        const STEP: Step = Step::Greeting;
        let mut line = self.talk.greeting(STEP.doing()).await?;
        let mut reader = ReplyReader::default();
        let reply = loop {
            match reader.line(&String::from_utf8_lossy(&line)) {
                Ok(Some(reply)) => break reply,
                Ok(None) => line = self.talk.line(STEP.doing()).await?,
                Err(NotAReply::TooLong) => return Err(self.talk.peer.too_long(STEP.doing())),
                Err(NotAReply::Otherwise) => {
                    let peer = &self.talk.peer;
                    return Err(not_greeted(peer, STEP.doing(), Protocol::Smtp, &line));
                }
            }
        };
        self.expect(STEP, reply).map(drop)
    }

    async fn auth(&mut self, offer: Offer) -> Result<(), Failure> {
        const STEP: Step = Step::Auth;
        let Some(mechanism) = offer.choice() else {
            let detail = "the server offers neither XOAUTH2 nor OAUTHBEARER";
            let doing = Step::Ehlo.doing();
            return Err(self
                .talk
                .peer
                .failure(Reason::LoginMethodMissing, doing, detail));
        };
        let login = self.talk.peer.login.clone();
        let response = login.response(mechanism).as_bytes();
        let name = mechanism.name().as_bytes();
        let reply = self
            .ask(STEP, &[b"AUTH ", name, b" ", response, b"\r\n"])
            .await?;
        if reply.code != 334 {
            return self.expect(STEP, reply).map(drop);
        }
        // The challenge, after which the refusal comes, once it is answered.
        let challenge = reply.text();
        let resignation = mechanism.resignation().as_bytes();
        let reply = self.ask(STEP, &[resignation, b"\r\n"]).await?;
        match self.expect(STEP, reply) {
            Ok(_) => Ok(()),
            Err(failure) => Err(Failure {
                detail: login.challenge_words(&challenge),
                ..failure
            }),
        }
    }

    /// Sends one command, whose answer must be the one that is hoped for.
    async fn command(&mut self, step: Step, parts: &[&[u8]]) -> Result<Reply, Failure> {
        let reply = self.ask(step, parts).await?;
        self.expect(step, reply)
    }

    /// Sends one command and reads its answer.
    async fn ask(&mut self, step: Step, parts: &[&[u8]]) -> Result<Reply, Failure> {
        self.talk.say(step.doing(), parts).await?;
        let mut reader = ReplyReader::default();
        loop {
            let line = self.talk.line(step.doing()).await?;
            let line = String::from_utf8_lossy(&line);
            let peer = &self.talk.peer;
            match reader.line(&line) {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(NotAReply::TooLong) => return Err(peer.too_long(step.doing())),
                Err(NotAReply::Otherwise) => {
                    return Err(peer.said(Reason::UnexpectedReply, step.doing(), &line));
                }
            }
        }
    }

    fn expect(&self, step: Step, reply: Reply) -> Result<Reply, Failure> {
        let reason = match reply.code / 100 {
            digit if digit == step.hoped_for() => return Ok(reply),
            4 | 5 => refusal::reason(step, &reply),
            _ => Reason::UnexpectedReply,
        };
        Err(self.talk.peer.said(reason, step.doing(), &reply.words()))
    }
}

/// The part in the clear (RFC 3207).
async fn starttls(peer: Peer, tcp: TcpStream) -> Result<(Peer, TcpStream), Failure> {
    const STEP: Step = Step::StartTls;
    let talk = Talk::new(peer, tcp);
    let mut clear = SmtpSession { talk };
    let first = clear.talk.first_byte(Step::Greeting.doing()).await?;
    if TLS_RECORDS.contains(&first) {
        let detail = "the server speaks TLS from the start";
        let peer = &clear.talk.peer;
        return Err(peer.failure(Reason::TlsOnPlainTextPort, Step::Greeting.doing(), detail));
    }
    clear.greeting().await?;
    if !clear.command(Step::Ehlo, EHLO).await?.offers("STARTTLS") {
        let detail = "the server does not offer STARTTLS";
        let peer = &clear.talk.peer;
        return Err(peer.failure(Reason::StartTlsNotOffered, STEP.doing(), detail));
    }
    clear.command(STEP, &[b"STARTTLS\r\n"]).await?;
    // Whatever was sent ahead of the handshake could be somebody else's, and would be read as if
    // it had come encrypted.
    let (peer, tcp) = clear.talk.into_parts();
    match tcp {
        Some(tcp) => Ok((peer, tcp)),
        None => {
            let detail = "the server sent something between STARTTLS and the encryption";
            Err(peer.failure(Reason::StartTlsInjected, STEP.doing(), detail))
        }
    }
}
