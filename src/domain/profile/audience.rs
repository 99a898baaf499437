use crate::api::{ConsentScreen, PublishingStatus, UserType};
use crate::domain::address::EmailAddress;

/// Who may sign in to the app: what the admin chose under Audience in Google's console, as far as
/// the profile says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Audience {
    /// The profile says nothing.
    Unknown,
    /// The accounts of one Google Workspace organisation.
    Internal,
    /// Listed test users, each for 7 days.
    Testing {
        /// Those that the profile lists; empty where it lists none.
        test_users: Vec<EmailAddress>,
    },
    /// Any account.
    InProduction,
}

/// Why Google will refuse an account, as far as the profile tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outsider {
    /// Not among the test users that the profile lists.
    NotATestUser,
    /// A personal account at an app that is Internal to an organisation.
    NotInTheOrganisation,
}

impl Audience {
    /// As `screen` says.
    pub fn of(screen: Option<&ConsentScreen>) -> Self {
        let Some(screen) = screen else {
            return Self::Unknown;
        };
        match (screen.user_type, screen.publishing_status) {
            (UserType::Internal, _) => Self::Internal,
            (UserType::External, Some(PublishingStatus::InProduction)) => Self::InProduction,
            (UserType::External, Some(PublishingStatus::Testing)) => Self::Testing {
                test_users: screen
                    .test_users
                    .iter()
                    .flatten()
                    .filter_map(|user| user.0.parse().ok())
                    .collect(),
            },
            (UserType::External, None) => Self::Unknown,
        }
    }

    /// Whether sign-ins end after 7 days.
    pub fn is_testing(&self) -> bool {
        matches!(self, Self::Testing { .. })
    }

    /// Whether the profile says that sign-ins last.
    pub fn is_past_testing(&self) -> bool {
        matches!(self, Self::Internal | Self::InProduction)
    }

    /// Why Google will refuse `account`. A warning only: Google's console decides.
    pub fn refuses(&self, account: &EmailAddress) -> Option<Outsider> {
        match self {
            Self::Testing { test_users } => {
                let listed = test_users.iter().any(|user| user.is_same_account(account));
                (!listed && !test_users.is_empty()).then_some(Outsider::NotATestUser)
            }
            Self::Internal => account
                .is_personal()
                .then_some(Outsider::NotInTheOrganisation),
            Self::Unknown | Self::InProduction => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::EmailAddressText;

    fn screen(user_type: UserType, status: Option<PublishingStatus>) -> ConsentScreen {
        ConsentScreen {
            app_name: None,
            user_type,
            publishing_status: status,
            verified: false,
            test_users: None,
        }
    }

    #[test]
    fn who_is_refused() {
        let address = |text: &str| -> EmailAddress { text.parse().unwrap() };
        let internal = Audience::of(Some(&screen(UserType::Internal, None)));
        let published = Audience::of(Some(&screen(
            UserType::External,
            Some(PublishingStatus::InProduction),
        )));
        let testing = |users: &[&str]| {
            let users = users.iter().map(|user| EmailAddressText((*user).into()));
            Audience::of(Some(&ConsentScreen {
                test_users: Some(users.collect()),
                ..screen(UserType::External, Some(PublishingStatus::Testing))
            }))
        };
        for (audience, account, refused) in [
            (Audience::of(None), "ann@gmail.com", None),
            (published, "ann@gmail.com", None),
            (internal.clone(), "ann@example.com", None),
            (
                internal.clone(),
                "ann@gmail.com",
                Some(Outsider::NotInTheOrganisation),
            ),
            (
                internal,
                "Ann@GoogleMail.com",
                Some(Outsider::NotInTheOrganisation),
            ),
            (testing(&[]), "ann@gmail.com", None),
            (testing(&["A.nn@googlemail.com"]), "ann@gmail.com", None),
            (
                testing(&["bob@gmail.com", "not an address"]),
                "ann@gmail.com",
                Some(Outsider::NotATestUser),
            ),
        ] {
            assert_eq!(
                audience.refuses(&address(account)),
                refused,
                "{audience:?} {account}"
            );
        }
    }
}
