//! The test's message: sent to the mailbox itself, at most once, and looked for.

use jiff::Timestamp;

use super::keep::remember;
use super::test::{LOGGING_IN, Test, Token, is_refused_login};
use crate::api::Reason;
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;
use crate::domain::failure::Failure;
use crate::domain::grant::Messages;
use crate::domain::mailbox::{Outcome, Sight};
use crate::domain::message::{Letter, Occasion, message_id};
use crate::grant::{KeeperError, Written};
use crate::mail::compose;
use crate::probe::{Afterwards, Became, Delivery, Folder, Mail, NotMoved, Search, Slot, Subject};
use crate::telemetry::metrics::Protocol;

/// What is done, for what is said when it takes too long.
const SENDING: &str = "sending the test message to";
const LOOKING: &str = "looking for the test message at";

/// How often it is looked whether a note was made to which the API server did not answer.
const LOOKS_FOR_NOTE: u32 = 3;

/// Whether the message will be looked for.
enum Look {
    Yes,
    /// With what IMAP said, where it was asked for that.
    No(Option<Failure>),
}

impl Test<'_> {
    pub(super) async fn send_message(
        &self,
        slot: &mut Slot,
        subject: &Subject<'_>,
        stored: &StoredGrant,
        sight: Sight,
        token: Token,
    ) -> Result<Outcome, ClusterError> {
        let Some(test) = self.observed.world.test.running() else {
            return Ok(Outcome::Unavailable);
        };
        let look = match self.can_look(slot, subject, sight, token).await {
            Ok(look) => look,
            Err(failure) => return Ok(Outcome::Fails(failure)),
        };
        let message = match self.compose(&test.id, stored) {
            Ok(message) => message,
            Err(failure) => return Ok(Outcome::Fails(failure)),
        };
        match (self.deliver(slot, subject, stored, &message).await?, look) {
            ((Delivery::Sent, Some(written)), Look::Yes) => {
                Ok(self.find_message(slot, subject, &written.stored()).await)
            }
            ((Delivery::Sent, _), Look::No(why)) => Ok(Outcome::Unproved(why)),
            ((Delivery::Sent, None), Look::Yes) => Ok(Outcome::Unproved(None)),
            // It may have it where that is not known: from now on it is looked for.
            ((Delivery::Unknown(failure) | Delivery::NotSent(failure), _), _) => {
                self.context.metrics.heard(Protocol::Smtp, failure.reason);
                Ok(Outcome::Fails(failure))
            }
            ((Delivery::NotNoted, _), _) => Ok(Outcome::Unavailable),
        }
    }

    /// Sends `message`, with its note in the grant. Where the server does not have it there is no note
    /// afterwards. From the note on it comes to its end before the step can be called off.
    async fn deliver(
        &self,
        slot: &mut Slot,
        subject: &Subject<'_>,
        stored: &StoredGrant,
        message: &[u8],
    ) -> Result<(Delivery, Option<Written>), ClusterError> {
        let mail = Mail {
            from: &stored.grant.account.email,
            to: &self.spec.address,
            message,
        };
        let (mut sending, mut noted) = (None, None);
        let delivery = self.context.prober.deliver(slot, subject, &mail, async {
            sending = Some(self.observed.message.begin());
            let answer = noted.insert(self.note(stored).await);
            matches!(answer, Ok(Some(_)))
        });
        let server = &subject.servers.smtp;
        let in_time = async { Ok(delivery.await) };
        let ended = self.deadline.keep(SENDING, server, in_time).await;
        let delivery = match (ended, &noted) {
            (Ok(delivery), _) => delivery,
            (Err(failure), Some(Ok(Some(_)))) => Delivery::Unknown(failure),
            (Err(failure), _) => Delivery::NotSent(failure),
        };
        if sending.is_some() && !matches!(noted, Some(Ok(_))) {
            self.take_back_unanswered(stored).await;
        }
        let noted = noted.transpose()?.flatten();
        if let Some(written) = &noted {
            remember(self.context, written.clone());
            if matches!(delivery, Delivery::NotSent(_)) {
                let taken = self.take_back(written.stored(), &stored.grant.messages);
                if taken.await.is_err() {
                    self.take_back_unanswered(stored).await;
                }
            }
        }
        drop(sending);
        Ok((delivery, noted))
    }

    /// Whether the message can be looked for; where that is not known, IMAP is asked before anything
    /// is sent. The failure is one that may pass, or a login that is to be tried with a new token.
    async fn can_look(
        &self,
        slot: &mut Slot,
        subject: &Subject<'_>,
        sight: Sight,
        token: Token,
    ) -> Result<Look, Failure> {
        match sight {
            Sight::Clear => return Ok(Look::Yes),
            Sight::None => return Ok(Look::No(None)),
            Sight::Untried | Sight::Doubtful => {}
        }
        let opened = self.context.prober.can_look(slot, subject);
        let server = &subject.servers.imap;
        let opened = self.deadline.keep(LOGGING_IN, server, opened).await;
        match self.heard(Protocol::Imap, opened) {
            Ok(()) => Ok(Look::Yes),
            Err(failure) if is_refused_login(failure.reason) && token == Token::Believed => {
                Err(failure)
            }
            Err(failure) if failure.reason.again().is_permanent() => Ok(Look::No(Some(failure))),
            Err(failure) if sight == Sight::Untried => Err(failure),
            Err(failure) => Ok(Look::No(Some(failure))),
        }
    }

    fn compose(&self, test_id: &str, stored: &StoredGrant) -> Result<Vec<u8>, Failure> {
        let (context, observed, profile) = (self.context, self.observed, self.profile);
        let oauth = profile.spec.oauth_client.as_ref();
        let letter = Letter {
            mailbox: &observed.name,
            cluster: context.cluster_name.as_deref(),
            address: &self.spec.address,
            purpose: observed.purpose.as_deref(),
            contact: profile.spec.contact.as_deref(),
            app_name: oauth.and_then(|client| client.consent_screen.as_ref()?.app_name.as_deref()),
            page: observed.world.sign_in_page.url(),
            occasion: match stored.grant.messages.is_receipt(test_id) {
                true => Occasion::SignIn,
                false => Occasion::Retest,
            },
        };
        let message = compose(
            &stored.grant.account.email,
            &self.spec.address,
            &message_id(test_id),
            &letter.subject(),
            &letter.body(),
            Timestamp::now(),
        );
        message.map_err(|error| Failure {
            reason: Reason::MessageMalformed,
            doing: "writing the test message".to_owned(),
            detail: error.to_string(),
            reply: None,
        })
    }

    /// Before DATA, so that a crash from here on leads to looking, never to a second message.
    async fn note(&self, stored: &StoredGrant) -> Result<Option<Written>, ClusterError> {
        let Some(test) = self.observed.world.test.running() else {
            return Ok(None);
        };
        // The way here may have been long: another replica may lead by now.
        if !self.context.may_act() {
            return Ok(None);
        }
        let limit = self.observed.world.times.messages;
        ours(
            self.context
                .keeper
                .note_message(stored, &test.id, limit)
                .await,
        )
    }

    /// The server has said that it does not have the message: the next try may send it.
    async fn take_back(&self, noted: StoredGrant, before: &Messages) -> Result<(), ClusterError> {
        let keeper = &self.context.keeper;
        let taken = keeper.unnote_message(noted, before).await;
        if let Some(written) = ours(taken)? {
            remember(self.context, written);
        }
        Ok(())
    }

    /// The API server did not answer to the note or to its end, and the mail server does not have
    /// the message; what is stored tells whether it is noted all the same.
    async fn take_back_unanswered(&self, stored: &StoredGrant) {
        let test = self.observed.world.test.running();
        let test_id = test.map(|test| test.id.as_str()).unwrap_or_default();
        let grant = &stored.grant;
        for _ in 0..LOOKS_FOR_NOTE {
            let pause = self.context.pace.backoff_first;
            tokio::time::sleep(pause.into()).await;
            // Else another replica may have made it, and may be sending.
            if !self.context.may_act() {
                return;
            }
            let found = self.context.keeper.stored().get(&grant.mailbox_uid).await;
            let noted = match found {
                Ok(Some(Ok(found))) => found,
                Ok(_) => return,
                Err(_) => continue,
            };
            let same = noted.grant.signed_in_at == grant.signed_in_at;
            if !same || !noted.grant.messages.may_be_sent_by(test_id) {
                return;
            }
            if self.take_back(noted, &grant.messages).await.is_ok() {
                return;
            }
        }
        tracing::warn!(mailbox = %self.observed.name, "a test message is noted as sent that was not, since the API server does not answer; it is looked for");
    }

    /// A re-test's message is put away; the receipt of a sign-in stays.
    pub(super) async fn find_message(
        &self,
        slot: &mut Slot,
        subject: &Subject<'_>,
        stored: &StoredGrant,
    ) -> Outcome {
        let Some(test) = self.observed.world.test.running() else {
            return Outcome::Unavailable;
        };
        let afterwards = match stored.grant.messages.is_receipt(&test.id) {
            true => Afterwards::Stays,
            false => Afterwards::GoesToTrash,
        };
        let id = message_id(&test.id);
        let prober = &self.context.prober;
        let search = prober.find(slot, subject, &id, afterwards);
        let server = &subject.servers.imap;
        let search = self
            .deadline
            .keep(LOOKING, server, async { Ok(search.await) });
        match search.await.unwrap_or_else(Search::CannotLook) {
            Search::Found(folder, became) => {
                if let Became::Left(why) = became {
                    if let NotMoved::Failed(failure) = &why {
                        self.context.metrics.heard(Protocol::Imap, failure.reason);
                    }
                    tracing::warn!(mailbox = %self.observed.name, ?why, "the test's message arrived and was not moved to Trash: {why}");
                }
                match folder {
                    Folder::Inbox => Outcome::Arrived,
                    Folder::Spam => Outcome::ArrivedInSpam,
                }
            }
            Search::Missing(failure) => Outcome::Fails(failure),
            Search::CannotLook(failure) => {
                self.context.metrics.heard(Protocol::Imap, failure.reason);
                Outcome::Unseen(failure)
            }
        }
    }
}

/// Writing a grant asks nobody but the API server.
pub(super) fn ours(
    result: Result<Option<Written>, KeeperError>,
) -> Result<Option<Written>, ClusterError> {
    match result {
        Ok(written) => Ok(written),
        Err(KeeperError::Cluster(error)) => Err(error),
        Err(_) => Ok(None),
    }
}
