//! What pop.gmail.com and others say in place of a count of messages.

use gmail_operator::api::Again::{AfterPause, Slowly, Soon};
use gmail_operator::api::Reason as R;

use super::{Row, Way, account, refusing};
use crate::lab::mail_script::Act::{Challenge, Close, Flood, Garbage, Say, Silence};
use crate::lab::mail_script::{Act, At, Offers};

const fn login(name: &'static str, act: Act, means: (R, super::Again)) -> Row {
    account(name, Way::Pop3, At::Login, act, means)
}

const fn stat(name: &'static str, act: Act, means: (R, super::Again)) -> Row {
    account(name, Way::Pop3, At::Command("STAT"), act, means)
}

pub const ROWS: &[Row] = &[
    login(
        "pop-refused",
        Challenge("-ERR [AUTH] Invalid credentials."),
        (R::PopLoginRefused, Slowly),
    )
    .says("[AUTH] Invalid credentials."),
    refusing(
        "pop-refused-by-bearer",
        Way::Pop3,
        Offers::BearerOnly,
        "-ERR [AUTH] Invalid credentials.",
        R::PopLoginRefused,
    )
    .says("[AUTH] Invalid credentials."),
    refusing(
        "pop-refused-in-two-steps",
        Way::Pop3,
        Offers::NoInitialResponse,
        "-ERR [AUTH] Invalid credentials.",
        R::PopLoginRefused,
    )
    .says("[AUTH] Invalid credentials."),
    // Gmail takes the login and says it only then.
    stat(
        "pop-off-for-user",
        Say("-ERR [SYS/PERM] Your account is not enabled for POP access. Please visit your Gmail settings page and enable your account for POP access."),
        (R::PopDisabledByUser, Slowly),
    )
    .says("[SYS/PERM] Your account is not enabled for POP access."),
    stat(
        "pop-off-for-domain",
        Say("-ERR [SYS/PERM] POP access is disabled for your domain. Please contact your domain administrator for questions about this feature."),
        (R::PopDisabledByDomain, Slowly),
    )
    .says("[SYS/PERM] POP access is disabled for your domain."),
    login(
        "pop-off-at-login",
        Say("-ERR [SYS/PERM] POP access is disabled for your domain."),
        (R::PopDisabledByDomain, Slowly),
    )
    .says("[SYS/PERM] POP access is disabled for your domain."),
    login(
        "pop-web-login",
        Say("-ERR [AUTH] Web login required: https://support.google.com/mail/answer/78754"),
        (R::WebLoginRequired, Slowly),
    )
    .says("[AUTH] Web login required: (URL)"),
    login(
        "pop-password",
        Say("-ERR [AUTH] Application-specific password required: https://support.google.com/accounts/answer/185833"),
        (R::UnexpectedPasswordLogin, Slowly),
    )
    .says("[AUTH] Application-specific password required: (URL)"),
    login(
        "pop-temporary",
        Say("-ERR [SYS/TEMP] Temporary system problem. Please try again later."),
        (R::MailServerUnavailable, Soon),
    )
    .says("[SYS/TEMP] Temporary system problem. Please try again later."),
    login(
        "pop-too-soon",
        Say("-ERR [LOGIN-DELAY] Minimum time between mail checks violation"),
        (R::LoginDelayed, AfterPause),
    )
    .says("[LOGIN-DELAY] Minimum time between mail checks violation"),
    stat(
        "pop-in-use",
        Say("-ERR [IN-USE] Do you have another POP session running?"),
        (R::MailboxBusy, Soon),
    )
    .says("[IN-USE] Do you have another POP session running?"),
    stat(
        "pop-mail-drop-refused",
        Say("-ERR This mail drop stays closed."),
        (R::MailDropRefused, Slowly),
    )
    .says("This mail drop stays closed."),
    login(
        "pop-ask-the-admin",
        Say("-ERR [SYS/PERM] Your account is not as it should be."),
        (R::AdminContactRequired, Slowly),
    )
    .says("[SYS/PERM] Your account is not as it should be."),
    login(
        "pop-words-of-tomorrow",
        Say("-ERR Your mailbox is entangled."),
        (R::RefusedOtherwise, Soon),
    )
    .says("Your mailbox is entangled."),
    stat("pop-closes", Close, (R::ConnectionLost, Soon)),
    stat("pop-says-nothing", Silence, (R::ReplyTimedOut, Soon)),
    account(
        "pop-floods",
        Way::Pop3,
        At::Byte(5),
        Flood,
        (R::ReplyTooLong, Soon),
    ),
    stat("pop-garbage", Garbage, (R::UnexpectedReply, Soon)).says(""),
];
