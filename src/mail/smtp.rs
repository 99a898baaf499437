//! SMTP submission (RFC 6409), with TLS from the start or by STARTTLS.
//!
//! lettre's connection is not used for the conversation: it cannot answer the challenge of a
//! refused XOAUTH2, its STARTTLS takes neither our trust nor drops what was received in the clear
//! before the handshake, and it does not tell an ended connection from an unreadable answer.

mod reply;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use self::reply::{Reply, ReplyReader};
use super::MailAccount;
use super::peer::Peer;
use super::wire::Wire;
use super::xoauth2::Xoauth2;
use crate::api::Reason;
use crate::domain::address::EmailAddress;
use crate::domain::failure::Failure;
use crate::domain::secret::ExposeSecret;
use crate::domain::server::{Endpoint, SmtpSecurity};
use crate::net::connect::{Dialer, Encrypted};

/// How long the end of a session may take: nothing depends on it.
const GOODBYE: Duration = Duration::from_secs(2);

/// An address literal (RFC 5321 section 4.1.3) that says nothing about the cluster's network: it
/// ends up in the header of each message.
const EHLO: &[&[u8]] = &[b"EHLO [127.0.0.1]\r\n"];

/// Why a message was not sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotTaken {
    /// The server does not have it: it said no, or had not been sent all of it.
    Refused(Failure),
    /// The connection ended before the server's last answer: it may have it.
    Unknown(Failure),
}

/// A connection on which the login succeeded.
pub struct SmtpSession {
    peer: Peer,
    wire: Wire<Encrypted>,
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
        const TLS: &str = "starting TLS with";
        let peer = Peer {
            server: server.clone(),
            timeout: dialer.timeout(),
            login: Xoauth2::new(account),
        };
        let connected = dialer.tcp(server).await;
        let tcp = connected.map_err(|error| peer.unconnected("connecting to", &error))?;
        let tcp = match security {
            SmtpSecurity::Tls => tcp,
            SmtpSecurity::StartTls => starttls(&peer, tcp).await?,
        };
        let encrypted = dialer.tls(tcp, &server.host).await;
        let tls = encrypted.map_err(|error| peer.unconnected(TLS, &error))?;
        let mut wire = Wire::new(tls);
        if security == SmtpSecurity::Tls {
            greeting(&peer, &mut wire).await?;
        }
        ehlo(&peer, &mut wire).await?;
        let mut session = Self { peer, wire };
        session.auth().await?;
        Ok(session)
    }

    /// Whether the server still listens to us.
    ///
    /// # Errors
    /// [`Reason::MailServerUnavailable`], and those of the connection.
    pub async fn noop(&mut self) -> Result<(), Failure> {
        const STEP: &str = "checking the connection with NOOP at";
        let reply = self.command(STEP, &[b"NOOP\r\n"]).await?;
        expect(&self.peer, STEP, &reply, 250, Reason::MailServerUnavailable)
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
        let rcpt = format!("RCPT TO:<{to}>\r\n");
        self.dialogue([
            ("naming the sender with MAIL at", mail.as_bytes(), 250),
            ("naming the recipient with RCPT at", rcpt.as_bytes(), 250),
        ])
        .await
    }

    /// Sends `message`, as [`compose`](super::compose) makes it, and waits until the server has
    /// taken it over.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn data(&mut self, message: &[u8]) -> Result<(), NotTaken> {
        const ANNOUNCE: &str = "announcing the message with DATA at";
        const SEND: &str = "sending the message's DATA to";
        let refused = Reason::MessageRefused;
        let announced = self.command(ANNOUNCE, &[b"DATA\r\n"]).await;
        let announced =
            announced.and_then(|reply| expect(&self.peer, ANNOUNCE, &reply, 354, refused));
        announced.map_err(NotTaken::Refused)?;
        let sent = self.command(SEND, &[&reply::as_data(message)]).await;
        let answer = sent.map_err(NotTaken::Unknown)?;
        expect(&self.peer, SEND, &answer, 250, refused).map_err(NotTaken::Refused)
    }

    async fn dialogue(&mut self, steps: [(&str, &[u8], u16); 2]) -> Result<(), Failure> {
        for (step, command, code) in steps {
            let reply = self.command(step, &[command]).await?;
            expect(&self.peer, step, &reply, code, Reason::MessageRefused)?;
        }
        Ok(())
    }

    /// Says goodbye, for at most two seconds.
    pub async fn quit(mut self) {
        self.peer.timeout = self.peer.timeout.min(GOODBYE);
        let _ended = self.command("leaving with QUIT", &[b"QUIT\r\n"]).await;
    }

    async fn auth(&mut self) -> Result<(), Failure> {
        const STEP: &str = "logging in with AUTH at";
        let login = self.peer.login.clone();
        let command: &[&[u8]] = &[b"AUTH XOAUTH2 ", login.expose_secret().as_bytes(), b"\r\n"];
        let mut reply = self.command(STEP, command).await?;
        if reply.code == 334 {
            // The challenge after which the refusal comes, once it is answered with an empty line.
            reply = self.command(STEP, &[b"\r\n"]).await?;
        }
        expect(&self.peer, STEP, &reply, 235, Reason::SmtpLoginRefused)
    }

    async fn command(&mut self, step: &str, parts: &[&[u8]]) -> Result<Reply, Failure> {
        command(&self.peer, &mut self.wire, step, parts).await
    }
}

