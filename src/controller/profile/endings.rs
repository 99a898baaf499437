use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;

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
    let ends = context.census.ends(profile);
    let endings = Endings::of(ends, Timestamp::now(), context.pace.warn_before_end.into());
    let earliest = endings.earliest.map(Timestamp::as_second);
    context
        .metrics
        .endings(&labels_of(profile), earliest, endings.soon);
}

/// The labels of a profile.
pub fn labels_of(profile: &ObjectName) -> ProfileLabels {
    ProfileLabels {
        namespace: profile.namespace.clone(),
        profile: profile.name.clone(),
    }
}
