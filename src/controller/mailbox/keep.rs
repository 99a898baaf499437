//! What is done about a grant: adopted, given its place, renewed, signed out.

use std::time::Instant;

use jiff::Timestamp;

use super::observe::{Observed, limit};
use crate::api::{GmailServerProfile, Reason};
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;
use crate::controller::context::{Context, object_name};
use crate::controller::places::Change;
use crate::controller::wake::places_changed;
use crate::domain::mailbox::{GrantView, Hold, Outcome};
use crate::grant::{HeldBack, KeeperError, NotYet, Renewal, Written};
use crate::telemetry::metrics::{
    HeldBackLabel, HeldBackLabels, RenewalResult, ResultLabels, TestedStep,
};

pub(super) async fn adopt(
    context: &Context,
    observed: &Observed,
    profile: &GmailServerProfile,
    stored: &StoredGrant,
) -> Result<Outcome, ClusterError> {
    let uid = &observed.world.uid;
    let keeper = &context.keeper;
    let adopted = keeper.adopt(stored.clone(), uid, profile, Timestamp::now());
    match adopted.await {
        Ok(Renewal::Written(written)) => {
            context.orphans.forget(&observed.name.to_string());
            tracing::info!(mailbox = %observed.name, "adopted the sign-in of the Mailbox that was here before");
            Ok(remember(context, *written))
        }
        Ok(Renewal::NotYet(not_yet)) => Ok(held_back(context, observed, &not_yet)),
        Ok(Renewal::Overtaken) => Ok(Outcome::Unavailable),
        Err(KeeperError::Cluster(error)) => Err(error),
        Err(error) => {
            look_at_client(context, profile, &error);
            Ok(unavailable(observed, &error))
        }
    }
}

/// The owner's sign-in ends here: it is not used from now on, and goes as one that was ended on the
/// page.
pub(super) async fn sign_out(
    context: &Context,
    observed: &Observed,
    stored: &StoredGrant,
) -> Result<Outcome, ClusterError> {
    let now = Timestamp::now();
    let written = context
        .keeper
        .update(stored.clone(), |grant| {
            grant.signed_out_at.get_or_insert(now);
        })
        .await;
    match written {
        Ok(Some(written)) => {
            tracing::info!(mailbox = %observed.name, "signed out, as its annotation asks");
            Ok(remember(context, written))
        }
        Err(KeeperError::Cluster(error)) => Err(error),
        _ => Ok(Outcome::Unavailable),
    }
}

/// The profile is told what its client's answer, or its Secret, says of it.
fn look_at_client(context: &Context, profile: &GmailServerProfile, error: &KeeperError) {
    match error {
        KeeperError::ClientRefused { .. } => context.recheck_client(profile),
        // Its Secret has changed since it was looked at.
        KeeperError::ForeignGrant { .. } => context.wake.profile(&object_name(profile)),
        _ => {}
    }
}

/// Two sign-ins may ask for the last place at once: the books give it to one of them, and only then
/// is it written.
pub(super) async fn take_place(
    context: &Context,
    observed: &Observed,
    stored: &StoredGrant,
) -> Result<Outcome, ClusterError> {
    let Some(capacity) = observed.world.profile.capacity() else {
        return Ok(Outcome::Unavailable);
    };
    let grant = &stored.grant;
    let limit = limit(capacity, grant, &observed.world.test);
    if !context.places.take(grant, limit, &observed.name) {
        return Ok(Outcome::NoPlace);
    }
    let now = Timestamp::now();
    let written = context
        .keeper
        .update(stored.clone(), |grant| grant.place_taken_at = Some(now))
        .await;
    let failed = match written {
        Ok(Some(written)) => {
            places_changed(context, Some(Change::Taken(grant.project())));
            return Ok(remember(context, written));
        }
        Err(KeeperError::Cluster(error)) => Err(error),
        _ => Ok(Outcome::Unavailable),
    };
    // Its answer may be lost though it was written: what is stored decides.
    let kept = match context.keeper.stored().get(&grant.mailbox_uid).await {
        Ok(Some(Ok(newest))) => newest.grant.place_taken_at.is_some(),
        Ok(_) => false,
        // Tried again, and then it is seen.
        Err(_) => true,
    };
    if !kept {
        places_changed(context, context.places.give_back(&grant.mailbox_uid));
    }
    failed
}

