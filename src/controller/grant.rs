//! One grant: does its Mailbox still want it? There are no finalizers, so that a deletion never
//! hangs: the grant goes when a live GET says that its Mailbox is gone.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use super::context::{AnyMailbox, Context};
use super::guard::guarded;
use super::mailbox::stored_grant;
use super::revoke::revoke;
use crate::api::{DeletionPolicy, Mailbox};
use crate::cluster::ClusterError;
use crate::cluster::grants::{StoredGrant, stored};
use crate::domain::grant::Grant;
use crate::domain::schedule::{later, until};
use crate::grant::KeeperError;
use crate::telemetry::metrics::Kind;

/// Looks at one grant.
pub async fn reconcile(secret: Arc<Secret>, context: Arc<Context>) -> Result<Action, Infallible> {
    let step = one_step(&secret, &context);
    guarded(&context, Kind::Grant, secret.as_ref(), step).await
}

async fn one_step(secret: &Secret, context: &Context) -> Result<Action, ClusterError> {
    let Some(latest) = context.grants.get(&ObjectRef::from_obj(secret)) else {
        return Ok(Action::await_change());
    };
    let Ok(found) = stored(&latest) else {
        return Ok(Action::await_change());
    };
    let (name, uid) = (found.grant.mailbox.clone(), found.grant.mailbox_uid.clone());
    let watched = context
        .mailboxes
        .get(&ObjectRef::new(&name.name).within(&name.namespace))
        .filter(|mailbox| mailbox.uid().as_deref() == Some(&uid));
    if found.grant.signed_out_at.is_some() {
        let mailbox = watched.as_ref().and_then(|mailbox| mailbox.0.as_ref().ok());
        return revoke_and_delete(context, found, mailbox, "whose owner has signed out").await;
    }
    let now = Timestamp::now();
    let asked = found.grant.move_asked_at;
    let asked_until = asked.map(|at| later(at, context.pace.move_answer.into()));
    if asked_until.is_some_and(|until| until <= now) {
        return delete(context, found, "whose owner did not say that it moves here").await;
    }
    if let Some(mailbox) = watched {
        context.seen_alive.put(&uid, ());
        let action = keep_policy(context, &mailbox, found).await?;
        return Ok(asked_until.map_or(action, |until_then| Action::requeue(until(until_then, now))));
    }
    if !context.reach.may_look_into(&name.namespace) {
        // It may be there. The grant waits for the day when its namespace is looked after again.
        return Ok(Action::await_change());
    }
    let api: Api<Mailbox> = Api::namespaced(context.client.clone(), &name.namespace);
    let live = crate::cluster::call(
        || format!("reading the Mailbox {name}"),
        api.get_metadata_opt(&name.name),
    )
    .await?;
    if live.is_some_and(|live| live.metadata.uid.as_deref() == Some(&uid)) {
        if !context.reach.looks_after(&name.namespace) {
            // Looking every minute would never end.
            return Ok(Action::await_change());
        }
        return Ok(Action::requeue(Duration::from_secs(60)));
    }
    gone(context, found).await
}

/// The policy must outlive the Mailbox, so it is kept in the grant.
async fn keep_policy(
    context: &Context,
    mailbox: &AnyMailbox,
    found: StoredGrant,
) -> Result<Action, ClusterError> {
    let Ok(mailbox) = &mailbox.0 else {
        return Ok(Action::await_change());
    };
    let policy = mailbox.spec.deletion_policy;
    if found.grant.deletion_policy != policy || found.grant.orphaned_at.is_some() {
        update(context, found, move |grant| {
            grant.deletion_policy = policy;
            grant.orphaned_at = None;
        })
        .await?;
    }
    Ok(Action::await_change())
}

async fn gone(context: &Context, found: StoredGrant) -> Result<Action, ClusterError> {
    if was_adopted(context, &found.grant) {
        return delete(context, found, "that another Mailbox has taken over").await;
    }
    let (name, uid) = (found.grant.mailbox.clone(), found.grant.mailbox_uid.clone());
    let now = Timestamp::now();
    let seen_alive = context.seen_alive.get(&uid).is_some();
    let ends = match (found.grant.deletion_policy, found.grant.orphaned_at) {
        (DeletionPolicy::Retain, _) => None,
        // Its deletion happened while this process watched, so it was meant.
        (DeletionPolicy::Delete | DeletionPolicy::Revoke, _) if seen_alive => Some(now),
        // It was gone when this process started: a restore from a backup may bring it back.
        (DeletionPolicy::Delete | DeletionPolicy::Revoke, since) => {
            Some(later(since.unwrap_or(now), context.pace.orphan.into()))
        }
    };
    if ends.is_some_and(|ends| ends <= now) {
        // Nobody may adopt what is about to end.
        context.orphans.forget(&name.to_string());
        let action = match found.grant.deletion_policy {
            DeletionPolicy::Revoke => {
                revoke_and_delete(context, found, None, "of a Mailbox that is gone").await?
            }
            _ => delete(context, found, "of a Mailbox that is gone").await?,
        };
        return Ok(action);
    }
    context.orphans.put(&name.to_string(), uid);
    context.wake.mailbox(&name);
    if found.grant.orphaned_at.is_none() {
        tracing::info!(mailbox = %name, "found a grant without its Mailbox; a Mailbox of the same name and address adopts it");
        update(context, found, move |grant| grant.orphaned_at = Some(now)).await?;
    }
    Ok(ends.map_or_else(Action::await_change, |ends| {
        Action::requeue(until(ends, now))
    }))
}

/// Whether the Mailbox of its name has the same sign-in: a crash came between the two writes of an adoption.
fn was_adopted(context: &Context, old: &Grant) -> bool {
    let name = &old.mailbox;
    let heir = ObjectRef::new(&name.name).within(&name.namespace);
    let heir = context.mailboxes.get(&heir).and_then(|heir| heir.uid());
    heir.and_then(|uid| stored_grant(context, &uid))
        .is_some_and(|new| {
            new.grant.mailbox_uid != old.mailbox_uid
                && new.grant.account.is_same(&old.account)
                && new.grant.signed_in_at == old.signed_in_at
        })
}

/// Deletes a grant, after it was tried to revoke it.
async fn revoke_and_delete(
    context: &Context,
    found: StoredGrant,
    mailbox: Option<&Mailbox>,
    which: &str,
) -> Result<Action, ClusterError> {
    // After a pause of this process another replica may lead; it would do the same.
    if !context.may_act() {
        return Ok(Action::requeue(context.pace.backoff_first.into()));
    }
    match revoke(context, &found.grant, mailbox).await? {
        Some(wait) => Ok(Action::requeue(wait)),
        None => delete(context, found, which).await,
    }
}

async fn delete(
    context: &Context,
    found: StoredGrant,
    which: &str,
) -> Result<Action, ClusterError> {
    let (name, uid) = (found.grant.mailbox.clone(), found.grant.mailbox_uid.clone());
    context.keeper.delete(found).await?;
    context.seen_alive.forget(&uid);
    tracing::info!(mailbox = %name, "deleted the grant {which}");
    Ok(Action::await_change())
}

async fn update(
    context: &Context,
    found: StoredGrant,
    change: impl Fn(&mut crate::domain::grant::Grant),
) -> Result<(), ClusterError> {
    match context.keeper.update(found, change).await {
        Ok(Some(written)) => {
            context.grants.wrote(written.secret);
            Ok(())
        }
        Err(KeeperError::Cluster(error)) => Err(error),
        _ => Ok(()),
    }
}
