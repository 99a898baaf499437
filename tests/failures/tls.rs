//! What goes wrong with the encryption.

use gmail_operator::api::Again::{Slowly, Soon};
use gmail_operator::api::Reason as R;

use super::{Row, Way, entry, server};
use crate::lab::mail_script::Act::Say;
use crate::lab::mail_script::{At, Certificate, Entry};

const fn shows(name: &'static str, way: Way, certificate: Certificate, reason: R) -> Row {
    entry(name, way, Entry::Tls(certificate), (reason, Soon))
}

pub const ROWS: &[Row] = &[
    shows(
        "tls-unknown-issuer",
        Way::Imap,
        Certificate::UnknownIssuer,
        R::CertificateUnknownIssuer,
    ),
    shows(
        "tls-unknown-issuer-for-pop",
        Way::Pop3,
        Certificate::UnknownIssuer,
        R::CertificateUnknownIssuer,
    ),
    shows(
        "starttls-unknown-issuer",
        Way::Submission,
        Certificate::UnknownIssuer,
        R::CertificateUnknownIssuer,
    ),
    shows(
        "tls-wrong-name",
        Way::Imap,
        Certificate::WrongName,
        R::CertificateWrongName,
    ),
    shows(
        "tls-expired",
        Way::Smtp,
        Certificate::Expired,
        R::CertificateExpired,
    ),
    shows(
        "tls-not-yet-valid",
        Way::Imap,
        Certificate::NotYetValid,
        R::CertificateNotYetValid,
    ),
    shows(
        "tls-for-clients",
        Way::Imap,
        Certificate::OtherUse,
        R::TlsVerificationFailed,
    ),
    entry(
        "imap-in-the-clear",
        Way::Imap,
        Entry::Plain,
        (R::PlainTextOnTlsPort, Slowly),
    )
    .says(""),
    entry(
        "pop-in-the-clear",
        Way::Pop3,
        Entry::Plain,
        (R::PlainTextOnTlsPort, Slowly),
    )
    .says(""),
    entry(
        "smtp-in-the-clear",
        Way::Smtp,
        Entry::Plain,
        (R::PlainTextOnTlsPort, Slowly),
    )
    .says(""),
    entry(
        "starttls-is-tls",
        Way::Submission,
        Entry::AlertAtOnce,
        (R::TlsOnPlainTextPort, Slowly),
    ),
    entry(
        "tls-too-old",
        Way::Imap,
        Entry::OldTls,
        (R::TlsNotAgreed, Soon),
    ),
    entry(
        "tls-no-version",
        Way::Smtp,
        Entry::Alert,
        (R::TlsNotAgreed, Soon),
    ),
    entry(
        "tls-closed",
        Way::Imap,
        Entry::ClosedInHandshake,
        (R::TlsConnectionLost, Soon),
    ),
    entry(
        "tls-taken-and-closed",
        Way::Smtp,
        Entry::Closed,
        (R::TlsConnectionLost, Soon),
    ),
    entry(
        "tls-silent",
        Way::Imap,
        Entry::Silent,
        (R::TlsTimedOut, Soon),
    ),
    server(
        "starttls-not-offered",
        Way::Submission,
        At::Command("EHLO"),
        Say("250-smtp.gmail.com at your service, [203.0.113.7]\r\n250 SIZE 35882577"),
        (R::StartTlsNotOffered, Slowly),
    ),
    server(
        "starttls-refused",
        Way::Submission,
        At::Command("STARTTLS"),
        Say("454 4.7.0 TLS not available due to temporary reason"),
        (R::StartTlsRefused, Soon),
    )
    .says("454 4.7.0 TLS not available due to temporary reason"),
    server(
        "starttls-injected",
        Way::Submission,
        At::Command("STARTTLS"),
        Say("220 2.0.0 Ready to start TLS\r\n250 AUTH PLAIN"),
        (R::StartTlsInjected, Soon),
    ),
];
