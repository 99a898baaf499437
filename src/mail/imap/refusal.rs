//! What an IMAP server's refusal means: by its code (RFC 3501 section 7.1, RFC 5530, Gmail's own),
//! then by what Gmail and Dovecot are known to say.

use super::answer::Status;
use super::{Folder, Step};
use crate::api::Reason;
use crate::mail::wording::{Row, Said, meaning};

/// Codes and words of a refused login.
const LOGIN: &[Row] = &[
    ("WEBALERT", "", Reason::WebLoginRequired),
    ("AUTHENTICATIONFAILED", "", Reason::LoginRefused),
    ("EXPIRED", "", Reason::LoginRefused),
    ("AUTHORIZATIONFAILED", "", Reason::AuthorizationFailed),
    ("NOPERM", "", Reason::AuthorizationFailed),
    ("CLIENTBUG", "", Reason::LoginMalformed),
    // Dovecot's, for more connections than one user may have.
    ("LIMIT", "", Reason::TooManyConnections),
    ("", "web login required", Reason::WebLoginRequired),
    ("", "log in via your web browser", Reason::WebLoginRequired),
    (
        "",
        "application-specific password",
        Reason::UnexpectedPasswordLogin,
    ),
    ("", "imap access is disabled", Reason::ImapDisabledByDomain),
    ("", "not enabled for imap", Reason::ImapDisabledByUser),
    ("", "lookup failed", Reason::GmailServiceOff),
    ("", "too many login attempts", Reason::LoginRateLimited),
    ("", "invalid sasl argument", Reason::LoginMalformed),
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
    ("", "invalid credentials", Reason::LoginRefused),
    ("", "authentication failed", Reason::LoginRefused),
];

/// Those of a folder that is not opened.
const OPENING: &[Row] = &[
    ("NONEXISTENT", "", Reason::InboxMissing),
    ("TRYCREATE", "", Reason::InboxMissing),
    ("NOPERM", "", Reason::InboxNotPermitted),
    ("AUTHORIZATIONFAILED", "", Reason::InboxNotPermitted),
    ("CORRUPTION", "", Reason::InboxDamaged),
    ("", "unknown mailbox", Reason::InboxMissing),
    ("", "mailbox doesn't exist", Reason::InboxMissing),
    ("", "mailbox does not exist", Reason::InboxMissing),
    ("", "permission denied", Reason::InboxNotPermitted),
];

/// Those that may come at any time, also with a `BYE`.
const ANYWHERE: &[Row] = &[
    ("UNAVAILABLE", "", Reason::MailServerUnavailable),
    ("SERVERBUG", "", Reason::MailServerUnavailable),
    ("INUSE", "", Reason::MailboxBusy),
    // Gmail's, for the day's transfer; nothing is stored here that could be over another quota.
    ("OVERQUOTA", "", Reason::BandwidthExceeded),
    ("THROTTLED", "", Reason::Throttled),
    ("LIMIT", "", Reason::Throttled),
    ("PRIVACYREQUIRED", "", Reason::EncryptionRequired),
    ("CONTACTADMIN", "", Reason::AdminContactRequired),
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
    ("", "session expired", Reason::SessionExpired),
    ("", "inactivity", Reason::SessionExpired),
    ("", "system error", Reason::MailServerUnavailable),
    (
        "",
        "temporary system problem",
        Reason::MailServerUnavailable,
    ),
    ("", "shutting down", Reason::MailServerUnavailable),
];

/// What a NO, a BAD or a BYE at `step` means, with all texts that came in its place.
pub(super) fn reason(step: Step, status: Status, texts: &[String]) -> Reason {
    let of_step: &[Row] = match step {
        Step::Login => LOGIN,
        Step::Examine(_) | Step::Select(_) => OPENING,
        _ => &[],
    };
    let said: Vec<_> = texts.iter().map(|text| Said::bracketed(text)).collect();
    if let Some(known) = meaning(&[of_step, ANYWHERE], &said) {
        return known;
    }
    match (step, status) {
        _ if said.iter().any(Said::is_temporary) => Reason::RefusedForNow,
        // RFC 3501 section 7.1.5: it takes no connection from this client.
        (Step::Greeting, _) => Reason::ServiceRefused,
        (_, Status::Bye) => Reason::MailServerUnavailable,
        (Step::Login, Status::Bad) => Reason::LoginMalformed,
        (Step::Examine(Folder::Inbox) | Step::Select(Folder::Inbox), Status::No) => {
            Reason::InboxRefused
        }
        _ => Reason::RefusedOtherwise,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A refusal for each row, which is told as such where it is: no row stands behind another that
    /// hides it.
    pub(in super::super) fn each_row() -> Vec<(Step, String, Reason)> {
        let places = [
            (Step::Login, LOGIN),
            (Step::Examine(Folder::Inbox), OPENING),
            (Step::Noop, ANYWHERE),
        ];
        let rows = places
            .iter()
            .flat_map(|(step, table)| table.iter().map(|row| (*step, row)));
        rows.map(|(step, (codes, words, reason))| {
            let text = match codes.is_empty() {
                true => format!("Sorry, {} (Failure)", words.to_uppercase()),
                false => format!("[{codes}] no"),
            };
            (step, text, *reason)
        })
        .collect()
    }

    #[test]
    fn what_is_not_known_is_told_by_its_place() {
        use Reason::*;
        for (step, status, text, meant) in [
            (Step::Login, Status::No, "[ALERT] Nope", RefusedOtherwise),
            (
                Step::Login,
                Status::No,
                "Please try again later",
                RefusedForNow,
            ),
            (Step::Login, Status::Bad, "Syntax", LoginMalformed),
            (Step::Login, Status::Bye, "", MailServerUnavailable),
            (Step::Greeting, Status::Bye, "go away", ServiceRefused),
            (
                Step::Examine(Folder::Inbox),
                Status::No,
                "[CANNOT] no",
                InboxRefused,
            ),
            (
                Step::Examine(Folder::Inbox),
                Status::Bad,
                "no",
                RefusedOtherwise,
            ),
            (Step::Search, Status::No, "[CANNOT] no", RefusedOtherwise),
            (Step::Login, Status::No, "[LIMIT] no", TooManyConnections),
            (Step::Search, Status::No, "[LIMIT] no", Throttled),
        ] {
            assert_eq!(reason(step, status, &[text.to_owned()]), meant, "{text}");
        }
    }

    #[test]
    fn what_was_said_before_counts() {
        let before = "[WEBALERT https://accounts.google.com/x] Web login required.".to_owned();
        let refused = "[AUTHENTICATIONFAILED] Invalid credentials (Failure)".to_owned();
        assert_eq!(
            reason(Step::Login, Status::No, &[before, refused]),
            Reason::WebLoginRequired
        );
    }
}
