use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::{GmailServerProfile, Mailbox, Reason};
use crate::cluster::grants::StoredGrant;
use crate::controller::context::{AnyProfile, Context, object_name};
use crate::domain::mailbox::{ProfileView, ValidSpec};
use crate::domain::name::ObjectName;
use crate::domain::oauth_client::Project;
use crate::domain::profile::{Choice, Offer, Room, Seeker, capacity_of, choose, project_of, view};

/// Finds the profile that serves `mailbox`, and counts the Mailbox there.
pub fn assign(
    context: &Context,
    mailbox: &Mailbox,
    name: &ObjectName,
    spec: &ValidSpec,
    grant: Option<&StoredGrant>,
) -> (ProfileView, Option<Arc<AnyProfile>>) {
    let no_labels = BTreeMap::new();
    let namespace = context.namespace(&name.namespace);
    let current = mailbox.status.as_ref();
    let current = current.and_then(|status| status.profile.as_ref());
    let current = current.map(|profile| ObjectName::new(&profile.namespace, &profile.name));
    let seeker = Seeker {
        namespace: &name.namespace,
        labels: namespace
            .as_ref()
            .and_then(|namespace| namespace.metadata.labels.as_ref())
            .unwrap_or(&no_labels),
        address: &spec.address,
        account: &spec.account,
        profile_ref: spec.profile_ref.as_ref(),
        current: current.as_ref(),
        signed_in: grant.map(|stored| &stored.grant.profile),
    };
    let candidates = candidates(context, seeker.settled().as_ref());
    let uid = mailbox.uid().unwrap_or_default();
    // Before the choice, so that a place which is given back meanwhile is not missed.
    context.places.wait(name, None);
    let (choice, changed) = context.census.choose(&uid, |assigned| {
        choose(&seeker, offers(context, &candidates, assigned).into_iter())
    });
    context.wake.count(changed);
    if choice != Choice::Full {
        context.places.leave(name);
    }
    let not_served = |reason, about| (ProfileView::not_served(reason, about), None);
    let chosen = match choice {
        Choice::NoDefault => return not_served(Reason::NoDefaultProfile, None),
        Choice::Full => return not_served(Reason::CapacityReached, None),
        Choice::NotFound(name) => return not_served(Reason::ProfileNotFound, Some(name)),
        Choice::AddressNotAllowed(name) => {
            return not_served(Reason::AddressNotAllowed, Some(name));
        }
        Choice::NotAvailable => return not_served(Reason::ProfileNotAvailable, None),
        Choice::Withdrawn(name) => return not_served(Reason::ProfileNotAvailable, Some(name)),
        Choice::Use(chosen) => chosen,
    };
    let found = candidates.into_iter().find(|found| found.name == chosen);
    match found.as_ref().and_then(Candidate::profile) {
        Some(profile) => {
            let seen = view(profile, &chosen, &name.namespace, context.network.egress());
            (seen, found.map(|found| found.object))
        }
        None => not_served(Reason::ProfileNotAvailable, None),
    }
}

/// A profile that may be chosen.
struct Candidate {
    name: ObjectName,
    object: Arc<AnyProfile>,
}

impl Candidate {
    fn profile(&self) -> Option<&GmailServerProfile> {
        let profile = self.object.0.as_ref().ok();
        profile.filter(|profile| profile.metadata.deletion_timestamp.is_none())
    }
}

/// The one that is settled, or all of them.
fn candidates(context: &Context, settled: Option<&ObjectName>) -> Vec<Candidate> {
    let objects = match settled {
        Some(name) => {
            let reference = ObjectRef::new(&name.name).within(&name.namespace);
            Vec::from_iter(context.profiles.get(&reference))
        }
        None => context.profiles.store().state(),
    };
    let candidates = objects.into_iter().map(|object| Candidate {
        name: object_name(object.as_ref()),
        object,
    });
    candidates.collect()
}

fn offers<'a>(
    context: &Context,
    candidates: &'a [Candidate],
    assigned: &dyn Fn(&ObjectName) -> usize,
) -> Vec<Offer<'a>> {
    let profiles = candidates
        .iter()
        .filter_map(|candidate| Some((&candidate.name, candidate.profile()?)));
    let mut in_projects: HashMap<Project, usize> = HashMap::new();
    let mut counted = Vec::new();
    for (name, profile) in profiles {
        let project = project_of(profile);
        if let Some(project) = &project {
            *in_projects.entry(project.clone()).or_default() += assigned(name);
        }
        counted.push((name, profile, project));
    }
    let offer = |(name, profile, project): (_, &'a GmailServerProfile, Option<Project>)| Offer {
        name,
        spec: &profile.spec,
        may_share: context.may_share(&name.namespace),
        room: Room {
            assigned: assigned(name),
            assigned_in_project: project
                .as_ref()
                .and_then(|project| in_projects.get(project))
                .map_or_else(|| assigned(name), |in_project| *in_project),
            taken: project.map_or(0, |project| context.places.taken(&project)),
            capacity: capacity_of(&profile.spec),
        },
    };
    counted.into_iter().map(offer).collect()
}
