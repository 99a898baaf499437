//! What an SMTP server's refusal means, by where it comes: by its code and its enhanced code (RFC
//! 5321 section 4.2, RFC 3463, RFC 4954 section 6), then by what Gmail is known to say
//! (support.google.com/a/answer/3726730).

use super::dialogue::Step;
use super::reply::Reply;
use crate::api::Reason;
use crate::mail::wording::{Row, Said, meaning};

/// Those that may come at any time.
const ANYWHERE: &[Row] = &[
    ("", "unsolicited mail", Reason::SendingBlocked),
    ("4.7.28", "", Reason::SendingBlocked),
    ("5.7.28", "", Reason::SendingBlocked),
    ("", "too many login attempts", Reason::LoginRateLimited),
    (
        "",
        "too many simultaneous connections",
        Reason::TooManyConnections,
    ),
    ("", "too many concurrent", Reason::TooManyConnections),
    ("", "too many connections", Reason::TooManyConnections),
    (
        "",
        "temporary system problem",
        Reason::MailServerUnavailable,
    ),
    ("421 4.4.2", "", Reason::SessionExpired),
    ("451 4.4.2", "", Reason::SessionExpired),
    ("421", "", Reason::MailServerUnavailable),
    ("4.3.0", "", Reason::MailServerUnavailable),
    ("4.3.1", "", Reason::MailServerUnavailable),
    ("4.3.2", "", Reason::MailServerUnavailable),
    ("4.4.5", "", Reason::MailServerUnavailable),
];

/// Of the greeting: a server that is none (RFC 5321 section 3.1), or not for us.
const GREETING: &[Row] = &[
    ("554", "", Reason::ServiceRefused),
    ("521", "", Reason::ServiceRefused),
    ("550", "", Reason::ServiceRefused),
    ("", "blacklist", Reason::ServiceRefused),
    ("", "blocked", Reason::ServiceRefused),
];

/// Of EHLO: a server that does not know it has no AUTH.
const EHLO: &[Row] = &[
    ("500", "", Reason::LoginMethodMissing),
    ("502", "", Reason::LoginMethodMissing),
    ("504", "", Reason::LoginMethodMissing),
    ("521", "", Reason::ServiceRefused),
    ("550", "", Reason::ServiceRefused),
    ("554", "", Reason::ServiceRefused),
];

/// Of STARTTLS (RFC 3207 section 4).
const START_TLS: &[Row] = &[
    ("454", "", Reason::StartTlsRefused),
    ("5xx", "", Reason::StartTlsRefused),
];

/// Of AUTH.
const AUTH: &[Row] = &[
    (
        "534",
        "application-specific password",
        Reason::UnexpectedPasswordLogin,
    ),
    (
        "535",
        "application-specific password",
        Reason::UnexpectedPasswordLogin,
    ),
    ("534 5.7.9", "", Reason::WebLoginRequired),
    ("534 5.7.14", "", Reason::WebLoginRequired),
    ("534", "web browser", Reason::WebLoginRequired),
    ("535 5.5.4", "", Reason::LoginMalformed),
    ("535", "", Reason::SmtpLoginRefused),
    ("501", "", Reason::LoginMalformed),
    ("500 5.5.6", "", Reason::LoginMalformed),
    ("503", "", Reason::LoginMalformed),
    ("504", "", Reason::LoginMethodMissing),
    ("500", "", Reason::LoginMethodMissing),
    ("502", "", Reason::LoginMethodMissing),
    ("538", "", Reason::EncryptionRequired),
    ("530", "starttls", Reason::EncryptionRequired),
    ("5.7.11", "", Reason::EncryptionRequired),
    // The account is disabled (RFC 5248's registry).
    ("5.7.13", "", Reason::AuthorizationFailed),
    ("454", "", Reason::MailServerUnavailable),
    ("", "web login required", Reason::WebLoginRequired),
    ("", "log in with your web browser", Reason::WebLoginRequired),
    ("", "lookup failed", Reason::GmailServiceOff),
];

