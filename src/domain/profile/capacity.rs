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

/// How many accounts may sign in with a profile; `None`: no limit.
pub fn capacity_of(spec: &GmailServerProfileSpec) -> Option<usize> {
    let client = spec.oauth_client.as_ref();
    let screen = client.and_then(|client| client.consent_screen.as_ref());
    capacity(screen, spec.max_mailboxes)
}

/// Whether that limit is Google's own, and not one that the admin has chosen.
pub fn is_limited_by_google(spec: &GmailServerProfileSpec) -> bool {
    let client = spec.oauth_client.as_ref();
    let screen = client.and_then(|client| client.consent_screen.as_ref());
    let googles = capacity(screen, None);
    googles.is_some() && googles == capacity_of(spec)
}

/// The Google Cloud project of a profile's client, where that is known.
pub fn project_of(profile: &GmailServerProfile) -> Option<Project> {
    let client = profile.status.as_ref()?.oauth_client.as_ref()?;
    let endpoints = profile.spec.oauth_client.as_ref()?.endpoints.as_ref();
    let token_endpoint = match endpoints {
        Some(endpoints) => Url::parse(&endpoints.token.0).ok()?,
        None => OAuthEndpoints::google().token,
    };
    Some(Project::of(client.client_id.as_deref()?, &token_endpoint))
}

/// `max` is the admin's own, which cannot lift the
/// limit that Google sets for an app that is known to be limited.
fn capacity(screen: Option<&ConsentScreen>, max: Option<i32>) -> Option<usize> {
    let max = max.and_then(|max| usize::try_from(max).ok());
    let Some(screen) = screen else {
        return max.or(Some(GOOGLE_LIMIT));
    };
    let unlimited = screen.user_type == UserType::Internal
        || (screen.verified && screen.publishing_status == Some(PublishingStatus::InProduction));
    match unlimited {
        true => max,
        false => Some(max.unwrap_or(GOOGLE_LIMIT).min(GOOGLE_LIMIT)),
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
        for (screen, max, limit) in [
            (None, None, Some(100)),
            (None, Some(7), Some(7)),
            (None, Some(500), Some(500)),
            (Some(&internal), None, None),
            (Some(&internal), Some(500), Some(500)),
            (Some(&testing), None, Some(100)),
            (Some(&testing), Some(7), Some(7)),
            (Some(&testing), Some(500), Some(100)),
            (Some(&unverified), None, Some(100)),
            (Some(&verified), None, None),
            (Some(&verified), Some(7), Some(7)),
        ] {
            assert_eq!(capacity(screen, max), limit, "{screen:?} {max:?}");
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
