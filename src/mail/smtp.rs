//! SMTP submission (RFC 6409), with TLS from the start or by STARTTLS.
//!
//! lettre's connection is not used for the conversation: it cannot answer the challenge of a
//! refused XOAUTH2, its STARTTLS takes neither our trust nor drops what was received in the clear
//! before the handshake, and it does not tell an ended connection from an unreadable answer.

pub(super) mod clear;
mod dialogue;
mod refusal;
mod reply;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use self::clear::{begins_in_clear, in_clear};
use self::dialogue::{Dialogue, Step};
use super::MailAccount;
use super::peer::Peer;
use super::sasl::Offer;
use super::wire::Stream;
use crate::api::Reason;
use crate::domain::address::EmailAddress;
use crate::domain::failure::Failure;
use crate::domain::server::{Endpoint, SmtpSecurity};
use crate::net::connect::{Dialer, Encrypted};

/// Why a message was not sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotTaken {
    /// The server does not have it: it said no, or nothing of it was sent.
    Refused(Failure),
    /// The connection ended while it was being sent, or the server's last answer did not come or was
    /// not understood: the server may have it.
    Unknown(Failure),
}

/// A connection on which the login succeeded.
pub struct SmtpSession<S = Encrypted> {
    dialogue: Dialogue<S>,
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
            SmtpSecurity::StartTls => {
                let tcp = begins_in_clear(&peer, dialer, tcp).await?;
                in_clear(peer, tcp).await?
            }
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
        let mut dialogue = Dialogue::new(peer, stream);
        if security == SmtpSecurity::Tls {
            dialogue.greeting().await?;
        }
        let offer = dialogue.hello().await?.mechanisms();
        let mut session = Self { dialogue };
        session.auth(offer).await?;
        Ok(session)
    }

    /// Whether the server still listens to us.
    ///
    /// # Errors
    /// As the server's answer says, and those of the connection.
    pub async fn noop(&mut self) -> Result<(), Failure> {
        let reply = self.dialogue.command(Step::Noop, &[b"NOOP\r\n"]).await;
        reply.map(drop)
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
        let Self { dialogue } = self;
        let mail = format!("MAIL FROM:<{from}>\r\n");
        dialogue.command(Step::Mail, &[mail.as_bytes()]).await?;
        let rcpt = format!("RCPT TO:<{to}>\r\n");
        dialogue.command(Step::Rcpt, &[rcpt.as_bytes()]).await?;
        Ok(())
    }

    /// Sends `message`, as [`compose`](super::compose) makes it, and waits until the server has
    /// taken it over.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn data(&mut self, message: &[u8]) -> Result<(), NotTaken> {
        let Self { dialogue } = self;
        let announced = dialogue.command(Step::Announce, &[b"DATA\r\n"]).await;
        announced.map_err(NotTaken::Refused)?;
        let data = reply::as_data(message);
        let sent = dialogue.ask(Step::Data, &[&data]).await;
        let answer = sent.map_err(NotTaken::Unknown)?;
        let is_no = matches!(answer.code, 400..600);
        match dialogue.expect(Step::Data, answer) {
            Ok(_) => Ok(()),
            Err(failure) if is_no => Err(NotTaken::Refused(failure)),
            Err(failure) => Err(NotTaken::Unknown(failure)),
        }
    }

    /// Says goodbye, for at most two seconds.
    pub async fn quit(mut self) {
        self.dialogue.talk.hurry();
        let _ended = self.dialogue.ask(Step::Quit, &[b"QUIT\r\n"]).await;
    }

    async fn auth(&mut self, offer: Offer) -> Result<(), Failure> {
        const STEP: Step = Step::Auth;
        let Self { dialogue } = self;
        let login = dialogue.talk.peer.login.clone();
        let Some(mechanism) = offer.choice() else {
            return Err(dialogue.talk.peer.no_mechanism(Step::Ehlo.doing()));
        };
        let response = login.response(mechanism).as_bytes();
        let name = mechanism.name().as_bytes();
        let command: &[&[u8]] = &[b"AUTH ", name, b" ", response, b"\r\n"];
        let reply = dialogue.ask(STEP, command).await?;
        if reply.code != 334 {
            return dialogue.expect(STEP, reply).map(drop);
        }
        // The challenge, after which the refusal comes, once it is answered.
        let challenge = reply.text();
        let resignation = mechanism.resignation().as_bytes();
        let reply = dialogue.ask(STEP, &[resignation, b"\r\n"]).await?;
        match dialogue.expect(STEP, reply) {
            Ok(_) => Ok(()),
            Err(failure) => Err(Failure {
                detail: login.challenge_words(&challenge),
                ..failure
            }),
        }
    }
}
