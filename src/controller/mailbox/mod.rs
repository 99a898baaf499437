//! One Mailbox: observe, decide, act, report.

mod act;
mod assign;
mod binding;
mod cancel;
mod conversation;
mod keep;
mod observe;
mod remind;
mod report;
mod round_trip;
mod sign_out;
mod slot;
mod test;
mod turn;

pub use conversation::longest_visit;
use observe::Observed;
pub(super) use observe::stored_grant;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::SemaphorePermit;
use tracing::Instrument;

use super::context::{AnyMailbox, Context};
use super::guard::guarded;
use crate::api::Mailbox;
use crate::cluster::ClusterError;
use crate::domain::mailbox::{Binding, Hold, Outcome, Retry, Step, TestView, decide, fold};
use crate::domain::schedule::until;
use crate::probe::{Busy, Slot};
use crate::telemetry::metrics::{Kind, ReconcileLabels, ReconcileResult};
use crate::telemetry::spans;

/// When a Mailbox that waits to be called looks by itself: a call that was missed costs no more.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What this process remembers of a Mailbox: the test that status does not show yet, tries that are
/// made again, and how it saw the Secret for workloads.
#[derive(Clone, Debug, Default)]
pub struct MailboxMemory {
    pub test: Option<TestView>,
    pub answered: Option<Answered>,
    pub renewal: Retry,
    pub hold: Option<Hold>,
    pub reminder: Retry,
    pub binding: Option<Binding>,
}

/// The requests for a test that were answered, where status could not be told.
#[derive(Clone, Debug)]
pub struct Answered {
    pub own: Option<String>,
    pub of_profile: Option<String>,
}

/// Looks at one Mailbox.
pub async fn reconcile(
    object: Arc<AnyMailbox>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let step = one_step(&object, &context);
    guarded(&context, Kind::Mailbox, object.as_ref(), step).await
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
    let desk = context.desks.acquire().await.ok();
    // On the heap, and only from here on: most of those that are in work wait for a desk.
    Box::pin(async {
        let observed = observe::observe(context, mailbox).instrument(spans::step("observe"));
        let observed = observed.await?;
        if let Some(stored) = &observed.grant
            && stored.grant.deletion_policy != mailbox.spec.deletion_policy
        {
            context.wake.grant(&observed.world.uid, &context.namespace);
        }
        take_steps(context, mailbox, observed, desk).await
    })
    .await
}

/// Decides, acts and reports. The logins of a test follow each other at once and are reported
/// together where they are quick: the API server's work is most of what a test costs.
async fn take_steps(
    context: &Context,
    mailbox: &Mailbox,
    mut observed: Observed,
    mut desk: Option<SemaphorePermit<'_>>,
) -> Result<Action, ClusterError> {
    let mut shown = mailbox.clone();
    let mut slot = None;
    loop {
        let plan = spans::step("decide").in_scope(|| decide(&observed.world));
        let Some(step) = &plan.step else {
            context.slots.forget(&observed.name);
            turn::leave_round(context, &observed);
            report::report(context, &mut shown, &observed).await?;
            let wait = plan.wake.map(|wake| until(wake, observed.world.now));
            return Ok(wait.map_or_else(Action::await_change, Action::requeue));
        };
        if step.connects() && slot.is_none() {
            slot = match slot::take(context, &observed) {
                Ok(taken) => Some(taken),
                Err(busy) => return wait_for_call(context, &mut shown, observed, busy).await,
            };
        }
        // Others work while this one waits for a server.
        drop(desk.take());
        let acted = act_while_wanted(context, &mut shown, &observed, step, slot.as_mut()).await?;
        desk = context.desks.acquire().await.ok();
        let Some(outcome) = acted else {
            tracing::info!(mailbox = %observed.name, ?step, "ended a step of the test, since what it rests on has changed");
            return Ok(Action::requeue(Duration::ZERO));
        };
        observed.look_at_grant(context);
        // What cannot be done now must not be asked for in a tight loop.
        let pause = match outcome {
            Outcome::Unavailable => context.pace.backoff_first.into(),
            _ => Duration::ZERO,
        };
        let goes_on = matches!(outcome, Outcome::Started | Outcome::Works);
        // Thousands may be told so: when to look again is known at once.
        let held_back = matches!(outcome, Outcome::NotYet(_) | Outcome::HeldUntil(..));
        observed.round.answered_by(step, &mut observed.world);
        observed.world = fold(observed.world.at(Timestamp::now()), step, outcome);
        if held_back {
            continue;
        }
        let next = decide(&observed.world).step;
        if !goes_on || !matches!(next, Some(Step::TestIncoming | Step::TestOutgoing)) {
            drop(slot);
            report::report(context, &mut shown, &observed).await?;
            return Ok(Action::requeue(pause));
        }
    }
}

/// All places are taken. The Mailbox is called when its turn has come; meanwhile it keeps nobody
/// else from being worked on. Only a long wait is told: each telling is a write.
async fn wait_for_call(
    context: &Context,
    shown: &mut Mailbox,
    mut observed: Observed,
    busy: Busy,
) -> Result<Action, ClusterError> {
    let patience: Duration = context.pace.waiting.into();
    if busy.waited < patience {
        return Ok(Action::requeue(patience - busy.waited));
    }
    observed.world.waits = true;
    report::report(context, shown, &observed).await?;
    Ok(Action::requeue(LOOK_AGAIN))
}

/// Does one step, unless it connects to a mail server and its result is not wanted any more: then it
/// is dropped, and its connection with it. What must survive that is noted in the grant.
async fn act_while_wanted(
    context: &Context,
    shown: &mut Mailbox,
    observed: &Observed,
    step: &Step,
    slot: Option<&mut Slot>,
) -> Result<Option<Outcome>, ClusterError> {
    if !step.connects() {
        let outcome = act_visibly(context, shown, observed, step, slot).await?;
        return Ok(Some(outcome));
    }
    tokio::select! {
        outcome = act_visibly(context, shown, observed, step, slot) => outcome.map(Some),
        () = cancel::unwanted(context, observed) => Ok(None),
    }
}

/// Does one step; where it takes its time, status says meanwhile which one it is. The step goes on
/// while that is written, and whatever the API server says: its outcome is told again.
async fn act_visibly(
    context: &Context,
    shown: &mut Mailbox,
    observed: &Observed,
    step: &Step,
    slot: Option<&mut Slot>,
) -> Result<Outcome, ClusterError> {
    // On the heap: with a whole conversation in it it is too large for a stack.
    let mut act =
        Box::pin(act::act(context, observed, step, slot).instrument(spans::act(step.into())));
    tokio::select! {
        outcome = &mut act => return outcome,
        () = tokio::time::sleep(context.pace.progress.into()) => {}
    }
    let (outcome, told) = tokio::join!(act, report::report(context, shown, observed));
    if let Err(error) = told {
        tracing::warn!(mailbox = %observed.name, ?step, %error, "status does not say that this step is under way");
    }
    outcome
}
