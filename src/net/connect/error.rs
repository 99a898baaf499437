use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::opening::Began;
use super::tunnel::ProxyError;
use crate::domain::egress::NotAllowed;

/// Why there is no connection, in words for a person.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The policy forbids the name, or every address that it has.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The name has no address, with the system's words.
    #[error("the name does not resolve: {0}")]
    NameNotResolved(String),
    /// No name server told whether it has one.
    #[error("{0}")]
    NameServerSilent(String),
    /// ECONNREFUSED.
    #[error("nothing listens there, or something on the way refuses the connection")]
    Refused,
    /// Another error of connect(2), such as "No route to host".
    #[error("no connection could be made: {0}")]
    Unreachable(String),
    /// Neither yes nor no to the connection in time.
    #[error("no answer in time")]
    TimedOut,
    /// The handshake was not over in time.
    #[error("the TLS handshake was not complete in time")]
    TlsTimedOut,
    /// The connection ended in the handshake, with the system's or the server's words.
    #[error("the connection was closed in the TLS handshake ({0})")]
    TlsConnectionLost(String),
    /// What is spoken there is text, whose first line this is: as hostile as any other answer.
    #[error("the server answers without encryption")]
    PlainText(String),
    /// TLS, but no version or cipher that both sides know, or the server wants something else of us.
    #[error("no TLS connection could be agreed on: {0}")]
    TlsNotAgreed(String),
    /// Neither TLS nor text, or broken TLS.
    #[error("{0}")]
    TlsNotUnderstood(String),
    /// No authority that is trusted has signed the certificate.
    #[error(
        "the server's certificate is not from a known authority (is spec.caBundle missing, or does a proxy replace certificates?)"
    )]
    CertificateUnknownIssuer,
    /// It is for others.
    #[error("the server's certificate is for another name")]
    CertificateWrongName,
    /// It was valid.
    #[error("the server's certificate has expired")]
    CertificateExpired,
    /// It will be valid.
    #[error("the server's certificate is not valid yet (is a clock wrong?)")]
    CertificateNotYetValid,
    /// Another rule that the certificate breaks.
    #[error("the server's certificate is not trusted: {0}")]
    CertificateNotTrusted(String),
    /// What the proxy does on the way, before there is a connection to the server.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// The longest words of the TLS library that are kept, in characters: a certificate may name
/// thousands of hosts, and its errors repeat them.
const MAX_WORDS: usize = 200;

impl ConnectError {
    /// What the system says to a name. getaddrinfo(3) has one error, `EAI_AGAIN`, for name servers
    /// that cannot be reached, do not answer or say that they cannot now; it comes as text, glibc's
    /// or musl's.
    pub(super) fn of_name(words: String) -> Self {
        let silent = ["Temporary failure in name resolution", "Try again"];
        if silent.iter().any(|silent| words.contains(silent)) {
            Self::NameServerSilent(format!("no name server answered: {words}"))
        } else {
            Self::NameNotResolved(words)
        }
    }

    pub(super) fn of_connection(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Unreachable(error.to_string()),
        }
    }

    /// What a handshake that began so failed with.
    pub(super) fn of_handshake(began: Began, error: &io::Error) -> Self {
        match began {
            Began::InPlainText(line) => return Self::PlainText(line),
            Began::Otherwise => {
                let words = "the server answers with something that is neither TLS nor text";
                return Self::TlsNotUnderstood(words.to_owned());
            }
            Began::Silent | Began::AsTls => {}
        }
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<TlsError>());
        match tls {
            None => Self::TlsConnectionLost(words(error)),
            Some(TlsError::InvalidCertificate(why)) => Self::of_certificate(why),
            Some(TlsError::AlertReceived(alert)) => Self::of_alert(*alert),
            Some(TlsError::PeerIncompatible(_) | TlsError::NoApplicationProtocol) => {
                Self::TlsNotAgreed(words(error))
            }
            Some(TlsError::NoCertificatesPresented) => Self::CertificateNotTrusted(words(error)),
            Some(_) => Self::TlsNotUnderstood(format!("the server's TLS is broken: {error}")),
        }
    }

    fn of_certificate(why: &CertificateError) -> Self {
        match why {
            // The second is of an authority that has a known one's name and not its key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::CertificateUnknownIssuer
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::CertificateWrongName
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Self::CertificateExpired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::CertificateNotYetValid
            }
            other => Self::CertificateNotTrusted(words(other)),
        }
    }

    /// What the server says when it ends the handshake (RFC 8446 section 6).
    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            // It has no certificate for the name that we want (RFC 6066 section 3).
            AlertDescription::UnrecognisedName => Self::CertificateWrongName,
            AlertDescription::InternalError
            | AlertDescription::UserCanceled
            | AlertDescription::CloseNotify => {
                Self::TlsConnectionLost(format!("the server says {alert:?}"))
            }
            other => Self::TlsNotAgreed(format!("the server says {other:?}")),
        }
    }
}

fn words(error: &impl ToString) -> String {
    error.to_string().chars().take(MAX_WORDS).collect()
}
