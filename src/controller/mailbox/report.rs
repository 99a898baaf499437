use super::MailboxMemory;
use crate::api::{Mailbox, MailboxStatus, TestRequestedBy};
use crate::cluster::ClusterError;
use crate::cluster::status::{CONTROLLER, apply};
use crate::cluster::watched::Watched;
use crate::controller::context::Context;
use crate::domain::mailbox::{Binding, Retry, Transition, World, report as status_of, transitions};
use crate::telemetry::metrics::{Kind, KindLabels};

/// Writes what is new in one patch, tells the transition, and remembers what status does not show.
/// `mailbox` is then as it is stored.
pub async fn report(
    context: &Context,
    mailbox: &mut Mailbox,
    world: &World,
) -> Result<(), ClusterError> {
    let old = mailbox.status.as_ref();
    let status = status_of(world, old, mailbox.metadata.generation);
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
    remember(context, world);
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

fn remember(context: &Context, world: &World) {
    let running = world.test.running();
    let retrying = [&world.test.incoming, &world.test.outgoing]
        .iter()
        .any(|direction| direction.retry != Retry::default());
    let quiet = running.is_some_and(|test| test.requested_by == TestRequestedBy::Schedule);
    let test = (running.is_some() && (quiet || retrying)).then(|| world.test.clone());
    let memory = MailboxMemory {
        test,
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