/// The part in the clear (RFC 3207).
async fn starttls(peer: &Peer, tcp: TcpStream) -> Result<TcpStream, Failure> {
    const STEP: &str = "asking for encryption with STARTTLS at";
    let wrong_mode = |detail: &str| peer.failure(Reason::PlainTextOnTlsPort, STEP, detail);
    let mut wire = Wire::new(tcp);
    greeting(peer, &mut wire).await?;
    if !ehlo(peer, &mut wire).await?.offers("STARTTLS") {
        return Err(wrong_mode("the server does not offer STARTTLS"));
    }
    let reply = command(peer, &mut wire, STEP, &[b"STARTTLS\r\n"]).await?;
    expect(peer, STEP, &reply, 220, Reason::PlainTextOnTlsPort)?;
    // Whatever was sent ahead of the handshake could be somebody else's, and would be read as if
    // it had come encrypted.
    wire.into_stream().ok_or_else(|| {
        let detail = "the server sent something between STARTTLS and the encryption";
        peer.failure(Reason::UnexpectedReply, STEP, detail)
    })
}

async fn greeting<S>(peer: &Peer, wire: &mut Wire<S>) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const STEP: &str = "reading the greeting of";
    // TLS records of the kinds alert and handshake (RFC 8446 section 5.1): what a TLS port says to
    // somebody who does not begin with TLS.
    const TLS_RECORDS: [u8; 2] = [21, 22];
    let reply = peer
        .timed(STEP, async {
            let first = wire
                .peek()
                .await
                .map_err(|error| peer.broken(STEP, &error))?;
            if TLS_RECORDS.contains(&first) {
                let detail = "the server speaks TLS from the start";
                return Err(peer.failure(Reason::PlainTextOnTlsPort, STEP, detail));
            }
            read_reply(peer, wire, STEP).await
        })
        .await?;
    expect(peer, STEP, &reply, 220, Reason::MailServerUnavailable)
}

async fn ehlo<S>(peer: &Peer, wire: &mut Wire<S>) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const STEP: &str = "introducing ourselves with EHLO to";
    let reply = command(peer, wire, STEP, EHLO).await?;
    expect(peer, STEP, &reply, 250, Reason::UnexpectedReply)?;
    Ok(reply)
}

async fn command<S>(
    peer: &Peer,
    wire: &mut Wire<S>,
    step: &str,
    parts: &[&[u8]],
) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    peer.timed(step, async {
        let sent = wire.send(parts).await;
        sent.map_err(|error| peer.broken(step, &error))?;
        read_reply(peer, wire, step).await
    })
    .await
}

async fn read_reply<S>(peer: &Peer, wire: &mut Wire<S>, step: &str) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut reader = ReplyReader::default();
    loop {
        let line = wire
            .line()
            .await
            .map_err(|error| peer.broken(step, &error))?;
        let line = String::from_utf8_lossy(&line);
        match reader.line(&line) {
            Ok(Some(reply)) => return Ok(reply),
            Ok(None) => {}
            Err(_) => return Err(peer.said(Reason::UnexpectedReply, step, &line)),
        }
    }
}

/// `refused` is what a 5xx means here; 4xx will pass. Only the first digit is looked at (RFC 5321
/// section 4.2): a recipient may be accepted with 251.
fn expect(
    peer: &Peer,
    step: &str,
    reply: &Reply,
    expected: u16,
    refused: Reason,
) -> Result<(), Failure> {
    let kind = match reply.code / 100 {
        digit if digit == expected / 100 => return Ok(()),
        4 => Reason::MailServerUnavailable,
        5 => refused,
        _ => Reason::UnexpectedReply,
    };
    Err(peer.said(kind, step, &reply.words()))
}
