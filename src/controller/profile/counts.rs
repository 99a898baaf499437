use jiff::Timestamp;
use kube::ResourceExt;

use super::round::open_request;
use crate::api::{GmailServerProfile, ProfileCondition};
use crate::controller::context::{Context, object_name};
use crate::domain::profile::{Counts, Places, RequestKey, Tally, capacity_of, project_of};
use crate::domain::schedule::{earlier, later};

/// The counts of a moment, which stand for a while: they change all the time, and each report of
/// them is a write.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    at: Timestamp,
    pub counts: Counts,
    pub places: Places,
    request: Option<RequestKey>,
    pub tally: Tally,
}

/// Counts the mailboxes of `profile`, unless that was done a moment ago and nothing new is asked.
pub fn count(context: &Context, profile: &GmailServerProfile, now: Timestamp) -> Counted {
    let pace = &context.pace;
    let uid = profile.uid().unwrap_or_default();
    let before = context.profile_memory.get(&uid).and_then(|m| m.counted);
    let name = object_name(profile);
    let request = open_request(profile);
    let lately =
        |before: &Counted| later(before.at, pace.counts.into()) > now && before.request == request;
    if let Some(before) = before.filter(lately) {
        context.wake.count([name]);
        return before;
    }
    Counted {
        at: now,
        counts: context
            .census
            .counts(&name, earlier(now, pace.together.into())),
        places: Places {
            taken: project_of(profile).map_or(0, |project| context.places.taken(&project)),
            capacity: capacity_of(&profile.spec),
        },
        request,
        tally: request.map_or_else(Tally::default, |request| {
            context.census.tally(&name, request)
        }),
    }
}

/// Whether status says that the mailboxes fail together.
pub fn failed_together(profile: &GmailServerProfile) -> bool {
    let status = profile.status.as_ref();
    status.is_some_and(|status| {
        let healthy = ProfileCondition::MailboxesHealthy.name();
        let mut conditions = status.conditions.iter();
        conditions.any(|c| c.type_ == healthy && c.status == "False")
    })
}
