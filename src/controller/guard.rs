use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use tracing::Instrument;

use super::context::Context;
use super::mailbox::longest_visit;
use crate::cluster::ClusterError;
use crate::telemetry::metrics::{Kind, ReconcileResult};
use crate::telemetry::spans;

/// Runs one reconcile so that whatever happens in it hurts this object only: a panic is caught, an
/// endless one is ended, and an error is tried again after a wait of the object's own.
pub async fn guarded(
    context: &Context,
    kind: Kind,
    object: &impl ResourceExt,
    reconcile: impl Future<Output = Result<Action, ClusterError>>,
) -> Result<Action, Infallible> {
    if context
        .filled
        .clone()
        .wait_for(|filled| *filled)
        .await
        .is_err()
    {
        return Ok(Action::await_change());
    }
    let namespace = object.namespace().unwrap_or_default();
    let span = spans::reconcile(kind, &namespace, &object.name_any());
    let uid = object.uid().unwrap_or_default();
    let begun = Instant::now();
    let ended = outcome(context, &uid, reconcile).instrument(span.clone());
    let (result, action) = ended.await;
    spans::reconciled(&span, result);
    context.metrics.reconciled(kind, result, begun.elapsed());
    Ok(action)
}

/// How `reconcile` of the object `uid` ends, and when the object is looked at again.
async fn outcome(
    context: &Context,
    uid: &str,
    reconcile: impl Future<Output = Result<Action, ClusterError>>,
) -> (ReconcileResult, Action) {
    // Every step ends by itself before, and nobody waits for a connection's place here.
    let longest = longest_visit(&context.pace);
    let caught = AssertUnwindSafe(reconcile).catch_unwind();
    match tokio::time::timeout(longest, caught).await {
        Ok(Ok(Ok(action))) => {
            context.backoff.forget(uid);
            (ReconcileResult::Ok, action)
        }
        // Deleted meanwhile: there is nobody to report to.
        Ok(Ok(Err(error))) if error.is_gone() => {
            context.backoff.forget(uid);
            (ReconcileResult::Ok, Action::await_change())
        }
        Ok(Ok(Err(error))) => {
            let wait = context.backoff.failed(uid);
            tracing::warn!(uid, %error, retry_in_s = wait.as_secs_f32(), "a reconcile could not be completed; it is tried again");
            (ReconcileResult::Error, Action::requeue(wait))
        }
        Ok(Err(_)) => {
            tracing::error!(
                uid,
                "a reconcile panicked: this is a bug in gmail-operator; it is tried again"
            );
            (
                ReconcileResult::Panic,
                Action::requeue(context.backoff.failed(uid)),
            )
        }
        Err(_) => {
            tracing::error!(
                uid,
                longest_s = longest.as_secs(),
                "a reconcile took longer than any can and was ended: this is a bug in gmail-operator; it is tried again"
            );
            (
                ReconcileResult::TimedOut,
                Action::requeue(context.backoff.failed(uid)),
            )
        }
    }
}
