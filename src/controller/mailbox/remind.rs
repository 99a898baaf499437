use jiff::Timestamp;

use super::conversation::Deadline;
use super::keep::remember;
use super::observe::Observed;
use super::round_trip::ours;
use crate::api::GmailServerProfile;
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;
use crate::controller::context::Context;
use crate::domain::address::EmailAddress;
use crate::domain::failure::Failure;
use crate::domain::grant::{EndCause, KnownEnd};
use crate::domain::mailbox::{Outcome, ProfileFacts, ProfileView, ValidSpec};
use crate::domain::profile::ValidProfile;
use crate::domain::reminder::{Reminder, is_given_up, message_id};
use crate::grant::Written;
use crate::mail::{NotComposed, compose};
use crate::probe::{Delivery, Mail, Slot, Subject};

/// What is done, for what is said when it takes too long.
const SENDING: &str = "sending the reminder to";

/// Sends the owner a reminder of `end`, once: what may have gone out is noted in the grant before.
pub async fn remind(
    context: &Context,
    observed: &Observed,
    profile: &GmailServerProfile,
    spec: &ValidSpec,
    stored: &StoredGrant,
    end: &KnownEnd,
    slot: &mut Slot,
) -> Result<Outcome, ClusterError> {
    let world = &observed.world;
    let ProfileView::Ready(facts) = &world.profile else {
        return Ok(Outcome::Unavailable);
    };
    let Ok(valid) = ValidProfile::new(&profile.spec, context.network.egress()) else {
        return Ok(Outcome::Unavailable);
    };
    let noting = Noting {
        context,
        stored,
        end: end.at,
    };
    let account = &stored.grant.account.email;
    let message = match letter(observed, profile, spec, facts, account, end) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(mailbox = %observed.name, %error, "the reminder that the sign-in ends cannot be written; none is sent");
            return noting.give_up().await;
        }
    };
    let subject = Subject {
        profile: &facts.name,
        ca_bundle: valid.ca_bundle.as_ref(),
        servers: &valid.servers,
        user: account.as_str(),
        token: &stored.grant.access.token,
    };
    let mail = Mail {
        from: account,
        to: &spec.address,
        message: &message,
    };
    let (mut sending, mut noted) = (None, Ok(None));
    let delivery = context.prober.deliver(slot, &subject, &mail, async {
        sending = Some(observed.message.begin());
        noted = noting.note().await;
        matches!(noted, Ok(Some(_)))
    });
    let server = &subject.servers.smtp;
    let deadline = Deadline::begin(&context.pace);
    let delivery = deadline.keep(SENDING, server, async { Ok(delivery.await) });
    let delivery = match (delivery.await, &noted) {
        (Ok(delivery), _) => delivery,
        (Err(failure), Ok(Some(_))) => Delivery::Unknown(failure),
        (Err(failure), _) => Delivery::NotSent(failure),
    };
    let settled = noting.settle(observed, delivery, noted?).await;
    drop(sending);
    settled
}

fn letter(
    observed: &Observed,
    profile: &GmailServerProfile,
    spec: &ValidSpec,
    facts: &ProfileFacts,
    account: &EmailAddress,
    end: &KnownEnd,
) -> Result<Vec<u8>, NotComposed> {
    let world = &observed.world;
    let oauth = profile.spec.oauth_client.as_ref();
    let letter = Reminder {
        mailbox: &observed.name,
        address: &spec.address,
        purpose: observed.purpose.as_deref(),
        contact: profile.spec.contact.as_deref(),
        app_name: oauth.and_then(|client| client.consent_screen.as_ref()?.app_name.as_deref()),
        end: *end,
        new_lasts: end.cause == EndCause::Testing && facts.audience.is_past_testing(),
        page: &world.sign_in_page,
    };
    compose(
        account,
        &spec.address,
        &message_id(&world.uid, end.at),
        &letter.subject(),
        &letter.body(),
        Timestamp::now(),
    )
}

/// The note in the grant that the owner may have been reminded.
struct Noting<'a> {
    context: &'a Context,
    stored: &'a StoredGrant,
    end: Timestamp,
}

impl Noting<'_> {
    async fn note(&self) -> Result<Option<Written>, ClusterError> {
        // The way here may have been long: another replica may lead by now.
        if !self.context.may_act() {
            return Ok(None);
        }
        ours(
            self.context
                .keeper
                .note_reminder(self.stored, self.end)
                .await,
        )
    }

    /// What is to be remembered of what became of the message.
    async fn settle(
        &self,
        observed: &Observed,
        delivery: Delivery,
        noted: Option<Written>,
    ) -> Result<Outcome, ClusterError> {
        match (delivery, noted) {
            (Delivery::Sent, Some(written)) => {
                tracing::info!(mailbox = %observed.name, ends = %self.end, "reminded the owner that the sign-in ends");
                Ok(remember(self.context, written))
            }
            (Delivery::Unknown(failure), Some(written)) => {
                tracing::warn!(mailbox = %observed.name, failure = %words(&failure), "the connection ended while the reminder that the sign-in ends was being sent; it may have arrived, so it is not sent again");
                Ok(remember(self.context, written))
            }
            (Delivery::NotSent(failure), written) if is_given_up(failure.reason) => {
                tracing::warn!(mailbox = %observed.name, failure = %words(&failure), "the server refused the reminder that the sign-in ends; it is not sent again");
                match written {
                    Some(written) => Ok(remember(self.context, written)),
                    None => self.give_up().await,
                }
            }
            (Delivery::NotSent(failure), written) => {
                tracing::warn!(mailbox = %observed.name, failure = %words(&failure), "the reminder that the sign-in ends could not be sent now; it is tried again");
                if let Some(written) = written {
                    self.take_back(&written).await?;
                }
                Ok(Outcome::Unavailable)
            }
            (_, None) | (Delivery::NotNoted, Some(_)) => Ok(Outcome::Unavailable),
        }
    }

    /// Notes it without sending anything.
    async fn give_up(&self) -> Result<Outcome, ClusterError> {
        Ok(match self.note().await? {
            Some(written) => remember(self.context, written),
            None => Outcome::Unavailable,
        })
    }

    async fn take_back(&self, written: &Written) -> Result<(), ClusterError> {
        let taken = self.context.keeper.unnote_reminder(written.stored()).await;
        if let Some(written) = ours(taken)? {
            remember(self.context, written);
        }
        Ok(())
    }
}

fn words(failure: &Failure) -> String {
    let parts = [
        Some(&failure.doing),
        Some(&failure.detail),
        failure.reply.as_ref(),
    ];
    let parts: Vec<&str> = parts
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(": ")
}
