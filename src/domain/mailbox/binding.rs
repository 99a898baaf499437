//! The Secret for workloads: when its token is written, taken out, and when it goes.

use jiff::Timestamp;

use super::outcome::Outcome;
use super::spec::ValidSpec;
use super::step::Step;
use super::test::Retry;
use super::world::{GrantView, Held, ProfileFacts, ProfileView, Times, World};
use crate::api::{Reason, ResourceName, SecretNameRef};
use crate::domain::address::EmailAddress;
use crate::domain::schedule::{later, spread};
use crate::domain::verdict::Verdict;
use crate::domain::workload_secret::{Connection, SecretView, WITHDRAWN, Whose};

/// What is known of the Secret for workloads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binding {
    /// The name that the spec gives it, if it asks for one.
    pub name: Option<String>,
    /// How it is.
    pub secret: SecretView,
    /// When that was seen.
    pub looked_at: Timestamp,
    /// A Secret that was for workloads until the spec named another or none.
    pub former: Option<String>,
    /// What the API server said to the newest change, where it said no.
    pub refused: Option<String>,
    /// Changes that could not be made.
    pub retry: Retry,
}

impl Default for Binding {
    /// The spec asks for none.
    fn default() -> Self {
        Self {
            name: None,
            secret: SecretView::Absent,
            looked_at: Timestamp::MIN,
            former: None,
            refused: None,
            retry: Retry::default(),
        }
    }
}

/// What a workload may have.
enum Leave<'a> {
    /// The token in use.
    Token(&'a Held, &'a ProfileFacts, &'a ValidSpec),
    /// What it has. The profile cannot be used just now, and nobody has said that its mailboxes may
    /// not: a mistake of an admin must not stop workloads whose token still works.
    WhatItHas,
    /// No token.
    Nothing,
}

fn leave(world: &World) -> Leave<'_> {
    if let Some((held, profile, spec)) = world.usable_grant() {
        return Leave::Token(held, profile, spec);
    }
    let Ok(spec) = &world.spec else {
        return Leave::WhatItHas;
    };
    let waits = match &world.profile {
        ProfileView::NotServed { .. } => false,
        ProfileView::NotReady { reason, .. } => *reason != Reason::ProfileSuspended,
        ProfileView::Ready(_) => world.wants_place(),
    };
    match &world.grant {
        GrantView::Held(held)
            if waits && !spec.suspended && held.account.is_same_account(&spec.account) =>
        {
            Leave::WhatItHas
        }
        _ => Leave::Nothing,
    }
}

/// How a workload reaches the mailbox of `account`.
pub fn connection<'a>(
    account: &'a EmailAddress,
    profile: &'a ProfileFacts,
    spec: &'a ValidSpec,
) -> Connection<'a> {
    Connection {
        address: &spec.address,
        account,
        incoming: spec.incoming,
        outgoing: spec.outgoing,
        servers: &profile.servers,
    }
}

/// The change that is to be made now.
pub(super) fn due(world: &World) -> Option<Step> {
    change(world).filter(|_| world.binding.retry.is_due(world.now))
}

/// The change that is to be made, now or when its turn has come again.
fn change(world: &World) -> Option<Step> {
    let binding = &world.binding;
    let former = || binding.former.clone().map(Step::RemoveSecret);
    if binding.name.is_none() {
        return former();
    }
    let content = match &binding.secret {
        SecretView::NotOurs(_) => return former(),
        SecretView::Absent => None,
        SecretView::Ours { content } => Some(content.as_str()),
    };
    let step = match leave(world) {
        Leave::Token(held, profile, spec) => {
            let wanted = connection(&held.account, profile, spec)
                .fingerprint(held.access_issued_at, held.access_expires_at);
            // A token that has ended helps nobody.
            let lives = world.now < held.access_expires_at;
            (lives && content != Some(&wanted)).then_some(Step::PublishToken)
        }
        Leave::WhatItHas => None,
        Leave::Nothing => {
            (content.is_some_and(|content| content != WITHDRAWN)).then_some(Step::WithdrawToken)
        }
    };
    // The new one is there before the old one goes.
    step.or_else(former)
}

/// When a change is tried again, or the Secret is looked at again, if nothing happens before.
pub(super) fn next_moment(world: &World) -> Option<Timestamp> {
    let again = change(world).and(world.binding.retry.not_before);
    let look = look_due(&world.binding, &world.times, &world.uid);
    [again, look].into_iter().flatten().min()
}

/// When the Secret is to be looked at again: it is not watched, since the operator may not list the
/// Secrets of others. One that has no token needs no look.
pub fn look_due(binding: &Binding, times: &Times, uid: &str) -> Option<Timestamp> {
    binding.name.as_ref()?;
    let wait = match &binding.secret {
        _ if binding.refused.is_some() => times.look_at_foreign_secret,
        SecretView::NotOurs(Whose::Predecessor) => times.backoff_first,
        SecretView::NotOurs(_) => times.look_at_foreign_secret,
        SecretView::Ours { content } if content != WITHDRAWN => times.look_at_own_secret,
        SecretView::Ours { .. } | SecretView::Absent => return None,
    };
    Some(later(binding.looked_at, spread(wait, uid)))
}

/// The Secret as status names it: one that is to go is named until it has gone, since only status
/// may know of it.
pub(super) fn shown(world: &World) -> Option<SecretNameRef> {
    let binding = &world.binding;
    let ours = matches!(binding.secret, SecretView::Ours { .. });
    let name = binding
        .former
        .as_ref()
        .or(binding.name.as_ref().filter(|_| ours))?;
    Some(SecretNameRef {
        name: ResourceName(name.clone()),
    })
}

/// What is wrong with the Secret: without it the workload has no token.
pub(super) fn fault(world: &World) -> Option<Verdict> {
    let binding = &world.binding;
    if let Some(refused) = &binding.refused {
        return Some(Verdict::no(Reason::SecretNotWritten, refused));
    }
    let (Some(name), SecretView::NotOurs(whose)) = (&binding.name, &binding.secret) else {
        return None;
    };
    let detail = match whose {
        Whose::Mailbox(other) => format!("{name} is the Mailbox {other}'s"),
        Whose::Predecessor => format!(
            "{name} is still that of a deleted Mailbox of this name, with which it goes by itself"
        ),
        Whose::Unknown => name.clone(),
    };
    Some(Verdict::no(Reason::SecretNotOwned, &detail))
}

/// Puts what came of a change into the world.
pub(super) fn fold(world: &mut World, outcome: Outcome) {
    let binding = &mut world.binding;
    let refused = match outcome {
        Outcome::Secret(view) => {
            binding.secret = view;
            binding.looked_at = world.now;
            binding.refused = None;
            binding.retry = Retry::default();
            return;
        }
        Outcome::SecretRemoved => {
            binding.former = None;
            binding.refused = None;
            binding.retry = Retry::default();
            return;
        }
        Outcome::SecretRefused(words) => Some(words),
        _ => binding.refused.take(),
    };
    binding.refused = refused;
    let seed = format!("{}/binding", world.uid);
    binding.retry = binding.retry.after_failure(world.now, &world.times, &seed);
}
