//! One Mailbox: observe, decide, act, report.

mod act;
mod observe;
mod report;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;

use super::context::{AnyMailbox, Context};
use super::guard::guarded;
use crate::cluster::ClusterError;
use crate::domain::mailbox::{Outcome, Retry, TestView, decide, fold};
use crate::domain::schedule::until;
use crate::telemetry::metrics::{Kind, ReconcileLabels, ReconcileResult};

/// What this process remembers of a Mailbox: the routine re-test that status does not show yet, and
/// tries that are made again.
#[derive(Clone, Debug, Default)]
pub struct MailboxMemory {
    pub test: Option<TestView>,
    pub renewal: Retry,
}

/// Looks at one Mailbox.
pub async fn reconcile(
    object: Arc<AnyMailbox>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let uid = object.uid().unwrap_or_default();
    guarded(&context, Kind::Mailbox, &uid, one_step(&object, &context)).await
}

async fn one_step(object: &AnyMailbox, context: &Context) -> Result<Action, ClusterError> {
    let Some(latest) = context.mailboxes.get(&ObjectRef::from_obj(object)) else {
        return Ok(Action::await_change());
    };
    let mailbox = match &latest.0 {
        Ok(mailbox) if mailbox.metadata.deletion_timestamp.is_none() => mailbox,
        Ok(_) => return Ok(Action::await_change()),
        Err(invalid) => {
            let name = format!(
                "{}/{}",
                latest.namespace().unwrap_or_default(),
                latest.name_any()
            );
            tracing::warn!(mailbox = name, error = %invalid.error, "this Mailbox cannot be read and is left alone until it is corrected");
            context
                .metrics
                .reconciles
                .get_or_create(&ReconcileLabels {
                    kind: Kind::Mailbox,
                    result: ReconcileResult::Invalid,
                })
                .inc();
            return Ok(Action::await_change());
        }
    };
    let observed = observe::observe(context, mailbox).await?;
    let plan = decide(&observed.world);
    let (world, next) = match &plan.step {
        Some(step) => {
            let outcome = act::act(context, &observed, step).await?;
            // What cannot be done now must not be asked for in a tight loop.
            let pause = match outcome {
                Outcome::Unavailable => context.pace.backoff_first.into(),
                _ => Duration::ZERO,
            };
            let world = fold(observed.world.at(Timestamp::now()), step, outcome);
            (world, Action::requeue(pause))
        }
        None => {
            let wait = plan.wake.map(|wake| until(wake, observed.world.now));
            (
                observed.world,
                wait.map_or_else(Action::await_change, Action::requeue),
            )
        }
    };
    report::report(context, mailbox, &world).await?;
    Ok(next)
}
