//! What imap.gmail.com and others say in place of an open inbox.

use gmail_operator::api::Again::{AfterPause, Slowly, Soon};
use gmail_operator::api::Reason as R;

use super::{Row, Way, account, refusing};
use crate::lab::mail_script::Act::{Bye, Challenge, Close, Flood, Garbage, Say, Silence};
use crate::lab::mail_script::{Act, At, Offers};

const fn login(name: &'static str, act: Act, means: (R, super::Again)) -> Row {
    account(name, Way::Imap, At::Login, act, means)
}

const fn examine(name: &'static str, act: Act, means: (R, super::Again)) -> Row {
    account(name, Way::Imap, At::Command("EXAMINE"), act, means)
}

pub const ROWS: &[Row] = &[
    login(
        "imap-refused",
        Challenge("TAG NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
        (R::LoginRefused, Slowly),
    )
    .says("[AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
    // By the other ways to log in, refusal and recovery.
    refusing(
        "imap-refused-by-bearer",
        Way::Imap,
        Offers::BearerOnly,
        "TAG NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        R::LoginRefused,
    )
    .says("[AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
    refusing(
        "imap-refused-in-two-steps",
        Way::Imap,
        Offers::NoInitialResponse,
        "TAG NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        R::LoginRefused,
    )
    .says("[AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
    login(
        "imap-gmail-off",
        Say("TAG NO Lookup failed SESSION"),
        (R::GmailServiceOff, Slowly),
    )
    .says("Lookup failed"),
    login(
        "imap-off-for-domain",
        Say("TAG NO [ALERT] IMAP access is disabled for your domain. Please contact your domain administrator for questions about this feature. (Failure)"),
        (R::ImapDisabledByDomain, Slowly),
    )
    .says("[ALERT] IMAP access is disabled for your domain. Please contact your domain administrator for questions about this feature. (Failure)"),
    login(
        "imap-off-for-user",
        Say("TAG NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)"),
        (R::ImapDisabledByUser, Slowly),
    )
    .says("[ALERT] Your account is not enabled for IMAP use."),
    login(
        "imap-web-login",
        Say("* NO [WEBALERT https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgnsbv] Web login required.\r\n\
             TAG NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)"),
        (R::WebLoginRequired, Slowly),
    )
    .says("[ALERT] Please log in via your web browser: (URL) (Failure)"),
    login(
        "imap-password",
        Say("TAG NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)"),
        (R::UnexpectedPasswordLogin, Slowly),
    )
    .says("[ALERT] Application-specific password required: (URL) (Failure)"),
    login(
        "imap-malformed",
        Say("TAG BAD Invalid SASL argument. SESSION"),
        (R::LoginMalformed, Slowly),
    )
    .says("Invalid SASL argument."),
    login(
        "imap-not-authorized",
        Say("TAG NO [AUTHORIZATIONFAILED] No such authorization-ID"),
        (R::AuthorizationFailed, Slowly),
    )
    .says("[AUTHORIZATIONFAILED] No such authorization-ID"),
    login(
        "imap-ask-the-admin",
        Say("TAG NO [CONTACTADMIN] Your mailbox is locked"),
        (R::AdminContactRequired, Slowly),
    )
    .says("[CONTACTADMIN] Your mailbox is locked"),
    login(
        "imap-unencrypted",
        Say("TAG NO [PRIVACYREQUIRED] Use encryption"),
        (R::EncryptionRequired, Slowly),
    )
    .says("[PRIVACYREQUIRED] Use encryption"),
    login(
        "imap-too-many",
        Say("TAG NO [ALERT] Too many simultaneous connections. (Failure)"),
        (R::TooManyConnections, AfterPause),
    )
    .says("[ALERT] Too many simultaneous connections. (Failure)"),
    login(
        "imap-bandwidth",
        Say("TAG NO [ALERT] Account exceeded command or bandwidth limits. (Failure)"),
        (R::BandwidthExceeded, AfterPause),
    )
    .says("[ALERT] Account exceeded command or bandwidth limits. (Failure)"),
    examine(
        "imap-over-quota",
        Bye("* BYE [OVERQUOTA] Account exceeded command or bandwidth limits. SESSION"),
        (R::BandwidthExceeded, AfterPause),
    )
    .says("[OVERQUOTA] Account exceeded command or bandwidth limits."),
    login(
        "imap-throttled",
        Say("TAG NO [THROTTLED] Slow down (Failure)"),
        (R::Throttled, AfterPause),
    )
    .says("[THROTTLED] Slow down (Failure)"),
    login(
        "imap-unavailable",
        Say("TAG NO [UNAVAILABLE] Temporary System Error (Failure)"),
        (R::MailServerUnavailable, Soon),
    )
    .says("[UNAVAILABLE] Temporary System Error (Failure)"),
    login(
        "imap-in-use",
        Say("TAG NO [INUSE] Mailbox in use"),
        (R::MailboxBusy, Soon),
    )
    .says("[INUSE] Mailbox in use"),
    examine(
        "imap-session-expired",
        Bye("* BYE Session expired, please login again."),
        (R::SessionExpired, Soon),
    )
    .says("Session expired, please login again."),
    examine(
        "imap-system-error",
        Bye("* BYE System error SESSION"),
        (R::MailServerUnavailable, Soon),
    )
    .says("System error"),
    login(
        "imap-words-of-tomorrow",
        Say("TAG NO [ALERT] Your mailbox is entangled. (Failure)"),
        (R::RefusedOtherwise, Soon),
    )
    .says("[ALERT] Your mailbox is entangled. (Failure)"),
    login(
        "imap-not-now",
        Say("TAG NO Something is odd; please try again later (Failure)"),
        (R::RefusedForNow, Soon),
    )
    .says("Something is odd; please try again later (Failure)"),
    examine(
        "imap-inbox-missing",
        Say("TAG NO [NONEXISTENT] Unknown Mailbox: INBOX (now in authenticated state) (Failure)"),
        (R::InboxMissing, Slowly),
    )
    .says("[NONEXISTENT] Unknown Mailbox: INBOX (now in authenticated state) (Failure)"),
    examine(
        "imap-inbox-not-permitted",
        Say("TAG NO [NOPERM] Permission denied (Failure)"),
        (R::InboxNotPermitted, Slowly),
    )
    .says("[NOPERM] Permission denied (Failure)"),
    examine(
        "imap-inbox-damaged",
        Say("TAG NO [CORRUPTION] Index is corrupt (Failure)"),
        (R::InboxDamaged, Slowly),
    )
    .says("[CORRUPTION] Index is corrupt (Failure)"),
    examine(
        "imap-inbox-refused",
        Say("TAG NO [CANNOT] Not this one (Failure)"),
        (R::InboxRefused, Slowly),
    )
    .says("[CANNOT] Not this one (Failure)"),
    // At any byte, first in the answer to the login, then in that to a command.
    account(
        "imap-cut-in-the-login",
        Way::Imap,
        At::Byte(20),
        Close,
        (R::ConnectionLost, Soon),
    ),
    account(
        "imap-cut-before-the-end",
        Way::Imap,
        At::Byte(380),
        Close,
        (R::ConnectionLost, Soon),
    ),
    account(
        "imap-stalls",
        Way::Imap,
        At::Byte(20),
        Silence,
        (R::ReplyTooSlow, Soon),
    ),
    examine("imap-says-nothing", Silence, (R::ReplyTimedOut, Soon)),
    account(
        "imap-floods",
        Way::Imap,
        At::Byte(20),
        Flood,
        (R::ReplyTooLong, Soon),
    ),
    examine("imap-garbage", Garbage, (R::UnexpectedReply, Soon)).says(""),
];
