//! One step of a test: a conversation with a mail server, and what is made of a refused login.

use std::time::Instant;

use jiff::Timestamp;

use super::conversation::Deadline;
use super::keep::renewed;
use super::observe::Observed;
use crate::api::{GmailServerProfile, IncomingProtocol, Reason};
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;
use crate::controller::context::Context;
use crate::domain::failure::Failure;
use crate::domain::mailbox::{Outcome, Step, ValidSpec};
use crate::domain::profile::ValidProfile;
use crate::probe::{Slot, Subject};
use crate::telemetry::metrics::{Direction, Protocol, TestedStep};

/// One step of a test.
pub(super) struct Test<'a> {
    pub context: &'a Context,
    pub observed: &'a Observed,
    pub profile: &'a GmailServerProfile,
    pub spec: &'a ValidSpec,
    pub step: &'a Step,
    pub deadline: Deadline,
}

/// What is known of the access token that a step logs in with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Token {
    /// It was got in this test: a server that refuses it means what it says.
    Proved,
    /// It may have died early, and Google knows whether the grant has.
    Believed,
}

/// What is done, for what is said when it takes too long.
pub(super) const LOGGING_IN: &str = "logging in at";

impl Test<'_> {
    pub async fn run(
        &self,
        slot: &mut Slot,
        stored: &StoredGrant,
    ) -> Result<Outcome, ClusterError> {
        let token = self.token(stored);
        let outcome = self.attempt(self.step, slot, stored, token).await?;
        let again = match &outcome {
            Outcome::Fails(failure) if is_refused_login(failure.reason) => self.step,
            // Whatever was sent is not sent again.
            Outcome::Unseen(failure) if is_refused_login(failure.reason) => &Step::FindMessage,
            _ => return Ok(self.counted(outcome)),
        };
        if token == Token::Proved {
            return Ok(self.counted(outcome));
        }
        let (context, observed, profile) = (self.context, self.observed, self.profile);
        let keeper = &context.keeper;
        let result = keeper.renew_at_once(stored.clone(), profile, Timestamp::now());
        match renewed(context, observed, profile, stored, result.await)? {
            (_, Some(fresh)) if fresh.grant.ended.is_none() => {
                let outcome = self.attempt(again, slot, &fresh, Token::Proved).await?;
                Ok(self.counted(outcome))
            }
            // Google has ended the grant, or cannot be asked: nothing is known of the mail server.
            (outcome, _) => Ok(outcome),
        }
    }

    fn token(&self, stored: &StoredGrant) -> Token {
        let running = self.observed.world.test.running();
        match running.is_none_or(|test| test.is_proved_by(stored.grant.access.issued_at)) {
            true => Token::Proved,
            false => Token::Believed,
        }
    }

    async fn attempt(
        &self,
        step: &Step,
        slot: &mut Slot,
        stored: &StoredGrant,
        token: Token,
    ) -> Result<Outcome, ClusterError> {
        let Ok(valid) = ValidProfile::new(&self.profile.spec, self.context.network.egress()) else {
            return Ok(Outcome::Unavailable);
        };
        let Some(profile) = self.observed.world.profile.name() else {
            return Ok(Outcome::Unavailable);
        };
        let subject = Subject {
            profile,
            ca_bundle: valid.ca_bundle.as_ref(),
            servers: &valid.servers,
            user: stored.grant.account.email.as_str(),
            token: &stored.grant.access.token,
        };
        let began = Instant::now();
        let outcome = match step {
            Step::TestIncoming => Ok(self.incoming(slot, &subject).await),
            Step::TestOutgoing => Ok(self.outgoing(slot, &subject).await),
            Step::SendMessage(sight) => {
                self.send_message(slot, &subject, stored, *sight, token)
                    .await
            }
            _ => Ok(self.find_message(slot, &subject, stored).await),
        };
        let metrics = &self.context.metrics;
        metrics.step_took(self.tested_step(), began.elapsed());
        outcome
    }

    async fn incoming(&self, slot: &mut Slot, subject: &Subject<'_>) -> Outcome {
        let Some(protocol) = self.spec.incoming else {
            return Outcome::Unavailable;
        };
        let (spoken, server) = match protocol {
            IncomingProtocol::Imap => (Protocol::Imap, &subject.servers.imap),
            IncomingProtocol::Pop3 => (Protocol::Pop3, &subject.servers.pop3),
        };
        let tested = self.context.prober.incoming(slot, subject, protocol);
        let tested = self.deadline.keep(LOGGING_IN, server, tested).await;
        match self.heard(spoken, tested) {
            Ok(()) => Outcome::Works,
            Err(failure) => Outcome::Fails(failure),
        }
    }

    async fn outgoing(&self, slot: &mut Slot, subject: &Subject<'_>) -> Outcome {
        let tested = self.context.prober.outgoing(slot, subject);
        let server = &subject.servers.smtp;
        let tested = self.deadline.keep(LOGGING_IN, server, tested).await;
        match self.heard(Protocol::Smtp, tested) {
            Ok(()) => Outcome::Works,
            Err(failure) => Outcome::Fails(failure),
        }
    }

    /// Counts an answer that the table of reasons does not know.
    pub(super) fn heard<T>(
        &self,
        protocol: Protocol,
        result: Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Err(failure) = &result {
            self.context.metrics.heard(protocol, failure.reason);
        }
        result
    }

    fn tested_step(&self) -> TestedStep {
        match (self.step, self.spec.incoming) {
            (Step::TestIncoming, Some(IncomingProtocol::Pop3)) => TestedStep::Pop3,
            (Step::TestIncoming, _) => TestedStep::Imap,
            (Step::TestOutgoing, _) => TestedStep::Smtp,
            _ => TestedStep::RoundTrip,
        }
    }

    fn counted(&self, outcome: Outcome) -> Outcome {
        let direction = match self.step {
            Step::TestIncoming => Direction::Incoming,
            _ => Direction::Outgoing,
        };
        let reason = match &outcome {
            Outcome::Fails(failure) | Outcome::Unseen(failure) => failure.reason,
            Outcome::Works | Outcome::Arrived => Reason::Enabled,
            Outcome::ArrivedInSpam => Reason::ArrivedInSpam,
            Outcome::Unproved(_) => Reason::RoundTripUnproved,
            _ => return outcome,
        };
        self.context.metrics.tested(direction, reason);
        outcome
    }
}

pub(super) fn is_refused_login(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::LoginRefused | Reason::PopLoginRefused | Reason::SmtpLoginRefused
    )
}
