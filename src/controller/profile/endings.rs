use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;

use crate::api::{MailboxCondition, MailboxStatus};
use crate::controller::context::Context;
use crate::domain::name::ObjectName;
use crate::domain::profile::Endings;
use crate::telemetry::metrics::ProfileLabels;

/// Tells in metrics when the sign-ins of a profile's mailboxes are known to end.
pub fn tell(context: &Context, profile: &ObjectName) {
    let reference = ObjectRef::new(&profile.name).within(&profile.namespace);
    // Deleted while it was looked at: its series must not come back.
    if context.profiles.store().get(&reference).is_none() {
        return;
    }
    let mailboxes = context.mailboxes.store().state();
    let ends = mailboxes
        .iter()
        .filter_map(|mailbox| mailbox.0.as_ref().ok()?.status.as_ref())
        .filter_map(|status| end_of(status, profile));
    let endings = Endings::of(ends, Timestamp::now(), context.pace.warn_before_end.into());
    let earliest = endings.earliest.map(Timestamp::as_second);
    context
        .metrics
        .endings(&labels_of(profile), earliest, endings.soon);
}

/// The end of a sign-in that works, of a mailbox of `profile`.
fn end_of(status: &MailboxStatus, profile: &ObjectName) -> Option<Timestamp> {
    let used = status.profile.as_ref()?;
    let is_signed_in = status
        .conditions
        .iter()
        .any(|c| c.type_ == MailboxCondition::SignedIn.name() && c.status == "True");
    let ours = used.name == profile.name && used.namespace == profile.namespace;
    let end = status.sign_in.as_ref()?.expires_at.as_ref()?;
    (ours && is_signed_in).then_some(end.0)
}

/// The labels of a profile.
pub fn labels_of(profile: &ObjectName) -> ProfileLabels {
    ProfileLabels {
        namespace: profile.namespace.clone(),
        profile: profile.name.clone(),
    }
}
