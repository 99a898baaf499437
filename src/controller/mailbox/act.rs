use jiff::Timestamp;

use super::binding;
use super::keep::{adopt, remember, renew, renewed, sign_out, take_place};
use super::observe::Observed;
use super::remind::remind;
use crate::api::GmailServerProfile;
use crate::api::Reason;
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;
use crate::controller::context::Context;
use crate::domain::failure::Failure;
use crate::domain::grant::Grant;
use crate::domain::mailbox::{Outcome, Step, ValidSpec};
use crate::domain::message::{Letter, message_id, stays_in_inbox};
use crate::domain::profile::ValidProfile;
use crate::grant::KeeperError;
use crate::mail::compose;
use crate::probe::{Parcel, Search, Slot, Subject};
use crate::telemetry::metrics::{Direction, ReasonLabel, TestLabels};

/// Does one step. What cannot be asked is an outcome too; an error is ours or the API server's.
pub async fn act(
    context: &Context,
    observed: &Observed,
    step: &Step,
    slot: Option<&mut Slot>,
) -> Result<Outcome, ClusterError> {
    match (step, &observed.grant) {
        (Step::StartTest(_), _) => return Ok(Outcome::Started),
        // After a pause of this process another replica may lead; it would do the same step.
        _ if !context.may_act() => return Ok(Outcome::Unavailable),
        // Whatever has become of the profile.
        (Step::SignOut, Some(stored)) => return sign_out(context, observed, stored).await,
        // A token goes also where there is neither a profile nor a grant.
        (Step::PublishToken | Step::WithdrawToken | Step::RemoveSecret(_), _) => {
            return binding::act(context, observed, step).await;
        }
        _ => {}
    }
    let profile = observed
        .profile
        .as_deref()
        .and_then(|profile| profile.0.as_ref().ok());
    let (Some(profile), Some(stored), Ok(spec)) = (profile, &observed.grant, &observed.world.spec)
    else {
        return Ok(Outcome::Unavailable);
    };
    match step {
        Step::Adopt { .. } => adopt(context, observed, profile, stored).await,
        Step::TakePlace => take_place(context, observed, stored).await,
        Step::Renew => renew(context, observed, profile, stored).await,
        Step::StartTest(_)
        | Step::SignOut
        | Step::PublishToken
        | Step::WithdrawToken
        | Step::RemoveSecret(_) => Ok(Outcome::Unavailable),
        Step::Remind(end) => match slot {
            Some(slot) => remind(context, observed, profile, spec, stored, end, slot).await,
            None => Ok(Outcome::Unavailable),
        },
        Step::TestIncoming | Step::TestOutgoing | Step::SendMessage | Step::FindMessage => {
            let Some(slot) = slot else {
                return Ok(Outcome::Unavailable);
            };
            let test = Test {
                context,
                observed,
                profile,
                spec,
                step,
            };
            let outcome = test.run(slot, stored).await?;
            test.count(&outcome);
            Ok(outcome)
        }
    }
}

/// One step of a test.
struct Test<'a> {
    context: &'a Context,
    observed: &'a Observed,
    profile: &'a GmailServerProfile,
    spec: &'a ValidSpec,
    step: &'a Step,
}

