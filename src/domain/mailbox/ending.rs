//! When a sign-in is known to end, and what is to be said and done before.

use jiff::Timestamp;

use super::step::Step;
use super::world::{GrantView, Held, ProfileFacts, ProfileView, World};
use crate::api::{Reason, Reminders};
use crate::domain::grant::{EndCause, IDLE_LIFE, KnownEnd, TESTING_LIFE};
use crate::domain::schedule::{earlier, later};

/// What is known of a sign-in that works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outlook {
    /// Nothing to be said: no end is known, or it is far away.
    Lasts,
    /// It ends although it need not any more: the app has left Testing.
    OnceMore(KnownEnd),
    /// It ends within the time of the warning.
    Soon {
        /// The end.
        end: KnownEnd,
        /// A sign-in now would last: the app has left Testing.
        new_lasts: bool,
    },
}

/// The end that counts now: the first of that which the sign-in was given with, and of that which
/// comes while nothing uses it.
pub fn known_end(world: &World) -> Option<KnownEnd> {
    let GrantView::Held(held) = &world.grant else {
        return None;
    };
    let ends = [given_end(world, held), idle_end(world, held)];
    ends.into_iter().flatten().min_by_key(|end| end.at)
}

/// Who lets a sign-in lie unused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Idler {
    /// The Mailbox is suspended.
    Mailbox,
    /// Its profile does not serve it.
    Profile,
}

/// Why nothing uses the sign-in, if that is so.
pub(super) fn idler(world: &World) -> Option<Idler> {
    match (&world.spec, &world.profile) {
        (Ok(spec), _) if spec.suspended => Some(Idler::Mailbox),
        // For a moment, after a start.
        (_, ProfileView::NotReady { reason, .. }) if *reason == Reason::NotChecked => None,
        (_, ProfileView::NotReady { .. } | ProfileView::NotServed { .. }) => Some(Idler::Profile),
        (_, ProfileView::Ready(_)) => None,
    }
}

/// Its last use was the last renewal.
fn idle_end(world: &World, held: &Held) -> Option<KnownEnd> {
    idler(world).map(|_| KnownEnd {
        at: later(held.access_issued_at, IDLE_LIFE),
        cause: EndCause::Idle,
    })
}

/// The grant's own end; else, where the app is in Testing now, that which Testing gives. No end
/// counts that the grant has outlived: then Google did not mean it.
fn given_end(world: &World, held: &Held) -> Option<KnownEnd> {
    let outlived = |end: &KnownEnd| held.access_issued_at >= end.at;
    held.ends
        .or_else(|| {
            let testing = profile_of(world, held)?.audience.is_testing();
            let at = later(held.signed_in_at, TESTING_LIFE);
            // The token in use is from before the end; the next renewal will tell.
            let untold = world.now < last_word(at, held);
            (testing && untold).then_some(KnownEnd {
                at,
                cause: EndCause::Testing,
            })
        })
        .filter(|end| !outlived(end))
}

/// What is to be said of the sign-in.
pub(super) fn outlook(world: &World) -> Outlook {
    let (Some(end), GrantView::Held(held)) = (known_end(world), &world.grant) else {
        return Outlook::Lasts;
    };
    let new_lasts = end.cause == EndCause::Testing && has_left_testing(world, held);
    if world.now >= warns_at(world, &end) {
        Outlook::Soon { end, new_lasts }
    } else if new_lasts {
        Outlook::OnceMore(end)
    } else {
        Outlook::Lasts
    }
}

/// The reminder that is to be sent at `world.now`.
pub(super) fn reminder_due(world: &World) -> Option<Step> {
    let (end, due) = reminder(world)?;
    (due <= world.now).then_some(Step::Remind(end))
}

/// When something is to be said or done about the end, if nothing happens before.
pub(super) fn next_moment(world: &World) -> Option<Timestamp> {
    let end = known_end(world);
    let said = end.map(|end| warns_at(world, &end));
    let told = match (end, &world.grant) {
        (Some(end), GrantView::Held(held)) => Some(last_word(end.at, held)),
        _ => None,
    };
    let reminded = reminder(world).map(|(_, due)| due);
    [said, told, reminded]
        .into_iter()
        .flatten()
        .filter(|moment| *moment > world.now)
        .min()
}

/// The end that the owner is to be reminded of, and when. A life that is hardly longer than the
/// reminder comes before its end needs none: whoever signed in knows.
fn reminder(world: &World) -> Option<(KnownEnd, Timestamp)> {
    let (held, _, spec) = world.usable_grant()?;
    let end = known_end(world)?;
    let due = earlier(end.at, world.times.remind_before_end);
    let wanted = spec.reminders == Reminders::ToSelf
        && held.reminded_for != Some(end.at)
        && held.signed_in_at < due
        && world.now < end.at
        // A token that has ended sends nothing; its renewal comes first.
        && world.now < held.access_expires_at;
    let due = world.reminder.not_before.map_or(due, |time| time.max(due));
    wanted.then_some((end, due))
}

fn warns_at(world: &World, end: &KnownEnd) -> Timestamp {
    earlier(
        end.at,
        match end.cause {
            EndCause::Testing | EndCause::TimeLimit => world.times.warn_before_end,
            EndCause::Idle => world.times.warn_before_idle_end,
        },
    )
}

/// Until when the end at `at` may still be true of `held`: the token that it has may be older.
fn last_word(at: Timestamp, held: &Held) -> Timestamp {
    at.max(held.access_expires_at)
}

fn has_left_testing(world: &World, held: &Held) -> bool {
    profile_of(world, held).is_some_and(|profile| profile.audience.is_past_testing())
}

/// The profile, where it is the one that the grant was given to.
fn profile_of<'a>(world: &'a World, held: &Held) -> Option<&'a ProfileFacts> {
    match &world.profile {
        ProfileView::Ready(profile) if profile.client_id == held.client_id => Some(profile),
        _ => None,
    }
}
