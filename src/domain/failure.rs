//! The failure table: what can go wrong between here and a mail server, told apart.

use strum::{EnumIter, IntoEnumIterator};

use crate::api::Reason;

/// What went wrong with a mail server.
#[derive(Clone, Copy, Debug, EnumIter, Eq, Hash, PartialEq)]
pub enum FailureKind {
    /// The policy of [`super::egress`] forbids the connection.
    NotAllowed,
    /// The name does not resolve.
    NameNotResolved,
    /// Nothing listens there (ECONNREFUSED).
    Refused,
    /// No route, or another error of connect(2).
    Unreachable,
    /// No answer in time: to the connection, the handshake, the greeting or a command.
    TimedOut,
    /// The connection ended before the answer was complete.
    ConnectionLost,
    /// The certificate is not from a known authority, for another name, or expired.
    CertificateNotTrusted,
    /// Plain text on a TLS port, TLS on a plain one, or no STARTTLS offered.
    WrongSecurityMode,
    /// Something that is not an answer of this protocol, or too much of it.
    NotUnderstood,
    /// IMAP refused the login: `NO` to AUTHENTICATE.
    LoginRefused,
    /// SMTP refused the login: 5xx to AUTH.
    SmtpLoginRefused,
    /// There is no INBOX, or it cannot be opened.
    InboxMissing,
    /// The server says that it cannot now: SMTP 4xx, IMAP `[UNAVAILABLE]` or BYE.
    Unavailable,
    /// SMTP refused the message: 5xx to MAIL, RCPT or DATA.
    MessageRefused,
    /// The message was accepted and did not arrive in time.
    MessageNotArrived,
}

/// Whether trying again soon can help.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Permanence {
    /// Tried again with growing waits.
    Transient,
    /// Waits for a person; looked at again after hours.
    Permanent,
}

impl FailureKind {
    /// The reason in conditions and in `lastError`.
    pub fn reason(self) -> Reason {
        match self {
            FailureKind::NotAllowed => Reason::EndpointNotAllowed,
            FailureKind::NameNotResolved => Reason::NameNotResolved,
            FailureKind::Refused => Reason::ConnectionRefused,
            FailureKind::Unreachable => Reason::ConnectionFailed,
            FailureKind::TimedOut => Reason::ConnectionTimedOut,
            FailureKind::ConnectionLost => Reason::ConnectionLost,
            FailureKind::CertificateNotTrusted => Reason::TlsVerificationFailed,
            FailureKind::WrongSecurityMode => Reason::WrongSecurityMode,
            FailureKind::NotUnderstood => Reason::UnexpectedReply,
            FailureKind::LoginRefused => Reason::LoginRefused,
            FailureKind::SmtpLoginRefused => Reason::SmtpLoginRefused,
            FailureKind::InboxMissing => Reason::InboxMissing,
            FailureKind::Unavailable => Reason::MailServerUnavailable,
            FailureKind::MessageRefused => Reason::MessageRefused,
            FailureKind::MessageNotArrived => Reason::MessageNotArrived,
        }
    }

    /// Whether trying again soon can help. Network and TLS failures are transient: a proxy or a
    /// name server that is put right must not need a person here as well.
    pub fn permanence(self) -> Permanence {
        match self {
            FailureKind::NotAllowed
            | FailureKind::WrongSecurityMode
            | FailureKind::LoginRefused
            | FailureKind::SmtpLoginRefused
            | FailureKind::InboxMissing
            | FailureKind::MessageRefused => Permanence::Permanent,
            FailureKind::NameNotResolved
            | FailureKind::Refused
            | FailureKind::Unreachable
            | FailureKind::TimedOut
            | FailureKind::ConnectionLost
            | FailureKind::CertificateNotTrusted
            | FailureKind::NotUnderstood
            | FailureKind::Unavailable
            | FailureKind::MessageNotArrived => Permanence::Transient,
        }
    }
}

/// Whether a direction that failed for `reason` waits for a person.
pub fn is_permanent(reason: Reason) -> bool {
    FailureKind::iter()
        .any(|kind| kind.reason() == reason && kind.permanence() == Permanence::Permanent)
}

/// One failure, with what is needed to say it to a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// What was being done, with which server: "connecting to imap.gmail.com:993".
    pub doing: String,
    /// Our side's detail, such as the operating system's words; empty where there is none.
    pub detail: String,
    /// The server's own words, made safe by [`server_reply`].
    pub reply: Option<String>,
}

/// The longest reply that is kept, in characters.
const MAX_REPLY: usize = 300;

/// A server's words made safe to keep and to print: bounded, one line, no control characters, no
/// URL (Gmail's may be sign-in links), no session id (it would make every status differ), and none
/// of `secrets`.
pub fn server_reply(raw: &str, secrets: &[&str]) -> Option<String> {
    let mut text = raw.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "…");
    }
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| if word.contains("://") { "(URL)" } else { word })
        .filter(|word| !is_session_id(word));
    let mut clean = String::new();
    for word in words {
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(word);
    }
    let clean = clean.trim_end_matches(" - gsmtp").to_owned();
    let mut bounded: String = clean.chars().take(MAX_REPLY).collect();
    if bounded.len() < clean.len() {
        bounded.push('…');
    }
    (!bounded.is_empty()).then_some(bounded)
}

/// Gmail repeats a session's id in its answers: long words of hexadecimal digits and dashes with a
/// suffix such as `mb123456ejc` or `.71`.
fn is_session_id(word: &str) -> bool {
    word.len() >= 16
        && word
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && word.bytes().filter(u8::is_ascii_digit).count() >= 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_safe_to_keep() {
        for (raw, kept) in [
            (
                "[AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n",
                Some("[AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
            ),
            (
                "[WEBALERT https://accounts.google.com/signin/continue?x=y] Web login required.",
                Some("[WEBALERT (URL) Web login required."),
            ),
            (
                "2.0.0 OK d9443c01a7336-29daeaab9e6sm1723845ad.71 - gsmtp",
                Some("2.0.0 OK"),
            ),
            (
                "Lookup failed a640c23a62f3amb123456ejc",
                Some("Lookup failed"),
            ),
            ("bad token ya29.SECRET here", Some("bad token … here")),
            ("\u{1b}[31mred\u{0}", Some("[31mred")),
            ("\r\n", None),
        ] {
            assert_eq!(
                server_reply(raw, &["ya29.SECRET"]).as_deref(),
                kept,
                "{raw:?}"
            );
        }
        assert_eq!(
            server_reply(&"x ".repeat(4000), &[]).map(|reply| reply.chars().count()),
            Some(301)
        );
    }
}
