//! What a POP3 server's refusal means: by its code (RFC 2449 section 8.1, RFC 3206) together with
//! what Gmail says under it, then by what Gmail and Dovecot are known to say.

use super::Step;
use crate::api::Reason;
use crate::mail::wording::{Row, Said, meaning};

/// Codes and words that may come at any time. Gmail turns POP off at STAT; in older reports, at the
/// login.
const ANYWHERE: &[Row] = &[
    ("AUTH", "web login required", Reason::WebLoginRequired),
    (
        "AUTH",
        "application-specific password",
        Reason::UnexpectedPasswordLogin,
    ),
    ("SYS/PERM", "not enabled for pop", Reason::PopDisabledByUser),
    (
        "SYS/PERM",
        "pop access is disabled",
        Reason::PopDisabledByDomain,
    ),
    ("AUTH", "", Reason::PopLoginRefused),
    // RFC 3206 section 4: somebody has to do something, and it is not the user's credentials.
    ("SYS/PERM", "", Reason::AdminContactRequired),
    ("SYS/TEMP", "", Reason::MailServerUnavailable),
    ("LOGIN-DELAY", "", Reason::LoginDelayed),
    ("IN-USE", "", Reason::MailboxBusy),
    ("", "not enabled for pop", Reason::PopDisabledByUser),
    ("", "pop access is disabled", Reason::PopDisabledByDomain),
    ("", "web login required", Reason::WebLoginRequired),
    ("", "log in via your web browser", Reason::WebLoginRequired),
    (
        "",
        "application-specific password",
        Reason::UnexpectedPasswordLogin,
    ),
    ("", "lookup failed", Reason::GmailServiceOff),
    ("", "too many login attempts", Reason::LoginRateLimited),
    (
        "",
        "too many simultaneous connections",
        Reason::TooManyConnections,
    ),
    (
        "",
        "maximum number of connections",
        Reason::TooManyConnections,
    ),
    ("", "bandwidth limit", Reason::BandwidthExceeded),
    ("", "throttled", Reason::Throttled),
    (
        "",
        "temporary system problem",
        Reason::MailServerUnavailable,
    ),
    ("", "system error", Reason::MailServerUnavailable),
    ("", "session expired", Reason::SessionExpired),
    ("", "inactivity", Reason::SessionExpired),
    ("", "shutting down", Reason::MailServerUnavailable),
];

/// Words of a refused login.
const AUTH: &[Row] = &[
    (
        "",
        "unsupported authentication mechanism",
        Reason::LoginMethodMissing,
    ),
    (
        "",
        "temporary authentication failure",
        Reason::MailServerUnavailable,
    ),
    ("", "invalid credentials", Reason::PopLoginRefused),
    (
        "",
        "username and password not accepted",
        Reason::PopLoginRefused,
    ),
    ("", "authentication failed", Reason::PopLoginRefused),
    // What Gmail says to a line that it did not expect in the login.
    ("", "bad command", Reason::LoginMalformed),
];

/// What the `-ERR` with `text` at `step` means.
pub(super) fn reason(step: Step, text: &str) -> Reason {
    let said = [Said::bracketed(text)];
    let of_step: &[Row] = match step {
        Step::Auth => AUTH,
        _ => &[],
    };
    if let Some(known) = meaning(&[ANYWHERE, of_step], &said) {
        return known;
    }
    match step {
        _ if said.iter().any(Said::is_temporary) => Reason::RefusedForNow,
        Step::Greeting => Reason::ServiceRefused,
        Step::Stat => Reason::MailDropRefused,
        _ => Reason::RefusedOtherwise,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A refusal for each row, which is told as such where it is: no row stands behind another that
    /// hides it.
    pub(in super::super) fn each_row() -> Vec<(Step, String, Reason)> {
        let places = [(Step::Stat, ANYWHERE), (Step::Auth, AUTH)];
        let rows = places
            .iter()
            .flat_map(|(step, table)| table.iter().map(|row| (*step, row)));
        rows.map(|(step, (codes, words, reason))| {
            let text = match codes.is_empty() {
                true => format!("Sorry, {}.", words.to_uppercase()),
                false => format!("[{codes}] no: {words}"),
            };
            (step, text, *reason)
        })
        .collect()
    }

    #[test]
    fn what_is_not_known_is_told_by_its_place() {
        use Reason::*;
        for (step, text, meant) in [
            (Step::Auth, "nope", RefusedOtherwise),
            (Step::Auth, "", RefusedOtherwise),
            (Step::Auth, "Please try again later", RefusedForNow),
            (Step::Greeting, "go away", ServiceRefused),
            (Step::Stat, "nope", MailDropRefused),
            (Step::Stat, "bad command", MailDropRefused),
            (Step::Stat, "[X/Y] temporarily not", RefusedForNow),
        ] {
            assert_eq!(reason(step, text), meant, "{text}");
        }
    }
}
