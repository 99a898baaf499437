//! What oauth2.googleapis.com answers to a renewal.

use gmail_operator::api::Again::{OnChange, Soon};
use gmail_operator::api::Reason as R;

use super::{Again, Broken, Cure, Row, Way};

const fn answer(
    name: &'static str,
    status: &'static str,
    body: &'static str,
    means: (R, Again),
) -> Row {
    Row::new(
        name,
        Way::Token,
        Broken::Renewal(status, body),
        means.0,
        means.1,
    )
}

const fn ended(name: &'static str, body: &'static str, means: (R, Again)) -> Row {
    answer(name, "400 Bad Request", body, means).cured_by(Cure::SignIn)
}

/// The same for a sign-in of this age.
const fn after_hours(mut row: Row, hours: i64) -> Row {
    row.age_hours = hours;
    row
}

pub const ROWS: &[Row] = &[
    ended(
        "token-revoked",
        r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
        (R::ConsentExpired, OnChange),
    ),
    ended(
        "token-long-dead",
        r#"{"error":"invalid_grant","error_description":"Bad Request"}"#,
        (R::ConsentExpired, OnChange),
    ),
    after_hours(
        ended(
            "token-of-testing",
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
            (R::ConsentExpiredTesting, OnChange),
        ),
        7 * 24,
    ),
    ended(
        "token-session-length",
        r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_uri":"https://support.google.com/a/answer/9368756","error_subtype":"invalid_rapt"}"#,
        (R::ReauthenticationRequired, OnChange),
    ),
    ended(
        "token-account-deleted",
        r#"{"error":"invalid_grant","error_description":"Account has been deleted"}"#,
        (R::AccountDeleted, OnChange),
    ),
    ended(
        "token-of-another-client",
        r#"{"error":"unauthorized_client","error_description":"Unauthorized"}"#,
        (R::ClientChanged, OnChange),
    ),
    ended(
        "token-policy",
        r#"{"error":"admin_policy_enforced","error_description":"Access to your account data is restricted by policies within your organization."}"#,
        (R::BlockedByWorkspacePolicy, OnChange),
    ),
    answer(
        "token-without-mail",
        "200 OK",
        r#"{"access_token":"ya29.narrow","expires_in":3599,"scope":"openid email","token_type":"Bearer"}"#,
        (R::MailScopeNotGranted, OnChange),
    )
    .cured_by(Cure::SignIn),
    answer(
        "token-busy",
        "403 Forbidden",
        r#"{"error":"rate_limit_exceeded","error_description":"Rate Limit Exceeded"}"#,
        (R::GoogleUnavailable, Soon),
    ),
    answer(
        "token-internal-failure",
        "400 Bad Request",
        r#"{"error":"internal_failure","error_description":"Backend Error"}"#,
        (R::GoogleUnavailable, Soon),
    ),
    answer(
        "token-portal",
        "200 OK",
        "<html><title>Sign in to the network</title></html>",
        (R::GoogleUnavailable, Soon),
    ),
];
