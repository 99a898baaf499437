use tracing::Instrument;

use super::observe::Observed;
use super::{Answered, MailboxMemory};
use crate::api::{Mailbox, MailboxStatus, TestRequestedBy};
use crate::cluster::ClusterError;
use crate::cluster::status::{CONTROLLER, apply};
use crate::cluster::watched::Watched;
use crate::controller::context::Context;
use crate::domain::mailbox::{Binding, Retry, Transition, World, report as status_of, transitions};
use crate::telemetry::metrics::{Kind, KindLabels};
use crate::telemetry::spans::step;

/// Writes what is new in one patch, tells the transition, and remembers what status does not show:
/// all that was found, where the API server did not take it. `mailbox` is then as it is stored, which
/// may be ahead of what was observed.
pub async fn report(
    context: &Context,
    mailbox: &mut Mailbox,
    observed: &Observed,
) -> Result<(), ClusterError> {
    let written = write(context, mailbox, observed)
        .instrument(step("report"))
        .await;
    match &written {
        Ok(()) => remember(context, &observed.world, Shown::Yes),
        Err(error) if error.is_gone() => {}
        Err(_) => remember(context, &observed.world, Shown::No),
    }
    written
}

async fn write(
    context: &Context,
    mailbox: &mut Mailbox,
    observed: &Observed,
) -> Result<(), ClusterError> {
    let world = &observed.world;
    let old = mailbox.status.as_ref();
    let status = status_of(world, old, observed.generation);
    if old.map(ours) != Some(status.clone()) {
        let written = apply(&context.client, mailbox, &status, CONTROLLER).await?;
        let labels = KindLabels {
            kind: Kind::Mailbox,
        };
        context.metrics.status_writes.get_or_create(&labels).inc();
        context.wake.count(context.census.written(&written));
        context.mailboxes.wrote(Watched(Ok(written.clone())));
        for Transition { condition, verdict } in transitions(old, world) {
            context
                .events
                .tell(mailbox, condition.name(), &verdict)
                .await;
        }
        *mailbox = written;
    }
    Ok(())
}

/// The status without what the web writes.
fn ours(status: &MailboxStatus) -> MailboxStatus {
    let mut status = status.clone();
    if let Some(sign_in) = &mut status.sign_in {
        sign_in.last_attempt = None;
    }
    status
}

/// Whether status shows what was found.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Shown {
    Yes,
    No,
}

fn remember(context: &Context, world: &World, shown: Shown) {
    let running = world.test.running();
    let retrying = [&world.test.incoming, &world.test.outgoing]
        .iter()
        .any(|direction| direction.retry != Retry::default());
    let quiet = running.is_some_and(|test| test.requested_by == TestRequestedBy::Schedule);
    let unshown = shown == Shown::No || (running.is_some() && (quiet || retrying));
    let memory = MailboxMemory {
        test: unshown.then(|| world.test.clone()),
        answered: (shown == Shown::No).then(|| Answered {
            own: world.answered_request.clone(),
            of_profile: world.answered_profile_request.clone(),
        }),
        renewal: world.renewal,
        hold: world.hold.clone(),
        reminder: world.reminder,
        binding: (world.binding != Binding::default()).then(|| world.binding.clone()),
    };
    let retries = [memory.renewal, memory.reminder];
    let idle = memory.test.is_none() && memory.binding.is_none() && memory.hold.is_none();
    if idle && retries == [Retry::default(); 2] {
        context.mailbox_memory.forget(&world.uid);
    } else {
        context.mailbox_memory.put(&world.uid, memory);
    }
}
