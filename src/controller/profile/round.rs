use kube::ResourceExt;

use super::ProfileMemory;
use crate::api::GmailServerProfile;
use crate::controller::context::{Context, object_name};
use crate::controller::wake::users;
use crate::domain::name::ObjectName;
use crate::domain::profile::{RequestKey, max_connections};
use crate::domain::test_request::requested;

/// What the annotation of `profile` asks for, unless status says that it is over.
pub fn open_request(profile: &GmailServerProfile) -> Option<RequestKey> {
    let request = requested(profile.annotations())?;
    let test = profile.status.as_ref().and_then(|s| s.test.as_ref());
    let over = test.is_some_and(|test| test.request == request && test.finished_at.is_some());
    (!over).then(|| RequestKey::of(&request))
}

/// What the annotation of `profile` asks of `mailbox` now: nothing before it has been let in, so that
/// a restart, at which all are looked at, keeps the same bounds.
pub fn request_for(
    context: &Context,
    profile: &GmailServerProfile,
    mailbox: &ObjectName,
) -> Option<String> {
    let lets_in = |request| {
        let rounds = &context.rounds;
        rounds.lets_in(&object_name(profile), request, mailbox)
    };
    requested(profile.annotations()).filter(|_| open_request(profile).is_none_or(lets_in))
}

/// Wakes the Mailboxes of `profile` where its annotation asks for their test and this process has not
/// woken them for it yet. Those that have answered it have nothing to do.
pub fn begin(context: &Context, profile: &GmailServerProfile, memory: &mut ProfileMemory) {
    let Some(request) = open_request(profile) else {
        return;
    };
    if memory.woken_for == Some(request) {
        return;
    }
    memory.woken_for = Some(request);
    let name = object_name(profile);
    let users = users(context, &name);
    tracing::info!(profile = %name, mailboxes = users.len(), "a test of all mailboxes of the profile is asked for");
    let places = max_connections(&profile.spec);
    let first = context.rounds.begin(name, request, users, places);
    context.wake.let_in(&first);
}
