//! A step that talks to a mail server may take minutes; what it rests on may change meanwhile.

use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::assign::assign;
use super::observe::{Observed, sign_out_annotation, stored_grant};
use crate::api::Mailbox;
use crate::controller::context::Context;
use crate::domain::mailbox::{GrantView, ProfileView, ValidSpec};

/// Returns when the result of a step that was decided on as `observed` says is not wanted any more:
/// what it tests has changed, the Mailbox is being deleted, its owner has signed out, or its profile
/// does not serve it as before. A message that may be on its way comes to its end first. Looking is
/// cheap, and needs no list of whom to tell.
pub async fn unwanted(context: &Context, observed: &Observed) {
    let pause: Duration = context.pace.look_whether_wanted.into();
    loop {
        tokio::time::sleep(pause).await;
        if !observed.message.may_be() && !is_wanted(context, observed) {
            return;
        }
    }
}

fn is_wanted(context: &Context, observed: &Observed) -> bool {
    let name = &observed.name;
    let reference = ObjectRef::new(&name.name).within(&name.namespace);
    let Some(latest) = context.mailboxes.get(&reference) else {
        return false;
    };
    let Ok(now) = &latest.0 else { return false };
    let (Ok(before), Ok(spec)) = (&observed.world.spec, ValidSpec::try_from(&now.spec)) else {
        return false;
    };
    now.uid().as_deref() == Some(&observed.world.uid)
        && now.metadata.deletion_timestamp.is_none()
        && sign_out_annotation(now) == observed.sign_out
        && is_same_test(before, &spec)
        && is_same_sign_in(context, observed)
        && is_served_as_before(context, now, &spec, observed)
}

/// Whether what is tested is the same: the profile is looked at by itself.
fn is_same_test(before: &ValidSpec, now: &ValidSpec) -> bool {
    let matters = |spec: &ValidSpec| {
        let accounts = (spec.address.clone(), spec.account.clone());
        let directions = (spec.incoming, spec.outgoing, spec.test_message);
        (spec.suspended, accounts, directions)
    };
    matters(before) == matters(now)
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
fn is_served_as_before(
    context: &Context,
    mailbox: &Mailbox,
    spec: &ValidSpec,
    observed: &Observed,
) -> bool {
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