/// Of a message, at any step of it.
const MESSAGE: &[Row] = &[
    ("530", "starttls", Reason::EncryptionRequired),
    ("530", "", Reason::NotLoggedIn),
    ("5.4.5", "", Reason::SendingLimitReached),
    ("4.4.5", "", Reason::MailServerUnavailable),
    ("", "sending limit exceeded", Reason::SendingLimitReached),
    ("", "sending quota exceeded", Reason::SendingLimitReached),
    ("", "relay denied", Reason::RelayDenied),
    ("", "sending denied", Reason::RelayDenied),
    ("4.5.3", "", Reason::TooManyRecipients),
    ("5.5.3", "", Reason::TooManyRecipients),
    ("4.2.1", "", Reason::Throttled),
    ("4.2.2", "", Reason::StorageFull),
    ("5.2.2", "", Reason::StorageFull),
    ("5.2.3", "", Reason::MessageTooLarge),
    ("5.3.4", "", Reason::MessageTooLarge),
    ("", "over quota", Reason::StorageFull),
    ("452", "", Reason::MailServerUnavailable),
];

/// Of the sender.
const MAIL: &[Row] = &[
    ("5.1.7", "", Reason::SenderRefused),
    ("5.1.8", "", Reason::SenderRefused),
    ("5.7.1", "", Reason::SenderRefused),
    ("5.7.60", "", Reason::SenderRefused),
    ("550", "", Reason::SenderRefused),
    ("553", "", Reason::SenderRefused),
    ("552", "", Reason::MessageTooLarge),
];

/// Of the recipient.
const RCPT: &[Row] = &[
    ("5.1.1", "", Reason::RecipientUnknown),
    ("5.1.2", "", Reason::RecipientUnknown),
    ("5.1.10", "", Reason::RecipientUnknown),
    ("5.1.3", "", Reason::RecipientRefused),
    ("5.2.1", "", Reason::RecipientRefused),
    ("5.7.1", "", Reason::RecipientRefused),
    ("", "user unknown", Reason::RecipientUnknown),
    ("", "no such user", Reason::RecipientUnknown),
    ("", "does not exist", Reason::RecipientUnknown),
    ("552", "", Reason::StorageFull),
    ("550", "", Reason::RecipientRefused),
    ("551", "", Reason::RecipientRefused),
    ("553", "", Reason::RecipientRefused),
    ("556", "", Reason::RecipientUnknown),
];

/// Of the message's text. `gcdp` ends what a Workspace's own rule says.
const CONTENT: &[Row] = &[
    ("", "gcdp", Reason::MessageContentRefused),
    ("552 5.7.0", "", Reason::MessageContentRefused),
    ("", "illegal attachment", Reason::MessageContentRefused),
    ("", "not rfc 5322 compliant", Reason::MessageMalformed),
    ("", "not rfc 2822 compliant", Reason::MessageMalformed),
    ("554 5.6.0", "", Reason::MessageMalformed),
    ("5.6.0", "", Reason::MessageMalformed),
    ("552", "", Reason::MessageTooLarge),
    ("550", "", Reason::MessageRefused),
    ("554", "", Reason::MessageRefused),
];

