//! What metrics tell of profiles and Mailboxes: from what is known already, nobody is asked.

use std::collections::{HashMap, HashSet};

use kube::runtime::reflector::ObjectRef;

use super::context::{Context, object_name};
use super::profile::labels_of;
use crate::api::{GmailServerProfile, ProfileCondition};
use crate::domain::mailbox::{Health, HealthState};
use crate::domain::name::ObjectName;
use crate::domain::profile::{Limits, limits_of, project_of};
use crate::telemetry::fleet::{
    CapacityLabels, ConditionLabel, ConditionLabels, ConditionStatus, Figures, LimitSetBy,
    MailboxLabels, MailboxState,
};
use crate::telemetry::metrics::{ProfileLabels, ReasonLabel};

/// Shows the figures of this moment where this process leads, and none where it does not.
pub fn tell(context: &Context) {
    match context.is_filled() && context.may_act() {
        true => context.metrics.fleet.show(figures(context)),
        false => context.metrics.fleet.clear(),
    }
    let (in_use, waiting) = context.slots.load();
    (context.metrics).connections(number(in_use), number(waiting));
}

fn figures(context: &Context) -> Figures {
    let mut figures = Figures::default();
    let mut there = HashSet::new();
    for watched in context.profiles.store().state() {
        let name = object_name(watched.as_ref());
        let latest = context.profiles.get(&ObjectRef::from_obj(watched.as_ref()));
        if let Some(Ok(profile)) = latest.as_deref().map(|latest| &latest.0) {
            add_profile(&mut figures, context, &name, profile);
        }
        there.insert(name);
    }
    figures.mailboxes = mailboxes(context, &there).into_iter().collect();
    figures
}

/// Those of profiles that are gone are counted with those that no profile serves.
fn mailboxes(context: &Context, there: &HashSet<ObjectName>) -> HashMap<MailboxLabels, i64> {
    let mut mailboxes = HashMap::new();
    for (profile, counts) in context.census.healths() {
        let profile = profile.filter(|profile| there.contains(profile.as_ref()));
        let profile = profile.map_or_else(ProfileLabels::default, |profile| labels_of(&profile));
        for (health, count) in counts {
            *mailboxes.entry(alike(&profile, health)).or_default() += count;
        }
    }
    mailboxes
}

fn add_profile(
    figures: &mut Figures,
    context: &Context,
    name: &ObjectName,
    profile: &GmailServerProfile,
) {
    let labels = labels_of(name);
    let taken = project_of(profile).map_or(0, |project| context.places.taken(&project));
    figures.places_taken.push((labels.clone(), number(taken)));
    let Limits { googles, own } = limits_of(&profile.spec);
    for (limit, set_by) in [(googles, LimitSetBy::Google), (own, LimitSetBy::Profile)] {
        let Some(limit) = limit else { continue };
        let labels = CapacityLabels {
            namespace: labels.namespace.clone(),
            profile: labels.profile.clone(),
            set_by,
        };
        figures.capacity.push((labels, number(limit)));
    }
    // Where nothing is renewed nobody finds out whether the server is back, and nobody misses it.
    if !profile.spec.suspend && context.census.renews(name) {
        let held_back = context.keeper.is_held_back(profile);
        figures.held_back.push((labels.clone(), held_back.into()));
    }
    let conditions = profile.status.iter().flat_map(|status| &status.conditions);
    figures
        .conditions
        .extend(conditions.filter_map(|condition| {
            Some(ConditionLabels {
                namespace: labels.namespace.clone(),
                profile: labels.profile.clone(),
                condition: ConditionLabel(condition.type_.parse::<ProfileCondition>().ok()?),
                status: match condition.status.as_str() {
                    "True" => ConditionStatus::True,
                    "False" => ConditionStatus::False,
                    _ => ConditionStatus::Unknown,
                },
                reason: ReasonLabel(condition.reason.parse().ok()?),
            })
        }));
}

fn alike(profile: &ProfileLabels, health: Health) -> MailboxLabels {
    MailboxLabels {
        namespace: profile.namespace.clone(),
        profile: profile.profile.clone(),
        state: match health.state {
            HealthState::Ready => MailboxState::Ready,
            HealthState::Waiting => MailboxState::Waiting,
            HealthState::Suspended => MailboxState::Suspended,
            HealthState::Failing => MailboxState::Failing,
        },
        reason: ReasonLabel(health.reason),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
