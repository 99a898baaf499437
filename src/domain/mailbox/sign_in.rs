use jiff::Timestamp;

use super::ending::{Idler, Outlook, idler, outlook};
use super::world::{GrantView, Place, ProfileView, World};
use crate::api::{Actor, Reason};
use crate::domain::address::EmailAddress;
use crate::domain::grant::{EndCause, KnownEnd};
use crate::domain::profile::{Audience, Outsider};
use crate::domain::verdict::{Truth, Verdict, explain, explain_with_cure, seconds};

/// The condition `SignedIn`.
pub(super) fn signed_in(world: &World) -> Verdict {
    match &world.grant {
        GrantView::Absent => Verdict::no(Reason::SignInRequired, &next_sign_in(world)),
        GrantView::Adoptable {
            client_id,
            token_endpoint,
            ..
        } if matches!(&world.profile, ProfileView::Ready(profile) if !profile.gave(client_id, token_endpoint)) => {
            Verdict::no(Reason::ClientChanged, &next_sign_in(world))
        }
        GrantView::Adoptable { .. } => Verdict::unknown(
            Reason::NotChecked,
            "an earlier sign-in for this Mailbox was found and is being tried",
        ),
        GrantView::Unreadable => Verdict::no(Reason::GrantUnreadable, &next_sign_in(world)),
        GrantView::Ended {
            reason: Reason::ConsentExpiredTesting,
            account,
            ..
        } => ended_by_testing(world, account),
        GrantView::Ended {
            reason, account, ..
        } => Verdict::no(*reason, &format!("{account}; {}", next_sign_in(world))),
        GrantView::Held(held) => match (&world.profile, &world.spec) {
            (ProfileView::Ready(profile), _)
                if !profile.gave(&held.client_id, &held.token_endpoint) =>
            {
                Verdict::no(Reason::ClientChanged, &next_sign_in(world))
            }
            (_, Ok(spec)) if !held.account.is_same_account(&spec.account) => Verdict::no(
                Reason::WrongAccount,
                &format!(
                    "{} signed in, this Mailbox is for {}",
                    held.account, spec.account
                ),
            ),
            _ if world.place == Place::Full => Verdict::no(
                Reason::CapacityReached,
                &format!(
                    "{} has signed in and comes next when a place is free",
                    held.account
                ),
            ),
            _ => works(world, &held.account),
        },
    }
}

/// A sign-in that works, with its end where that is known and somebody should act.
fn works(world: &World, account: &EmailAddress) -> Verdict {
    let page = &world.sign_in_page;
    match outlook(world) {
        Outlook::Lasts => Verdict::yes(Reason::SignedIn, format!("{account} has signed in.")),
        Outlook::OnceMore(end) => Verdict::yes(
            Reason::SignInOnceMore,
            explain(
                Reason::SignInOnceMore,
                &format!("{account}'s ends at {}; {page}", date(end.at)),
            ),
        ),
        Outlook::Soon { end, .. } if end.cause == EndCause::Idle => {
            Verdict::yes(Reason::SignInEndsSoon, unused(world, account, &end))
        }
        Outlook::Soon { end, new_lasts } => Verdict::yes(
            Reason::SignInEndsSoon,
            explain(
                Reason::SignInEndsSoon,
                &format!(
                    "{account}'s ends at {}, {}; {page}",
                    date(end.at),
                    because(&end, new_lasts)
                ),
            ),
        ),
    }
}

fn because(end: &KnownEnd, new_lasts: bool) -> &'static str {
    match (end.cause, new_lasts) {
        (EndCause::Testing, true) => {
            "since it was given while the app was in Testing; the app has left Testing, so a new one lasts"
        }
        (EndCause::Testing, false) => "as Google does after 7 days while an app is in Testing",
        (EndCause::TimeLimit, _) => "the time for which access was given",
        (EndCause::Idle, _) => "as Google does after six months without use",
    }
}

/// A new sign-in would not help: somebody must let this one be used again.
fn unused(world: &World, account: &EmailAddress, end: &KnownEnd) -> String {
    let (why, who, cure) = match idler(world) {
        Some(Idler::Profile) => (
            "its profile does not serve this Mailbox",
            Actor::PlatformAdmin,
            "Let the profile serve this Mailbox before then, if only for an hour",
        ),
        _ => (
            "spec.suspend is true",
            Actor::AppTeam,
            "Set spec.suspend to false before then, if only for an hour",
        ),
    };
    explain_with_cure(
        Reason::SignInEndsSoon,
        &format!(
            "Google ends {account}'s at {}, after six months without use, since {why}",
            date(end.at)
        ),
        who,
        cure,
    )
}

fn ended_by_testing(world: &World, account: &EmailAddress) -> Verdict {
    let reason = Reason::ConsentExpiredTesting;
    let next = next_sign_in(world);
    let message = match audience(world) {
        Some(audience) if audience.is_past_testing() => explain_with_cure(
            reason,
            &format!("{account}; the app has left Testing since; {next}"),
            Actor::MailboxUser,
            "Sign in once more and it lasts",
        ),
        _ => explain(
            reason,
            &format!("{account}; signing in again gives another 7 days; {next}"),
        ),
    };
    Verdict {
        truth: Truth::False,
        reason,
        message,
    }
}

/// Where to sign in, and what will stand in the way.
fn next_sign_in(world: &World) -> String {
    let page = &world.sign_in_page;
    let outsider = match (audience(world), &world.spec) {
        (Some(audience), Ok(spec)) => audience.refuses(&spec.account),
        _ => None,
    };
    match outsider {
        None => page.to_string(),
        Some(Outsider::NotATestUser) => format!(
            "{page}; Google will refuse this account until the platform admin adds this address in Google's console under Audience, Test users"
        ),
        Some(Outsider::NotInTheOrganisation) => format!(
            "{page}; Google will refuse this account, since the app is Internal to an organisation and a personal Gmail account cannot sign in to it"
        ),
    }
}

fn audience(world: &World) -> Option<&Audience> {
    match &world.profile {
        ProfileView::Ready(profile) => Some(&profile.audience),
        _ => None,
    }
}

/// Absolute, so that the message does not change by itself.
fn date(time: Timestamp) -> Timestamp {
    seconds(time).0
}
