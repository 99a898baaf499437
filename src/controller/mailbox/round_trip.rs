//! The test's message: sent to the mailbox itself, at most once, and looked for.

use jiff::Timestamp;

use super::keep::remember;
use super::test::{Test, Token, is_refused_login};
use crate::api::Reason;
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;
use crate::domain::failure::Failure;
use crate::domain::grant::Messages;
use crate::domain::mailbox::{Outcome, Sight};
use crate::domain::message::{Letter, Occasion, message_id};
use crate::grant::{KeeperError, Written};
use crate::mail::compose;
use crate::probe::{Afterwards, Delivery, Folder, Mail, Search, Slot, Subject};
use crate::telemetry::metrics::Protocol;

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
        let mail = Mail {
            from: &stored.grant.account.email,
            to: &self.spec.address,
            message: &message,
        };
        let mut noted = Ok(None);
        let prober = &self.context.prober;
        let delivery = prober.deliver(slot, subject, &mail, async {
            noted = self.note(stored, &test.id).await;
            matches!(noted, Ok(Some(_)))
        });
        let delivery = delivery.await;
        let noted = noted?;
        if let Some(written) = &noted {
            remember(self.context, written.clone());
        }
        match (delivery, noted, look) {
            (Delivery::Sent, Some(written), Look::Yes) => {
                Ok(self.find_message(slot, subject, &written.stored()).await)
            }
            (Delivery::Sent, _, Look::No(why)) => Ok(Outcome::Unproved(why)),
            (Delivery::Sent, None, Look::Yes) => Ok(Outcome::Unproved(None)),
            // The server may have it: from now on it is looked for.
            (Delivery::Unknown(failure), _, _) => self.not_sent(failure),
            (Delivery::NotSent(failure), written, _) => {
                if let Some(written) = written {
                    self.take_back(&written, &stored.grant.messages).await?;
                }
                self.not_sent(failure)
            }
            (Delivery::NotNoted, _, _) => Ok(Outcome::Unavailable),
        }
    }

    fn not_sent(&self, failure: Failure) -> Result<Outcome, ClusterError> {
        self.context.metrics.heard(Protocol::Smtp, failure.reason);
        Ok(Outcome::Fails(failure))
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
        let opened = self.context.prober.can_look(slot, subject).await;
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
    async fn note(
        &self,
        stored: &StoredGrant,
        test_id: &str,
    ) -> Result<Option<Written>, ClusterError> {
        // The way here may have been long: another replica may lead by now.
        if !self.context.may_act() {
            return Ok(None);
        }
        let limit = self.observed.world.times.messages;
        ours(
            self.context
                .keeper
                .note_message(stored, test_id, limit)
                .await,
        )
    }

    /// The server has said that it does not have the message: the next try may send it.
    async fn take_back(&self, written: &Written, before: &Messages) -> Result<(), ClusterError> {
        let keeper = &self.context.keeper;
        let taken = keeper.unnote_message(written.stored(), before).await;
        if let Some(written) = ours(taken)? {
            remember(self.context, written);
        }
        Ok(())
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
        match prober.find(slot, subject, &id, afterwards).await {
            Search::Found(folder, left) => {
                if let Some(failure) = left {
                    self.context.metrics.heard(Protocol::Imap, failure.reason);
                    tracing::warn!(mailbox = %self.observed.name, ?failure, "the test's message arrived but could not be moved to Trash");
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