pub(super) async fn renew(
    context: &Context,
    observed: &Observed,
    profile: &GmailServerProfile,
    stored: &StoredGrant,
) -> Result<Outcome, ClusterError> {
    let (keeper, began) = (&context.keeper, Instant::now());
    let result = keeper
        .renew(stored.clone(), profile, Timestamp::now())
        .await;
    if !matches!(result, Ok(Renewal::NotYet(_))) {
        context
            .metrics
            .step_took(TestedStep::Token, began.elapsed());
    }
    let (outcome, _) = renewed(context, observed, profile, stored, result)?;
    Ok(outcome)
}

/// The outcome of a renewal, and the new grant where there is one.
pub(super) fn renewed(
    context: &Context,
    observed: &Observed,
    profile: &GmailServerProfile,
    stored: &StoredGrant,
    result: Result<Renewal, KeeperError>,
) -> Result<(Outcome, Option<StoredGrant>), ClusterError> {
    let counted = |result| {
        context
            .metrics
            .renewals
            .get_or_create(&ResultLabels { result })
            .inc()
    };
    match result {
        Ok(Renewal::Written(written)) => {
            counted(if written.grant.ended.is_some() {
                RenewalResult::Ended
            } else {
                RenewalResult::Ok
            });
            let left = stored
                .grant
                .access
                .expires_at
                .duration_since(Timestamp::now());
            context.metrics.renewal_margin.observe(left.as_secs_f64());
            let stored = written.stored();
            Ok((remember(context, *written), Some(stored)))
        }
        Ok(Renewal::NotYet(not_yet)) => Ok((held_back(context, observed, &not_yet), None)),
        Ok(Renewal::Overtaken) => Ok((Outcome::Unavailable, None)),
        Err(KeeperError::Cluster(error)) => Err(error),
        Err(error) => {
            counted(RenewalResult::Unavailable);
            look_at_client(context, profile, &error);
            Ok((unavailable(observed, &error), None))
        }
    }
}

/// Nothing was sent. It is no failure, and there may be thousands.
fn held_back(context: &Context, observed: &Observed, not_yet: &NotYet) -> Outcome {
    let NotYet { until, because } = *not_yet;
    tracing::debug!(mailbox = %observed.name, %until, ?because, "the access token is not renewed yet");
    let label = match because {
        HeldBack::Line => HeldBackLabel::Line,
        HeldBack::Circuit => HeldBackLabel::Circuit,
        HeldBack::Pause => HeldBackLabel::Pause,
    };
    let labels = HeldBackLabels { because: label };
    context.metrics.held_back.get_or_create(&labels).inc();
    match because {
        HeldBack::Line => Outcome::NotYet(until),
        HeldBack::Circuit | HeldBack::Pause => Outcome::HeldUntil(
            until,
            Hold {
                reason: Reason::GoogleUnavailable,
                detail: String::new(),
            },
        ),
    }
}

/// Lays what was written over what the watch has shown.
pub(super) fn remember(context: &Context, written: Written) -> Outcome {
    let view = GrantView::from(&written.grant);
    context.grants.wrote(written.secret);
    Outcome::Grant(Box::new(view))
}

fn unavailable(observed: &Observed, error: &KeeperError) -> Outcome {
    tracing::warn!(mailbox = %observed.name, %error, "the access token could not be renewed now; it is tried again");
    Outcome::Held(hold(observed, error))
}

/// Why the access token cannot be proved, as the Mailbox may be told: one of another namespace learns
/// that its profile is not ready, not why.
fn hold(observed: &Observed, error: &KeeperError) -> Hold {
    let reason = match error {
        KeeperError::Google(_) => {
            return Hold {
                reason: Reason::GoogleUnavailable,
                detail: error.to_string(),
            };
        }
        KeeperError::Client(error) => error.reason(),
        KeeperError::ClientRefused { reason, .. } => *reason,
        KeeperError::ForeignGrant { .. } | KeeperError::Cluster(_) => Reason::ProfileNotReady,
    };
    let profile = observed.world.profile.name();
    match profile.filter(|profile| profile.namespace == observed.name.namespace) {
        Some(profile) => Hold {
            reason,
            detail: profile.to_string(),
        },
        None => Hold {
            reason: Reason::ProfileNotReady,
            detail: String::new(),
        },
    }
}
