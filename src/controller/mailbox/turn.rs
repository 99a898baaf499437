//! A Mailbox's turn in a test of all Mailboxes of its profile.

use kube::ResourceExt;

use super::Answered;
use super::observe::Observed;
use crate::controller::context::{AnyProfile, Context};
use crate::controller::profile::request_for;
use crate::domain::mailbox::{Step, World};
use crate::domain::name::ObjectName;
use crate::domain::test_request::requested;

/// Whether the profile's request for a test is this Mailbox's yet.
pub enum Turn {
    /// It has come, or there is nothing to wait for.
    Come(Option<String>),
    /// Others come first.
    Awaited(Option<String>),
}

impl Turn {
    /// Of `mailbox`, which `profile` serves.
    pub fn in_round(context: &Context, profile: Option<&AnyProfile>, mailbox: &ObjectName) -> Self {
        let Some(profile) = profile.and_then(|profile| profile.0.as_ref().ok()) else {
            return Turn::Come(None);
        };
        let request = requested(profile.annotations());
        match request == request_for(context, profile, mailbox) {
            true => Turn::Come(request),
            false => Turn::Awaited(request),
        }
    }

    /// The request to be answered now: before its turn it is as if it were answered.
    pub fn asked(&self, answered: &Answered) -> Option<String> {
        match self {
            Turn::Come(request) => request.clone(),
            Turn::Awaited(_) => answered.of_profile.clone(),
        }
    }

    /// A test that begins answers the request, for whatever reason it is made.
    pub fn answered_by(&self, step: &Step, world: &mut World) {
        if let (Turn::Awaited(request), Step::StartTest(_)) = (self, step) {
            world.profile_test_request.clone_from(request);
        }
    }
}

/// There is nothing to do now: where that is not for lack of a token, which comes in a line of its
/// own, the next Mailbox is let in.
pub fn leave_round(context: &Context, observed: &Observed) {
    let world = &observed.world;
    let waits = world.usable_grant().is_some() && !world.renewal.is_due(world.now);
    if matches!(observed.round, Turn::Come(_)) && !waits {
        context.wake.let_in(&context.rounds.leave(&observed.name));
    }
}
