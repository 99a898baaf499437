use super::answer::{Answer, Notes, Response, Status};
use super::{Heard, ImapSession, Step};
use crate::domain::failure::Failure;
use crate::mail::protocol::{Protocol, not_greeted};
use crate::mail::sasl::Offer;
use crate::mail::wire::Stream;

impl<S: Stream> ImapSession<S> {
    /// What a greeting tells of logins: most servers', but not Gmail's.
    pub(super) async fn greeting(&mut self) -> Result<Offer, Failure> {
        const STEP: Step = Step::Greeting;
        let line = self.talk.greeting(STEP.doing()).await?;
        match Response::read(&line) {
            Some(Response::Untagged(Status::Ok, text)) => {
                let mut notes = Notes::default();
                notes.status(Status::Ok, &text);
                Ok(notes.offer)
            }
            Some(Response::Untagged(Status::Bye, text)) => {
                Err(self.refused(STEP, Status::Bye, &[text]))
            }
            _ => Err(not_greeted(
                &self.talk.peer,
                STEP.doing(),
                Protocol::Imap,
                &line,
            )),
        }
    }

    /// Logs in by the best way that the server takes.
    pub(super) async fn login(&mut self, greeted: Offer) -> Result<(), Failure> {
        const STEP: Step = Step::Login;
        let offer = self.offer(greeted).await?;
        let Some(mechanism) = offer.choice() else {
            return Err(self.talk.peer.no_mechanism(Step::Capability.doing()));
        };
        let tag = self.next_tag();
        let command = format!("{tag} AUTHENTICATE {}\r\n", mechanism.name());
        self.talk.say(STEP.doing(), &[command.as_bytes()]).await?;
        // Gmail may tell the cause of a refusal before any of its answers.
        let notes = match self.answer(STEP, &tag, Notes::default()).await? {
            Heard::GoOn(_, notes) => notes,
            // Who is let in without a word is not known.
            Heard::End(Answer {
                status: Status::Ok,
                text,
                ..
            }) => {
                return Err(self.not_imap(STEP, text.as_bytes()));
            }
            Heard::End(answer) => return self.expect_ok(STEP, answer),
        };
        let login = self.talk.peer.login.clone();
        let response = login.response(mechanism);
        let (challenge, notes) = match self.respond(&tag, response, notes).await? {
            Heard::GoOn(challenge, notes) => (challenge, notes),
            Heard::End(answer) => return self.expect_ok(STEP, answer),
        };
        // The refusal comes after that.
        let resignation = mechanism.resignation();
        match self.respond(&tag, resignation, notes).await? {
            Heard::GoOn(..) => Err(self.not_imap(STEP, b"+")),
            Heard::End(answer) => self.expect_ok(STEP, answer).map_err(|failure| Failure {
                detail: login.challenge_words(&challenge),
                ..failure
            }),
        }
    }

    /// How the server takes logins. One that refuses to tell has not told.
    async fn offer(&mut self, greeted: Offer) -> Result<Offer, Failure> {
        if greeted.told {
            return Ok(greeted);
        }
        let answer = self.exchange(Step::Capability, "CAPABILITY").await?;
        Ok(answer.notes.offer)
    }

    async fn respond(&mut self, tag: &str, response: &str, notes: Notes) -> Result<Heard, Failure> {
        const STEP: Step = Step::Login;
        let line: &[&[u8]] = &[response.as_bytes(), b"\r\n"];
        self.talk.say(STEP.doing(), line).await?;
        self.answer(STEP, tag, notes).await
    }
}
