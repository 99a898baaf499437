//! Whether a grant may be revoked: Google ends with it the access of every client of the same Cloud
//! project to that account
//! (developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke), so that another Mailbox
//! may be cut off.

use super::grant::Grant;

/// Whether revoking `grant` would end what `other` is needed for. `is_leaving` says of grants that
/// they are about to go as well: of two that go together, neither must keep the other.
pub fn is_needed(grant: &Grant, other: &Grant, is_leaving: bool) -> bool {
    let same = other.mailbox_uid == grant.mailbox_uid;
    !same
        && other.account.is_same(&grant.account)
        && other.project() == grant.project()
        && other.ended.is_none()
        && other.signed_out_at.is_none()
        && !is_leaving
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::api::{DeletionPolicy, Reason};
    use crate::domain::endpoints::OAuthEndpoints;
    use crate::domain::grant::{Access, Account, GrantEnd};
    use crate::domain::name::ObjectName;
    use crate::domain::secret::{AccessToken, RefreshToken};

    fn grant(uid: &str) -> Grant {
        let at = Timestamp::UNIX_EPOCH;
        Grant {
            mailbox: ObjectName::new("crm", uid),
            mailbox_uid: uid.to_owned(),
            email_address: "ann@example.com".parse().unwrap(),
            account: Account {
                issuer: "https://accounts.google.com".into(),
                subject: "1".into(),
                email: "ann@example.com".parse().unwrap(),
            },
            scopes: ["openid".to_owned()].into(),
            client_id: "7-a".into(),
            redirect_uri: None,
            token_endpoint: OAuthEndpoints::google().token,
            profile: ObjectName::new("mail", "google"),
            refresh_token: RefreshToken::new("r"),
            access: Access {
                token: AccessToken::new("a"),
                issued_at: at,
                expires_at: at,
            },
            signed_in_at: at,
            ends: None,
            start_from: at,
            ended: None,
            messages: crate::domain::grant::Messages::default(),
            place_taken_at: None,
            reminded_for: None,
            test_requested_at: None,
            signed_out_at: None,
            move_asked_at: None,
            workload_secret: None,
            deletion_policy: DeletionPolicy::Revoke,
            orphaned_at: None,
        }
    }

    #[test]
    fn only_a_live_grant_of_the_same_account_and_project_is_needed() {
        let (ours, now) = (grant("a"), Timestamp::UNIX_EPOCH);
        type Change = fn(&mut Grant);
        let changes: [(&str, Change, bool); 9] = [
            ("the same", |_| (), true),
            (
                "another client of the project",
                |g| g.client_id = "7-b".into(),
                true,
            ),
            (
                "whose owner is asked whether it moves",
                |g| g.move_asked_at = Some(Timestamp::UNIX_EPOCH),
                true,
            ),
            (
                "which waits for its Mailbox",
                |g| g.orphaned_at = Some(Timestamp::UNIX_EPOCH),
                true,
            ),
            ("another project", |g| g.client_id = "8-a".into(), false),
            ("another account", |g| g.account.subject = "2".into(), false),
            (
                "another issuer's account",
                |g| g.account.issuer = "https://x".into(),
                false,
            ),
            (
                "another server",
                |g| g.token_endpoint = "https://x/token".parse().unwrap(),
                false,
            ),
            (
                "signed out",
                |g| g.signed_out_at = Some(Timestamp::UNIX_EPOCH),
                false,
            ),
        ];
        for (what, change, needed) in changes {
            let mut other = grant("b");
            change(&mut other);
            assert_eq!(is_needed(&ours, &other, false), needed, "{what}");
            assert!(!is_needed(&ours, &other, true), "{what}, and leaving");
            other.ended = Some(GrantEnd {
                reason: Reason::ConsentExpired,
                at: now,
            });
            assert!(!is_needed(&ours, &other, false), "{what}, and ended");
        }
        assert!(!is_needed(&ours, &ours, false), "itself");
    }
}
