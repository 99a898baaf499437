//! What the way to a server, or the wrong server, makes of a test.

use gmail_operator::api::Again::{Slowly, Soon};
use gmail_operator::api::Reason as R;

use super::{Broken, Cure, RIGHT, Row, Way, entry, server};
use crate::lab::mail_script::Act::{Bye, Close, Drip, Flood, Garbage, Say, Silence};
use crate::lab::mail_script::{At, Entry, Offers};

pub const ROWS: &[Row] = &[
    Row::new(
        "net-no-such-name",
        Way::Imap,
        Broken::Host("mail.invalid"),
        R::NameNotResolved,
        Soon,
    )
    .cured_by(Cure::Profile),
    // Nobody can connect to a broadcast address.
    Row::new(
        "net-unreachable",
        Way::Imap,
        Broken::Host("127.255.255.255"),
        R::ConnectionFailed,
        Soon,
    )
    .cured_by(Cure::Profile),
    entry(
        "imap-port-closed",
        Way::Imap,
        Entry::Refused,
        (R::ConnectionRefused, Soon),
    ),
    entry(
        "pop-port-closed",
        Way::Pop3,
        Entry::Refused,
        (R::ConnectionRefused, Soon),
    ),
    entry(
        "smtp-port-closed",
        Way::Smtp,
        Entry::Refused,
        (R::ConnectionRefused, Soon),
    ),
    entry(
        "imap-packets-dropped",
        Way::Imap,
        Entry::Dropped,
        (R::ConnectionTimedOut, Soon),
    ),
    entry(
        "smtp-packets-dropped",
        Way::Submission,
        Entry::Dropped,
        (R::ConnectionTimedOut, Soon),
    ),
    entry(
        "starttls-taken-and-closed",
        Way::Submission,
        Entry::Closed,
        (R::GreetingMissing, Soon),
    ),
    entry(
        "starttls-taken-and-silent",
        Way::Submission,
        Entry::Silent,
        (R::GreetingTimedOut, Soon),
    ),
    server(
        "imap-no-greeting",
        Way::Imap,
        At::Greeting,
        Close,
        (R::GreetingMissing, Soon),
    ),
    server(
        "pop-no-greeting",
        Way::Pop3,
        At::Greeting,
        Close,
        (R::GreetingMissing, Soon),
    ),
    server(
        "imap-silent",
        Way::Imap,
        At::Greeting,
        Silence,
        (R::GreetingTimedOut, Soon),
    ),
    server(
        "pop-silent",
        Way::Pop3,
        At::Greeting,
        Silence,
        (R::GreetingTimedOut, Soon),
    ),
    server(
        "smtp-silent",
        Way::Smtp,
        At::Greeting,
        Silence,
        (R::GreetingTimedOut, Soon),
    ),
    server(
        "imap-drips",
        Way::Imap,
        At::Greeting,
        Drip(
            "* OK Gimap ready for requests from 203.0.113.7, but not very soon, since each word takes its time",
        ),
        (R::ReplyTooSlow, Soon),
    ),
    server(
        "smtp-drips",
        Way::Smtp,
        At::Command("EHLO"),
        Drip(
            "250-smtp.gmail.com at your service, [203.0.113.7], but not very soon, since each word takes its time",
        ),
        (R::ReplyTooSlow, Soon),
    ),
    server(
        "imap-endless-greeting",
        Way::Imap,
        At::Greeting,
        Flood,
        (R::ReplyTooLong, Soon),
    ),
    server(
        "smtp-endless-answer",
        Way::Smtp,
        At::Command("EHLO"),
        Flood,
        (R::ReplyTooLong, Soon),
    ),
    server(
        "imap-garbage-greeting",
        Way::Imap,
        At::Greeting,
        Garbage,
        (R::UnexpectedReply, Soon),
    )
    .says(""),
    server(
        "smtp-garbage-greeting",
        Way::Submission,
        At::Greeting,
        Garbage,
        (R::UnexpectedReply, Soon),
    )
    .says(""),
    server(
        "imap-is-pop",
        Way::Imap,
        At::Greeting,
        Say("+OK Gpop ready for requests from 203.0.113.7 SESSION"),
        (R::WrongProtocol, Soon),
    )
    .says(""),
    server(
        "imap-is-http",
        Way::Imap,
        At::Greeting,
        Bye("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"),
        (R::WrongProtocol, Soon),
    )
    .says(""),
    server(
        "pop-is-imap",
        Way::Pop3,
        At::Greeting,
        Say("* OK Gimap ready for requests from 203.0.113.7 SESSION"),
        (R::WrongProtocol, Soon),
    )
    .says(""),
    server(
        "smtp-is-imap",
        Way::Smtp,
        At::Greeting,
        Say("* OK Gimap ready for requests from 203.0.113.7 SESSION"),
        (R::WrongProtocol, Soon),
    )
    .says(""),
    server(
        "smtp-is-ssh",
        Way::Submission,
        At::Greeting,
        Say("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"),
        (R::WrongProtocol, Soon),
    )
    .says(""),
    server(
        "imap-not-for-us",
        Way::Imap,
        At::Greeting,
        Bye("* BYE This server is not for you"),
        (R::ServiceRefused, Soon),
    )
    .says("This server is not for you"),
    server(
        "smtp-not-for-us",
        Way::Smtp,
        At::Greeting,
        Bye("554 5.3.2 smtp.gmail.com takes no mail from here"),
        (R::ServiceRefused, Soon),
    )
    .says("554 5.3.2 smtp.gmail.com takes no mail from here"),
    server(
        "smtp-not-today",
        Way::Smtp,
        At::Greeting,
        Bye("421 4.3.0 Temporary System Problem. Try again later. SESSION - gsmtp"),
        (R::MailServerUnavailable, Soon),
    )
    .says("421 4.3.0 Temporary System Problem. Try again later."),
    Row::new(
        "imap-passwords-only",
        Way::Imap,
        Broken::Server(RIGHT, Offers::Passwords, None),
        R::LoginMethodMissing,
        Slowly,
    ),
    Row::new(
        "pop-passwords-only",
        Way::Pop3,
        Broken::Server(RIGHT, Offers::Passwords, None),
        R::LoginMethodMissing,
        Slowly,
    ),
    Row::new(
        "smtp-passwords-only",
        Way::Smtp,
        Broken::Server(RIGHT, Offers::Passwords, None),
        R::LoginMethodMissing,
        Slowly,
    ),
];
