//! A step that talks to a mail server may take minutes; what it rests on may change meanwhile.

use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::assign::assign;
use super::observe::{Observed, stored_grant};
use crate::api::{Mailbox, SIGN_OUT_REQUESTED_ANNOTATION};
use crate::controller::context::Context;
use crate::domain::mailbox::{GrantView, ProfileView};

/// Returns when the result of a step that was decided on for `mailbox` is not wanted any more: its
/// spec has changed, it is being deleted, its owner has signed out, or its profile does not serve it
/// as before. Looking is cheap, and needs no list of whom to tell.
pub async fn unwanted(context: &Context, mailbox: &Mailbox, observed: &Observed) {
    let pause: Duration = context.pace.look_whether_wanted.into();
    loop {
        tokio::time::sleep(pause).await;
        if !is_wanted(context, mailbox, observed) {
            return;
        }
    }
}

fn is_wanted(context: &Context, mailbox: &Mailbox, observed: &Observed) -> bool {
    let name = &observed.name;
    let reference = ObjectRef::new(&name.name).within(&name.namespace);
    let Some(latest) = context.mailboxes.get(&reference) else {
        return false;
    };
    let Ok(now) = &latest.0 else { return false };
    let matters = |mailbox: &Mailbox| {
        (
            mailbox.metadata.generation,
            mailbox.metadata.deletion_timestamp.is_some(),
            mailbox
                .annotations()
                .get(SIGN_OUT_REQUESTED_ANNOTATION)
                .cloned(),
        )
    };
    matters(now) == matters(mailbox)
        && is_same_sign_in(context, observed)
        && is_served_as_before(context, mailbox, observed)
}

fn is_same_sign_in(context: &Context, observed: &Observed) -> bool {
    let now = stored_grant(context, &observed.world.uid);
    let now = now.map(|found| GrantView::from(&found.grant));
    match (&observed.world.grant, now) {
        (GrantView::Held(before), Some(GrantView::Held(now))) => {
            before.signed_in_at == now.signed_in_at && before.client_id == now.client_id
        }
        _ => false,
    }
}

/// How many connections a profile may have does not matter to one that is open.
fn is_served_as_before(context: &Context, mailbox: &Mailbox, observed: &Observed) -> bool {
    let Ok(spec) = &observed.world.spec else {
        return false;
    };
    let grant = observed.grant.as_ref();
    let (now, _) = assign(context, mailbox, &observed.name, spec, grant);
    match (&observed.world.profile, now) {
        (ProfileView::Ready(before), ProfileView::Ready(now)) => {
            before.name == now.name
                && before.client_id == now.client_id
                && before.token_endpoint == now.token_endpoint
                && before.servers == now.servers
                && before.trust == now.trust
        }
        _ => false,
    }
}
