//! The consent screen, as flags.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::kubectl::error::CommandError;

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum UserTypeFlag {
    /// Only accounts of your own Google Workspace organisation
    Internal,
    /// Any Google account
    External,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum PublishingStatusFlag {
    /// Only listed test users; every sign-in ends after 7 days
    Testing,
    /// Any account; 100 of them, unless the app is verified
    InProduction,
}

/// What the flags say of `spec.oauthClient.consentScreen`; `None` where they say nothing.
///
/// # Errors
/// Flags that do not fit together: as the kind's own rules say, but in terms of flags.
pub fn check(
    user_type: Option<UserTypeFlag>,
    publishing_status: Option<PublishingStatusFlag>,
    verified: bool,
) -> Result<Option<Value>, CommandError> {
    use PublishingStatusFlag::{InProduction, Testing};
    let wrong = |text: &str| Err(CommandError::Usage(text.to_owned()));
    let screen = match (user_type, publishing_status) {
        (None, _) => return Ok(None),
        (Some(UserTypeFlag::Internal), None) if !verified => json!({ "userType": "Internal" }),
        (Some(UserTypeFlag::Internal), None) => {
            return wrong(
                "--verified belongs to --user-type external: Google has nothing to verify about an Internal app",
            );
        }
        (Some(UserTypeFlag::Internal), Some(_)) => {
            return wrong(
                "--publishing-status belongs to --user-type external: an Internal app is open to your organisation, and only to it, without being published",
            );
        }
        (Some(UserTypeFlag::External), None) => {
            return wrong(
                "--user-type external needs --publishing-status testing or in-production: it stands in Google's console under Audience",
            );
        }
        (Some(UserTypeFlag::External), Some(Testing)) if verified => {
            return wrong(
                "--verified needs --publishing-status in-production: Google verifies published apps only",
            );
        }
        (Some(UserTypeFlag::External), Some(Testing)) => {
            json!({ "userType": "External", "publishingStatus": "Testing" })
        }
        (Some(UserTypeFlag::External), Some(InProduction)) => json!({
            "userType": "External",
            "publishingStatus": "InProduction",
            "verified": verified,
        }),
    };
    Ok(Some(screen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_google_has_can_be_said() {
        use PublishingStatusFlag::{InProduction, Testing};
        use UserTypeFlag::{External, Internal};
        for (user, publishing, verified, fits) in [
            (Internal, None, false, true),
            (Internal, None, true, false),
            (Internal, Some(Testing), false, false),
            (External, None, false, false),
            (External, Some(Testing), false, true),
            (External, Some(Testing), true, false),
            (External, Some(InProduction), false, true),
            (External, Some(InProduction), true, true),
        ] {
            let checked = check(Some(user), publishing, verified);
            assert_eq!(checked.is_ok(), fits, "{user:?} {publishing:?} {verified}");
            if let Err(error) = checked {
                assert_eq!(error.exit_code(), 2);
            }
        }
    }
}
