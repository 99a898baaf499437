//! What smtp.gmail.com says to the test's message, and what may become of it.

use gmail_operator::api::Again::{AfterPause, Slowly, Soon};
use gmail_operator::api::Reason as R;

use super::{Broken, Row, Way, account};
use crate::lab::mail_script::Act::Say;
use crate::lab::mail_script::{At, Delivery};

const fn to(
    name: &'static str,
    command: &'static str,
    words: &'static str,
    means: (R, super::Again),
) -> Row {
    account(name, Way::Message, At::Command(command), Say(words), means)
}

const fn message(name: &'static str, words: &'static str, means: (R, super::Again)) -> Row {
    account(name, Way::Message, At::Message, Say(words), means)
}

pub const ROWS: &[Row] = &[
    to(
        "send-not-logged-in",
        "MAIL",
        "530-5.7.0 Authentication Required. For more information, go to\r\n\
         530 5.7.0  https://support.google.com/mail/?p=WantAuthError SESSION - gsmtp",
        (R::NotLoggedIn, Soon),
    )
    .says("530 5.7.0 Authentication Required."),
    to(
        "send-as-another",
        "MAIL",
        "553 5.7.1 Sender address rejected: not owned by user SESSION - gsmtp",
        (R::SenderRefused, Slowly),
    )
    .says("553 5.7.1 Sender address rejected: not owned by user"),
    to(
        "send-to-nobody",
        "RCPT",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n\
         550-5.1.1 double-checking the recipient's email address for typos. Learn more at\r\n\
         550 5.1.1  https://support.google.com/mail/?p=NoSuchUser SESSION - gsmtp",
        (R::RecipientUnknown, Slowly),
    )
    .says("550 5.1.1 The email account that you tried to reach does not exist."),
    to(
        "send-to-nowhere",
        "RCPT",
        "553-5.1.3 The recipient address is not a valid RFC 5321 address. For more\r\n\
         553 5.1.3 information, go to https://support.google.com/a/answer/3221692 SESSION - gsmtp",
        (R::RecipientRefused, Slowly),
    )
    .says("553 5.1.3 The recipient address is not a valid RFC 5321 address."),
    to(
        "send-to-many",
        "RCPT",
        "452-4.5.3 Your message has too many recipients. For more information regarding\r\n\
         452 4.5.3 Google's sending limits, go to https://support.google.com/mail/answer/22839 SESSION - gsmtp",
        (R::TooManyRecipients, AfterPause),
    )
    .says("452 4.5.3 Your message has too many recipients."),
    to(
        "send-to-a-full-mailbox",
        "RCPT",
        "452-4.2.2 The recipient's inbox is out of storage space. Please direct the\r\n\
         452 4.2.2 recipient to https://support.google.com/mail/?p=OverQuotaTemp SESSION - gsmtp",
        (R::StorageFull, AfterPause),
    )
    .says("452 4.2.2 The recipient's inbox is out of storage space."),
    message(
        "send-day-is-used-up",
        "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\r\n\
         550-5.4.5 sending limits go to\r\n\
         550 5.4.5  https://support.google.com/a/answer/166852 SESSION - gsmtp",
        (R::SendingLimitReached, AfterPause),
    )
    .says("550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to (URL)"),
    message(
        "send-unsolicited",
        "550-5.7.1 Our system has detected an unusual rate of unsolicited mail originating\r\n\
         550-5.7.1 from your IP address. To protect our users from spam, mail sent from your\r\n\
         550 5.7.1 IP address has been blocked. SESSION - gsmtp",
        (R::SendingBlocked, Slowly),
    )
    .says("550 5.7.1 Our system has detected an unusual rate of unsolicited mail"),
    to(
        "send-relay-denied",
        "MAIL",
        "550 5.7.0 Mail Sending denied SESSION - gsmtp",
        (R::RelayDenied, Slowly),
    )
    .says("550 5.7.0 Mail Sending denied"),
    message(
        "send-too-large",
        "552-5.3.4 Your message exceeded Google's message size limits. For more information,\r\n\
         552 5.3.4 visit https://support.google.com/mail/?p=MaxSizeError SESSION - gsmtp",
        (R::MessageTooLarge, Slowly),
    )
    .says("552 5.3.4 Your message exceeded Google's message size limits."),
    message(
        "send-content-refused",
        "552-5.7.0 This message was blocked because its content presents a potential\r\n\
         552-5.7.0 security issue. Please visit\r\n\
         552 5.7.0  https://support.google.com/mail/?p=BlockedMessage SESSION - gsmtp",
        (R::MessageContentRefused, Slowly),
    )
    .says("552 5.7.0 This message was blocked because its content presents a potential security issue."),
    message(
        "send-malformed",
        "554 5.6.0 Mail message is malformed. Not accepted. SESSION - gsmtp",
        (R::MessageMalformed, Slowly),
    )
    .says("554 5.6.0 Mail message is malformed. Not accepted."),
    message(
        "send-refused",
        "550 5.9.9 Your message is entangled. SESSION - gsmtp",
        (R::MessageRefused, Slowly),
    )
    .says("550 5.9.9 Your message is entangled."),
    Row::new(
        "send-arrives-late",
        Way::Message,
        Broken::Delivery(Delivery::Late),
        R::MessageNotArrived,
        Soon,
    ),
];
