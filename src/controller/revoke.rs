//! A grant is revoked before it is deleted, as far as that can be done: it holds up no deletion for
//! long, and ends nothing that another Mailbox needs.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::context::{AnyProfile, Context};
use crate::api::{DeletionPolicy, Mailbox, Reason};
use crate::cluster::ClusterError;
use crate::domain::grant::Grant;
use crate::domain::name::ObjectName;
use crate::domain::revocation::is_needed;
use crate::domain::schedule::backoff;
use crate::domain::verdict::Verdict;
use crate::grant::RevokeError;

/// How often it is tried.
const TRIES: u32 = 3;

/// Revokes `grant`, by one try. Returns how long to wait before the next one; `None` where there is
/// nothing left to do, for better or worse. `mailbox` is told, where it is still there.
pub async fn revoke(
    context: &Context,
    grant: &Grant,
    mailbox: Option<&Mailbox>,
) -> Result<Option<Duration>, ClusterError> {
    let (name, uid) = (&grant.mailbox, &grant.mailbox_uid);
    if grant.ended.is_some() {
        return Ok(None);
    }
    if is_needed_by_another(context, grant).await? {
        tracing::info!(mailbox = %name, "the grant is deleted and not revoked: another Mailbox of the same account and Google Cloud project needs it");
        context.revocations.forget(uid);
        return Ok(None);
    }
    let profile = profile_of(context, &grant.profile);
    let of_grant = profile.as_ref().and_then(|profile| profile.0.as_ref().ok());
    let tried = context.revocations.get(uid).unwrap_or_default() + 1;
    let error = match context.keeper.revoke(grant, of_grant).await {
        Ok(()) => {
            tracing::info!(mailbox = %name, "revoked the grant");
            context.revocations.forget(uid);
            return Ok(None);
        }
        Err(error) => error,
    };
    if matches!(error, RevokeError::Unavailable(_)) && tried < TRIES {
        context.revocations.put(uid, tried);
        let pace = &context.pace;
        let (first, longest) = (pace.backoff_first.into(), pace.backoff_longest.into());
        tracing::warn!(mailbox = %name, %error, "the grant could not be revoked; it is tried again");
        return Ok(Some(backoff(tried, first, longest, uid)));
    }
    context.revocations.forget(uid);
    tracing::warn!(mailbox = %name, %error, tried, "the grant could not be revoked and is deleted all the same; its owner can end the access at https://myaccount.google.com/connections");
    let verdict = Verdict::no(Reason::NotRevoked, &format!("{name}: {error}"));
    match (mailbox, of_grant) {
        (Some(mailbox), _) => context.events.transition(mailbox, None, &verdict).await,
        (None, Some(profile)) => context.events.transition(profile, None, &verdict).await,
        (None, None) => {}
    }
    Ok(None)
}

/// Asked live: a sign-in of a moment ago must not be cut off.
async fn is_needed_by_another(context: &Context, grant: &Grant) -> Result<bool, ClusterError> {
    let others = context.keeper.of_account(grant).await?;
    Ok(others
        .iter()
        .any(|other| is_needed(grant, other, is_leaving(context, other))))
}

/// Whether it will be deleted because its Mailbox was.
fn is_leaving(context: &Context, grant: &Grant) -> bool {
    let ObjectName { namespace, name } = &grant.mailbox;
    let mailbox = context
        .mailboxes
        .get(&ObjectRef::new(name).within(namespace));
    let gone = mailbox.and_then(|mailbox| mailbox.uid()).as_ref() != Some(&grant.mailbox_uid);
    let seen_alive = context.seen_alive.get(&grant.mailbox_uid).is_some();
    gone && seen_alive && grant.deletion_policy != DeletionPolicy::Retain
}

fn profile_of(context: &Context, name: &ObjectName) -> Option<Arc<AnyProfile>> {
    let reference = ObjectRef::new(&name.name).within(&name.namespace);
    context.profiles.get(&reference)
}
