//! POP3 (RFC 1939) with its extensions for logins (RFC 2449, RFC 5034), with TLS from the start.
//!
//! No command is sent that a server may take for the collecting of mail: no RETR, TOP or DELE. Gmail
//! marks what was popped.

mod answer;
mod refusal;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use self::answer::{Answer, is_mail_drop};
use super::MailAccount;
use super::peer::Peer;
use super::protocol::{Protocol, not_greeted};
use super::sasl::Offer;
use super::talk::Talk;
use super::wire::Stream;
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::domain::server::Endpoint;
use crate::net::connect::{Dialer, Encrypted};

/// What is done, for what is said when it fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Greeting,
    Capa,
    Auth,
    Stat,
    Quit,
}

impl Step {
    fn doing(self) -> &'static str {
        match self {
            Step::Greeting => "reading the greeting of",
            Step::Capa => "asking for the capabilities (CAPA) of",
            Step::Auth => "logging in with AUTH at",
            Step::Stat => "opening the mailbox with STAT at",
            Step::Quit => "leaving with QUIT",
        }
    }
}

/// A connection on which the login succeeded. After a failure it is of no further use.
pub struct Pop3Session<S = Encrypted> {
    talk: Talk<S>,
}

impl Pop3Session {
    /// Connects and logs in.
    ///
    /// # Errors
    /// Everything on the way: see [`Reason`]. That POP is turned off is not among it: Gmail lets
    /// those in, too, and says it to the first command.
    pub async fn open(
        dialer: &Dialer,
        server: &Endpoint,
        account: MailAccount<'_>,
    ) -> Result<Self, Failure> {
        let (peer, tls) = Peer::over_tls(dialer, server, account).await?;
        Self::over(peer, tls).await
    }
}

impl<S: Stream> Pop3Session<S> {
    /// Logs in over `stream`, which goes to the peer and nowhere else.
    pub(super) async fn over(peer: Peer, stream: S) -> Result<Self, Failure> {
        let talk = Talk::new(peer, stream);
        let mut session = Self { talk };
        session.greeting().await?;
        session.auth().await?;
        Ok(session)
    }

    /// Asks how many messages there are, which opens the mailbox.
    ///
    /// # Errors
    /// Why it is not opened.
    pub async fn stat(&mut self) -> Result<(), Failure> {
        const STEP: Step = Step::Stat;
        match self.command(STEP, &[b"STAT\r\n"]).await? {
            Answer::Ok(text) if is_mail_drop(&text) => Ok(()),
            Answer::Ok(text) => Err(self.not_pop(STEP, &format!("+OK {text}"))),
            other => Err(self.refused(STEP, other)),
        }
    }

    /// Says goodbye, for at most two seconds.
    pub async fn quit(mut self) {
        self.talk.hurry();
        let _ended = self.command(Step::Quit, &[b"QUIT\r\n"]).await;
    }

    async fn greeting(&mut self) -> Result<(), Failure> {
        const STEP: Step = Step::Greeting;
        let line = self.talk.greeting(STEP.doing()).await?;
        match Answer::read(&line) {
            Some(Answer::Ok(_)) => Ok(()),
            Some(refusal @ Answer::Err(_)) => Err(self.refused(STEP, refusal)),
            _ => Err(not_greeted(
                &self.talk.peer,
                STEP.doing(),
                Protocol::Pop3,
                &line,
            )),
        }
    }

    /// What the server tells of logins. One that does not know the question has told nothing.
    async fn capa(&mut self) -> Result<Offer, Failure> {
        const STEP: Step = Step::Capa;
        let mut offer = Offer::default();
        match self.command(STEP, &[b"CAPA\r\n"]).await? {
            Answer::Ok(_) => {}
            Answer::Err(_) => return Ok(offer),
            other => return Err(self.refused(STEP, other)),
        }
        loop {
            let line = self.talk.line(STEP.doing()).await?;
            if line == b"." {
                return Ok(offer);
            }
            let line = String::from_utf8_lossy(&line);
            let mut words = line.split_ascii_whitespace();
            if words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case("SASL"))
            {
                offer.told = true;
                words.for_each(|mechanism| offer.add(mechanism));
            }
        }
    }

    async fn auth(&mut self) -> Result<(), Failure> {
        const STEP: Step = Step::Auth;
        let Some(mechanism) = self.capa().await?.choice() else {
            return Err(self.talk.peer.no_mechanism(Step::Capa.doing()));
        };
        // The login is longer than a command may be (255 bytes, RFC 2449 section 4), so it is
        // sent by itself.
        let name = mechanism.name().as_bytes();
        match self.command(STEP, &[b"AUTH ", name, b"\r\n"]).await? {
            Answer::GoOn(_) => {}
            other => return Err(self.refused(STEP, other)),
        }
        let login = self.talk.peer.login.clone();
        let response = login.response(mechanism).as_bytes();
        let challenge = match self.command(STEP, &[response, b"\r\n"]).await? {
            Answer::Ok(_) => return Ok(()),
            Answer::GoOn(challenge) => challenge,
            refusal @ Answer::Err(_) => return Err(self.refused(STEP, refusal)),
        };
        // The refusal comes after that.
        let resignation = mechanism.resignation().as_bytes();
        match self.command(STEP, &[resignation, b"\r\n"]).await? {
            Answer::Ok(_) => Ok(()),
            other => Err(Failure {
                detail: login.challenge_words(&challenge),
                ..self.refused(STEP, other)
            }),
        }
    }

    async fn command(&mut self, step: Step, parts: &[&[u8]]) -> Result<Answer, Failure> {
        self.talk.say(step.doing(), parts).await?;
        let line = self.talk.line(step.doing()).await?;
        Answer::read(&line).ok_or_else(|| self.not_pop(step, &String::from_utf8_lossy(&line)))
    }

    /// What is not the answer that was hoped for.
    fn refused(&self, step: Step, answer: Answer) -> Failure {
        match answer {
            Answer::Err(text) => {
                let reason = refusal::reason(step, &text);
                self.talk.peer.said(reason, step.doing(), &text)
            }
            Answer::Ok(text) => self.not_pop(step, &format!("+OK {text}")),
            Answer::GoOn(text) => self.not_pop(step, &format!("+ {text}")),
        }
    }

    fn not_pop(&self, step: Step, line: &str) -> Failure {
        let peer = &self.talk.peer;
        peer.said(Reason::UnexpectedReply, step.doing(), line)
    }
}
