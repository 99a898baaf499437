use url::Url;

use crate::api::{
    ConsentScreen, GmailServerProfile, GmailServerProfileSpec, PublishingStatus, Reason, UserType,
};
use crate::domain::endpoints::OAuthEndpoints;
use crate::domain::oauth_client::Project;
use crate::domain::verdict::{Truth, Verdict, explain};

/// Google's limit for apps that are in Testing or not verified, for each Cloud project
/// (support.google.com/cloud/answer/7454865).
const GOOGLE_LIMIT: usize = 100;

/// The part of the places, in percent, from which on the admin is warned.
const WARN_AT: usize = 80;

/// The Google accounts that a profile's Cloud project has and may have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Places {
    /// Accounts that hold a place, over all profiles of the project.
    pub taken: usize,
    /// How many may; `None`: no limit.
    pub capacity: Option<usize>,
}

/// What limits how many accounts may sign in with a profile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Google's own, for the Cloud project.
    pub googles: Option<usize>,
    /// The profile's `maxMailboxes`.
    pub own: Option<usize>,
}

/// What limits a profile.
pub fn limits_of(spec: &GmailServerProfileSpec) -> Limits {
    let client = spec.oauth_client.as_ref();
    let screen = client.and_then(|client| client.consent_screen.as_ref());
    limits(screen, spec.max_mailboxes)
}

/// How many accounts may sign in with a profile; `None`: no limit.
pub fn capacity_of(spec: &GmailServerProfileSpec) -> Option<usize> {
    limits_of(spec).lowest()
}

/// The Google Cloud project of a profile's client, where that is known.
pub fn project_of(profile: &GmailServerProfile) -> Option<Project> {
    let (client_id, token_endpoint) = client_of(profile)?;
    Some(Project::of(client_id, &token_endpoint))
}

/// The ID of the client that a profile has now, and where it takes tokens, where that is known.
pub fn client_of(profile: &GmailServerProfile) -> Option<(&str, Url)> {
    let client = profile.status.as_ref()?.oauth_client.as_ref()?;
    let endpoints = profile.spec.oauth_client.as_ref()?.endpoints.as_ref();
    let token_endpoint = match endpoints {
        Some(endpoints) => Url::parse(&endpoints.token.0).ok()?,
        None => OAuthEndpoints::google().token,
    };
    Some((client.client_id.as_deref()?, token_endpoint))
}

impl Limits {
    fn lowest(self) -> Option<usize> {
        [self.googles, self.own].into_iter().flatten().min()
    }
}

/// `max` is the admin's own. Above Google's limit it says that there is none, unless the app is known to
/// be limited.
fn limits(screen: Option<&ConsentScreen>, max: Option<i32>) -> Limits {
    let own = max.and_then(|max| usize::try_from(max).ok());
    let is_limited = match screen {
        None => own.is_none_or(|own| own <= GOOGLE_LIMIT),
        Some(screen) => {
            let published = screen.publishing_status == Some(PublishingStatus::InProduction);
            screen.user_type != UserType::Internal && !(screen.verified && published)
        }
    };
    Limits {
        googles: is_limited.then_some(GOOGLE_LIMIT),
        own,
    }
}

/// Whether another account may sign in.
pub fn capacity_available(places: Places) -> Verdict {
    let Some(capacity) = places.capacity else {
        let text = "Another Google account may sign in: there is no limit.";
        return Verdict::yes(Reason::CapacityLeft, text);
    };
    let detail = format!("there are {capacity} places in this Google Cloud project");
    if places.taken >= capacity {
        Verdict::no(Reason::CapacityReached, &detail)
    } else if places.taken * 100 >= capacity * WARN_AT {
        Verdict {
            truth: Truth::True,
            reason: Reason::CapacityLow,
            message: explain(Reason::CapacityLow, &detail),
        }
    } else {
        Verdict::yes(Reason::CapacityLeft, "Another Google account may sign in.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_from_the_consent_screen() {
        let screen = |user_type, publishing_status, verified| ConsentScreen {
            app_name: None,
            user_type,
            publishing_status,
            verified,
            test_users: None,
        };
        let internal = screen(UserType::Internal, None, false);
        let testing = screen(UserType::External, Some(PublishingStatus::Testing), false);
        let unverified = screen(
            UserType::External,
            Some(PublishingStatus::InProduction),
            false,
        );
        let verified = screen(
            UserType::External,
            Some(PublishingStatus::InProduction),
            true,
        );
        let googles = Some(100);
        for (screen, max, of_google, limit) in [
            (None, None, googles, Some(100)),
            (None, Some(7), googles, Some(7)),
            (None, Some(500), None, Some(500)),
            (Some(&internal), None, None, None),
            (Some(&internal), Some(500), None, Some(500)),
            (Some(&testing), None, googles, Some(100)),
            (Some(&testing), Some(7), googles, Some(7)),
            (Some(&testing), Some(500), googles, Some(100)),
            (Some(&unverified), None, googles, Some(100)),
            (Some(&verified), None, None, None),
            (Some(&verified), Some(7), None, Some(7)),
        ] {
            let found = limits(screen, max);
            assert_eq!(found.googles, of_google, "{screen:?} {max:?}");
            assert_eq!(found.lowest(), limit, "{screen:?} {max:?}");
        }
    }

    #[test]
    fn warns_at_four_fifths() {
        for (taken, capacity, reason) in [
            (0, None, Reason::CapacityLeft),
            (5000, None, Reason::CapacityLeft),
            (79, Some(100), Reason::CapacityLeft),
            (80, Some(100), Reason::CapacityLow),
            (99, Some(100), Reason::CapacityLow),
            (100, Some(100), Reason::CapacityReached),
            (101, Some(100), Reason::CapacityReached),
            (0, Some(1), Reason::CapacityLeft),
            (1, Some(1), Reason::CapacityReached),
            (3, Some(4), Reason::CapacityLeft),
        ] {
            let verdict = capacity_available(Places { taken, capacity });
            assert_eq!(verdict.reason, reason, "{taken} of {capacity:?}");
            assert_eq!(verdict.holds(), reason != Reason::CapacityReached);
        }
    }
}
