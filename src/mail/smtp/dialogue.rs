//! Commands and replies, in the clear or not.

use super::refusal;
use super::reply::{NotAReply, Reply, ReplyReader};
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::mail::peer::Peer;
use crate::mail::protocol::{Protocol, not_greeted};
use crate::mail::talk::Talk;
use crate::mail::wire::Stream;

/// An address literal (RFC 5321 section 4.1.3) that says nothing about the cluster's network: it
/// ends up in the header of each message.
const EHLO: &[&[u8]] = &[b"EHLO [127.0.0.1]\r\n"];

/// What is done, for what is said when it fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
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
    pub(super) fn doing(self) -> &'static str {
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

/// A conversation in which each command has one reply.
pub(super) struct Dialogue<S> {
    pub(super) talk: Talk<S>,
}

impl<S: Stream> Dialogue<S> {
    /// With what `stream` goes to.
    pub(super) fn new(peer: Peer, stream: S) -> Self {
        let talk = Talk::new(peer, stream);
        Self { talk }
    }

    /// Waits until the server says that it is ready.
    pub(super) async fn greeting(&mut self) -> Result<(), Failure> {
        const STEP: Step = Step::Greeting;
        let first = self.talk.greeting(STEP.doing()).await?;
        let reply = self.reply(STEP, first).await?;
        self.expect(STEP, reply).map(drop)
    }

    /// Asks what the server can do.
    pub(super) async fn hello(&mut self) -> Result<Reply, Failure> {
        self.command(Step::Ehlo, EHLO).await
    }

    /// Sends one command, whose answer must be the one that is hoped for.
    pub(super) async fn command(&mut self, step: Step, parts: &[&[u8]]) -> Result<Reply, Failure> {
        let reply = self.ask(step, parts).await?;
        self.expect(step, reply)
    }

    /// Sends one command and reads its answer.
    pub(super) async fn ask(&mut self, step: Step, parts: &[&[u8]]) -> Result<Reply, Failure> {
        self.talk.say(step.doing(), parts).await?;
        let first = self.talk.line(step.doing()).await?;
        self.reply(step, first).await
    }

    /// The reply that begins with the line `first`.
    async fn reply(&mut self, step: Step, first: Vec<u8>) -> Result<Reply, Failure> {
        let mut reader = ReplyReader::default();
        let mut line = first;
        loop {
            let peer = &self.talk.peer;
            let said = String::from_utf8_lossy(&line);
            match reader.line(&said) {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => line = self.talk.line(step.doing()).await?,
                Err(NotAReply::TooLong) => return Err(peer.too_long(step.doing())),
                Err(NotAReply::Otherwise) if step == Step::Greeting => {
                    return Err(not_greeted(peer, step.doing(), Protocol::Smtp, &line));
                }
                Err(NotAReply::Otherwise) => {
                    return Err(peer.said(Reason::UnexpectedReply, step.doing(), &said));
                }
            }
        }
    }

    /// The reply, if it is the one that is hoped for.
    pub(super) fn expect(&self, step: Step, reply: Reply) -> Result<Reply, Failure> {
        let reason = match reply.code / 100 {
            digit if digit == step.hoped_for() => return Ok(reply),
            4 | 5 => refusal::reason(step, &reply),
            _ => Reason::UnexpectedReply,
        };
        Err(self.talk.peer.said(reason, step.doing(), &reply.words()))
    }
}