impl Test<'_> {
    async fn run(&self, slot: &mut Slot, stored: &StoredGrant) -> Result<Outcome, ClusterError> {
        let outcome = self.once(slot, stored).await?;
        // A token that is refused may have died early, and Google knows whether the grant has. Once
        // it was got in this test, the server means what it says: asking again would go on for ever.
        let refused = match &outcome {
            Outcome::Fails(failure) => matches!(
                failure.reason,
                Reason::LoginRefused | Reason::SmtpLoginRefused
            ),
            // After a message of this very step the same would send another one.
            Outcome::Unseen(failure) => {
                *self.step == Step::FindMessage && failure.reason == Reason::LoginRefused
            }
            _ => false,
        };
        let fresh = self
            .observed
            .world
            .test
            .running()
            .is_none_or(|test| stored.grant.access.issued_at >= test.started_at);
        if !refused || fresh {
            return Ok(outcome);
        }
        let (context, observed, profile) = (self.context, self.observed, self.profile);
        let keeper = &context.keeper;
        let result = keeper.renew_at_once(stored.clone(), profile, Timestamp::now());
        match renewed(context, observed, profile, stored, result.await)? {
            (_, Some(fresh)) if fresh.grant.ended.is_none() => self.once(slot, &fresh).await,
            _ => Ok(outcome),
        }
    }

    async fn once(&self, slot: &mut Slot, stored: &StoredGrant) -> Result<Outcome, ClusterError> {
        let Ok(valid) = ValidProfile::new(&self.profile.spec, self.context.network.egress()) else {
            return Ok(Outcome::Unavailable);
        };
        let Grant {
            account, access, ..
        } = &stored.grant;
        let Some(profile) = self.observed.world.profile.name() else {
            return Ok(Outcome::Unavailable);
        };
        let subject = Subject {
            profile,
            ca_bundle: valid.ca_bundle.as_ref(),
            servers: &valid.servers,
            user: account.email.as_str(),
            token: &access.token,
        };
        let prober = &self.context.prober;
        match self.step {
            Step::TestIncoming => Ok(prober
                .incoming(slot, &subject)
                .await
                .map_or_else(Outcome::Fails, |()| Outcome::Works)),
            Step::TestOutgoing => Ok(prober
                .outgoing(slot, &subject)
                .await
                .map_or_else(Outcome::Fails, |()| Outcome::Works)),
            Step::SendMessage => self.send_message(slot, &subject, stored).await,
            _ => Ok(self.find_message(slot, &subject).await),
        }
    }

    async fn send_message(
        &self,
        slot: &mut Slot,
        subject: &Subject<'_>,
        stored: &StoredGrant,
    ) -> Result<Outcome, ClusterError> {
        let Some(test) = self.observed.world.test.running() else {
            return Ok(Outcome::Unavailable);
        };
        let sender = match self.context.prober.sender(slot, subject).await {
            Ok(sender) => sender,
            Err(failure) => return Ok(Outcome::Fails(failure)),
        };
        let id = message_id(&test.id);
        let oauth = self.profile.spec.oauth_client.as_ref();
        let letter = Letter {
            mailbox: &self.observed.name,
            address: &self.spec.address,
            purpose: self.observed.purpose.as_deref(),
            contact: self.profile.spec.contact.as_deref(),
            app_name: oauth.and_then(|client| client.consent_screen.as_ref()?.app_name.as_deref()),
            page: self.observed.world.sign_in_page.url(),
            requested_by: test.requested_by,
        };
        let from = &stored.grant.account.email;
        let message = match compose(
            from,
            &self.spec.address,
            &id,
            &letter.subject(),
            &letter.body(),
            Timestamp::now(),
        ) {
            Ok(message) => message,
            Err(error) => return Ok(Outcome::Fails(not_composed(&error.to_string()))),
        };
        // Before DATA, so that a crash from here on leads to looking, never to a second message.
        match self
            .context
            .keeper
            .note_message(stored.clone(), &test.id)
            .await
        {
            Ok(Some(written)) => remember(self.context, written),
            Ok(None) => return Ok(Outcome::Unavailable),
            Err(KeeperError::Cluster(error)) => return Err(error),
            Err(_) => return Ok(Outcome::Unavailable),
        };
        let parcel = Parcel {
            address: &self.spec.address,
            sender: from,
            message: &message,
        };
        match sender.send(&parcel).await {
            Ok(()) => Ok(self.find_message(slot, subject).await),
            Err(failure) => Ok(Outcome::Fails(failure)),
        }
    }

    /// A re-test's message is put away; the receipt of a sign-in stays.
    async fn find_message(&self, slot: &mut Slot, subject: &Subject<'_>) -> Outcome {
        let Some(test) = self.observed.world.test.running() else {
            return Outcome::Unavailable;
        };
        let put_away = !stays_in_inbox(test.requested_by);
        let id = message_id(&test.id);
        let prober = &self.context.prober;
        match prober.find(slot, subject, &id, put_away).await {
            Search::Found(left) => {
                if let Some(failure) = left {
                    tracing::warn!(mailbox = %self.observed.name, ?failure, "the test's message arrived but could not be moved to Trash");
                }
                Outcome::Arrived
            }
            Search::Missing(failure) => Outcome::Fails(failure),
            Search::CannotLook(failure) => Outcome::Unseen(failure),
        }
    }

    fn count(&self, outcome: &Outcome) {
        let direction = if *self.step == Step::TestIncoming {
            Direction::Incoming
        } else {
            Direction::Outgoing
        };
        let reason = match outcome {
            Outcome::Fails(failure) | Outcome::Unseen(failure) => failure.reason,
            Outcome::Works | Outcome::Arrived => crate::api::Reason::Enabled,
            _ => return,
        };
        self.context
            .metrics
            .tests
            .get_or_create(&TestLabels {
                direction,
                reason: ReasonLabel(reason),
            })
            .inc();
    }
}

fn not_composed(detail: &str) -> Failure {
    Failure {
        reason: Reason::MessageRefused,
        doing: "writing the test message".to_owned(),
        detail: detail.to_owned(),
        reply: None,
    }
}
