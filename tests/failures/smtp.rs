//! What smtp.gmail.com says to a login.

use gmail_operator::api::Again::{AfterPause, Slowly, Soon};
use gmail_operator::api::Reason as R;

use super::{Row, Way, account, refusing};
use crate::lab::mail_script::Act::{Bye, Challenge, Close, Flood, Garbage, Say, Silence};
use crate::lab::mail_script::{Act, At, Offers};

const fn login(name: &'static str, act: Act, means: (R, super::Again)) -> Row {
    account(name, Way::Smtp, At::Login, act, means)
}

pub const ROWS: &[Row] = &[
    login(
        "smtp-refused",
        Challenge(
            "535-5.7.8 Username and Password not accepted. For more information, go to\r\n\
             535 5.7.8  https://support.google.com/mail/?p=BadCredentials SESSION - gsmtp",
        ),
        (R::SmtpLoginRefused, Slowly),
    )
    .says("535 5.7.8 Username and Password not accepted. For more information, go to (URL)"),
    refusing(
        "smtp-refused-by-bearer",
        Way::Smtp,
        Offers::BearerOnly,
        "535 5.7.8 Username and Password not accepted. SESSION - gsmtp",
        R::SmtpLoginRefused,
    )
    .says("535 5.7.8 Username and Password not accepted."),
    login(
        "smtp-web-login",
        Say(
            "534-5.7.9 Please log in with your web browser and then try again. For more\r\n\
             534-5.7.9 information, go to\r\n\
             534 5.7.9  https://support.google.com/mail/?p=WebLoginRequired SESSION - gsmtp",
        ),
        (R::WebLoginRequired, Slowly),
    )
    .says("534 5.7.9 Please log in with your web browser and then try again."),
    login(
        "smtp-web-login-of-old",
        Say(
            "534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgnsbt\r\n\
             534-5.7.14 ZGVmZ2hpams> Please log in via your web browser and then try again.\r\n\
             534 5.7.14 Learn more at https://support.google.com/mail/answer/78754 SESSION - gsmtp",
        ),
        (R::WebLoginRequired, Slowly),
    )
    .says("534 5.7.14 <(URL)> Please log in via your web browser and then try again. Learn more at (URL)"),
    login(
        "smtp-password",
        Say(
            "534-5.7.9 Application-specific password required. For more information, go to\r\n\
             534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor SESSION - gsmtp",
        ),
        (R::UnexpectedPasswordLogin, Slowly),
    )
    .says("534 5.7.9 Application-specific password required."),
    login(
        "smtp-too-many-logins",
        Say(
            "454-4.7.0 Too many login attempts, please try again later. For more information,\r\n\
             454 4.7.0 go to https://support.google.com/mail/answer/7126229 SESSION - gsmtp",
        ),
        (R::LoginRateLimited, AfterPause),
    )
    .says("454 4.7.0 Too many login attempts, please try again later."),
    login(
        "smtp-temporary",
        Say("454 4.7.0 Cannot authenticate due to temporary system problem. Try again later. SESSION - gsmtp"),
        (R::MailServerUnavailable, Soon),
    )
    .says("454 4.7.0 Cannot authenticate due to temporary system problem. Try again later."),
    login(
        "smtp-busy",
        Bye("421 4.4.5 Server busy, try again later. SESSION - gsmtp"),
        (R::MailServerUnavailable, Soon),
    )
    .says("421 4.4.5 Server busy, try again later."),
    login(
        "smtp-unsolicited",
        Bye(
            "421-4.7.0 Our system has detected an unusual rate of unsolicited mail originating\r\n\
             421-4.7.0 from your IP address. To protect our users from spam, mail sent from your\r\n\
             421 4.7.0 IP address has been temporarily rate limited. SESSION - gsmtp",
        ),
        (R::SendingBlocked, Slowly),
    )
    .says("421 4.7.0 Our system has detected an unusual rate of unsolicited mail"),
    login(
        "smtp-unencrypted",
        Say("530 5.7.0 Must issue a STARTTLS command first. SESSION - gsmtp"),
        (R::EncryptionRequired, Slowly),
    )
    .says("530 5.7.0 Must issue a STARTTLS command first."),
    login(
        "smtp-malformed",
        Say("501 5.5.2 Cannot Decode response SESSION - gsmtp"),
        (R::LoginMalformed, Slowly),
    )
    .says("501 5.5.2 Cannot Decode response"),
    login(
        "smtp-words-of-tomorrow",
        Say("554 5.9.9 Your mailbox is entangled. SESSION - gsmtp"),
        (R::RefusedOtherwise, Soon),
    )
    .says("554 5.9.9 Your mailbox is entangled."),
    login(
        "smtp-not-now",
        Say("451 4.9.9 Your mailbox is being entangled. SESSION - gsmtp"),
        (R::RefusedForNow, Soon),
    )
    .says("451 4.9.9 Your mailbox is being entangled."),
    account(
        "smtp-cut-in-the-login",
        Way::Smtp,
        At::Byte(9),
        Close,
        (R::ConnectionLost, Soon),
    ),
    login("smtp-says-nothing", Silence, (R::ReplyTimedOut, Soon)),
    account(
        "smtp-stalls",
        Way::Smtp,
        At::Byte(9),
        Silence,
        (R::ReplyTooSlow, Soon),
    ),
    login("smtp-floods", Flood, (R::ReplyTooLong, Soon)),
    login("smtp-garbage", Garbage, (R::UnexpectedReply, Soon)).says(""),
];