/// What a 4xx or a 5xx at `step` means.
pub(super) fn reason(step: Step, reply: &Reply) -> Reason {
    let said = [Said::new(reply.codes(), &reply.words())];
    let tables: &[&[Row]] = match step {
        Step::Greeting => &[ANYWHERE, GREETING],
        Step::Ehlo => &[ANYWHERE, EHLO],
        Step::StartTls => &[ANYWHERE, START_TLS],
        Step::Auth => &[ANYWHERE, AUTH],
        Step::Mail => &[MESSAGE, ANYWHERE, MAIL],
        Step::Rcpt => &[MESSAGE, ANYWHERE, RCPT],
        Step::Announce | Step::Data => &[MESSAGE, ANYWHERE, CONTENT],
        Step::Noop => &[ANYWHERE, MESSAGE],
        Step::Quit => &[ANYWHERE],
    };
    if let Some(known) = meaning(tables, &said) {
        return known;
    }
    match said.iter().any(Said::is_temporary) || reply.code < 500 {
        true => Reason::RefusedForNow,
        false => Reason::RefusedOtherwise,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    /// A refusal for each row, which is told as such where it is: no row stands behind another that
    /// hides it.
    pub(in super::super) fn each_row() -> Vec<(Step, String, Reason)> {
        let places = [
            (Step::Noop, ANYWHERE),
            (Step::Greeting, GREETING),
            (Step::Ehlo, EHLO),
            (Step::StartTls, START_TLS),
            (Step::Auth, AUTH),
            (Step::Mail, MESSAGE),
            (Step::Mail, MAIL),
            (Step::Rcpt, RCPT),
            (Step::Data, CONTENT),
        ];
        let rows = places
            .iter()
            .flat_map(|(step, table)| table.iter().map(|row| (*step, row)));
        rows.map(|(step, row)| (step, reply_of(row), row.2))
            .collect()
    }

    /// A reply that the row is for, and as few others as can be.
    fn reply_of((codes, words, _): &Row) -> String {
        let enhanced = codes.split(' ').find(|code| code.contains('.'));
        let basic = codes.split(' ').find(|code| code.parse::<u16>().is_ok());
        let class = enhanced.and_then(|code| code.get(..1)).unwrap_or("5");
        let basic = basic.map_or_else(|| format!("{class}99"), str::to_owned);
        let enhanced = enhanced.map_or_else(String::new, |code| format!("{code} "));
        format!("{basic} {enhanced}Sorry, {}.", words.to_uppercase())
    }

    #[test]
    fn the_same_words_mean_what_their_place_says() {
        use Reason::*;
        for (step, line, meant) in [
            (Step::Greeting, "450 4.0.0 later", RefusedForNow),
            (Step::Greeting, "531 nope", RefusedOtherwise),
            (Step::Auth, "432 4.7.12 transition", RefusedForNow),
            (Step::Auth, "550 5.7.0 nope", RefusedOtherwise),
            (
                Step::Auth,
                "454 4.7.0 Too many login attempts, please try again later.",
                LoginRateLimited,
            ),
            (
                Step::Auth,
                "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later.",
                MailServerUnavailable,
            ),
            (
                Step::Auth,
                "421 4.7.0 Try again later, closing connection. (AUTH)",
                MailServerUnavailable,
            ),
            (Step::Mail, "550 5.7.1 nope", SenderRefused),
            (Step::Rcpt, "550 5.7.1 nope", RecipientRefused),
            (Step::Data, "550 5.7.1 nope", MessageRefused),
            (
                Step::Data,
                "550 5.7.1 [203.0.113.7] likely unsolicited mail.",
                SendingBlocked,
            ),
            (
                Step::Data,
                "550 5.7.1 Not allowed by the rule - gcdp",
                MessageContentRefused,
            ),
            (
                Step::Announce,
                "550 5.4.5 Daily user sending limit exceeded.",
                SendingLimitReached,
            ),
            (Step::Data, "451 4.7.1 Greylisted", RefusedForNow),
            (Step::Noop, "530 5.7.0 Authentication Required", NotLoggedIn),
            (Step::Mail, "503 5.5.1 EHLO first", RefusedOtherwise),
            (Step::Mail, "599 please try again later", RefusedForNow),
            (Step::StartTls, "421 4.7.0 busy", MailServerUnavailable),
        ] {
            let reply = Reply::of(&[line]).unwrap();
            assert_eq!(reason(step, &reply), meant, "{step:?}: {line}");
        }
    }
}
