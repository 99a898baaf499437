//! What an OAuth token endpoint's refusal means (RFC 6749 section 5.2, with Google's additions).

use crate::api::Reason;

/// A refusal: `error`, `error_description` and Google's `error_subtype`, bounded and printable.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Refusal {
    /// The error code.
    pub error: String,
    /// The server's words.
    pub description: String,
    /// Google's closer word, such as `invalid_rapt`.
    pub subtype: String,
}

/// How long an External app's grants live while it is in Testing, seen with some tolerance:
/// 6.5 to 7.5 days (support.google.com/cloud/answer/15549945).
const TESTING_LIFE_HOURS: std::ops::RangeInclusive<i64> = 156..=180;

impl Refusal {
    /// Why the client itself is refused, where that is what this says.
    pub fn of_client(&self) -> Option<Reason> {
        let said = self.description.to_ascii_lowercase();
        Some(match self.error.as_str() {
            "invalid_client" if said.contains("not found") => Reason::ClientIdNotFound,
            "invalid_client" => Reason::ClientSecretRejected,
            "deleted_client" => Reason::ClientDeleted,
            "disabled_client" => Reason::ClientDisabled,
            "restricted_client" => Reason::ClientRestricted,
            "invalid_scope" => Reason::MailScopeRefused,
            "org_internal" => Reason::OutsideOrganization,
            "unsupported_grant_type" => Reason::GrantTypeRefused,
            "invalid_request" if said.contains("client") => Reason::ClientIncomplete,
            _ => return None,
        })
    }

    /// Why the client is refused, where nothing but the client was shown: then each word is about
    /// the client. [`Reason::ClientRefused`] for words that are not known.
    pub fn of_check(&self) -> Reason {
        self.of_client().unwrap_or(match self.error.as_str() {
            "invalid_request" => Reason::ClientIncomplete,
            "unauthorized_client" => Reason::ClientNotAuthorized,
            "access_denied" | "admin_policy_enforced" => Reason::BlockedByWorkspacePolicy,
            _ => Reason::ClientRefused,
        })
    }

    /// Why a grant has ended, where that is what this says, for a grant that is `age_hours` old.
    /// Only OAuth's own error words end a grant.
    pub fn of_grant(&self, age_hours: i64) -> Option<Reason> {
        let said = self.description.to_ascii_lowercase();
        Some(match self.error.as_str() {
            "invalid_grant"
                if matches!(self.subtype.as_str(), "invalid_rapt" | "rapt_required")
                    || said.contains("rapt") =>
            {
                Reason::ReauthenticationRequired
            }
            "invalid_grant" if said.contains("account has been deleted") => Reason::AccountDeleted,
            "invalid_grant" if TESTING_LIFE_HOURS.contains(&age_hours) => {
                Reason::ConsentExpiredTesting
            }
            "invalid_grant" => Reason::ConsentExpired,
            "unauthorized_client" => Reason::ClientChanged,
            "admin_policy_enforced" | "access_denied" => Reason::BlockedByWorkspacePolicy,
            _ => return None,
        })
    }

    /// For messages: `invalid_grant (Token has been expired or revoked.)`.
    pub fn words(&self) -> String {
        if self.description.is_empty() {
            self.error.clone()
        } else {
            format!("{} ({})", self.error, self.description)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_token_endpoint_table() {
        let refusal = |error: &str, description: &str, subtype: &str| Refusal {
            error: error.into(),
            description: description.into(),
            subtype: subtype.into(),
        };
        for (given, client, grant) in [
            (
                refusal("invalid_grant", "Token has been expired or revoked.", ""),
                None,
                Some(Reason::ConsentExpired),
            ),
            (
                refusal("invalid_grant", "Bad Request", ""),
                None,
                Some(Reason::ConsentExpired),
            ),
            (
                refusal(
                    "invalid_grant",
                    "reauth related error (invalid_rapt)",
                    "invalid_rapt",
                ),
                None,
                Some(Reason::ReauthenticationRequired),
            ),
            (
                refusal("invalid_grant", "Account has been deleted", ""),
                None,
                Some(Reason::AccountDeleted),
            ),
            (
                refusal("invalid_client", "The OAuth client was not found.", ""),
                Some(Reason::ClientIdNotFound),
                None,
            ),
            (
                refusal(
                    "invalid_client",
                    "The provided client secret is invalid.",
                    "",
                ),
                Some(Reason::ClientSecretRejected),
                None,
            ),
            (
                refusal("invalid_client", "Unauthorized", ""),
                Some(Reason::ClientSecretRejected),
                None,
            ),
            (
                refusal("deleted_client", "The OAuth client was deleted.", ""),
                Some(Reason::ClientDeleted),
                None,
            ),
            (
                refusal("disabled_client", "The OAuth client was disabled.", ""),
                Some(Reason::ClientDisabled),
                None,
            ),
            (
                refusal("unauthorized_client", "Unauthorized", ""),
                None,
                Some(Reason::ClientChanged),
            ),
            (
                refusal("admin_policy_enforced", "", ""),
                None,
                Some(Reason::BlockedByWorkspacePolicy),
            ),
            (
                refusal("invalid_request", "client_secret is missing.", ""),
                Some(Reason::ClientIncomplete),
                None,
            ),
            (refusal("something_new", "", ""), None, None),
        ] {
            assert_eq!(
                (given.of_client(), given.of_grant(1)),
                (client, grant),
                "{given:?}"
            );
        }
        assert_eq!(
            refusal("invalid_grant", "Bad Request", "").of_grant(168),
            Some(Reason::ConsentExpiredTesting)
        );
    }

    #[test]
    fn a_check_knows_each_word_of_the_token_endpoint() {
        for (error, description, reason) in [
            (
                "invalid_client",
                "The OAuth client was not found.",
                Reason::ClientIdNotFound,
            ),
            (
                "invalid_client",
                "The provided client secret is invalid.",
                Reason::ClientSecretRejected,
            ),
            (
                "invalid_client",
                "Unauthorized",
                Reason::ClientSecretRejected,
            ),
            ("deleted_client", "", Reason::ClientDeleted),
            ("disabled_client", "", Reason::ClientDisabled),
            (
                "invalid_request",
                "Could not determine client ID from request.",
                Reason::ClientIncomplete,
            ),
            (
                "invalid_request",
                "Missing required parameter: code",
                Reason::ClientIncomplete,
            ),
            ("unauthorized_client", "", Reason::ClientNotAuthorized),
            ("restricted_client", "", Reason::ClientRestricted),
            ("org_internal", "", Reason::OutsideOrganization),
            ("invalid_scope", "", Reason::MailScopeRefused),
            ("unsupported_grant_type", "", Reason::GrantTypeRefused),
            (
                "access_denied",
                "Account restricted",
                Reason::BlockedByWorkspacePolicy,
            ),
            (
                "admin_policy_enforced",
                "",
                Reason::BlockedByWorkspacePolicy,
            ),
            ("something_new", "", Reason::ClientRefused),
        ] {
            let refusal = Refusal {
                error: error.into(),
                description: description.into(),
                subtype: String::new(),
            };
            assert_eq!(refusal.of_check(), reason, "{refusal:?}");
        }
    }
}
