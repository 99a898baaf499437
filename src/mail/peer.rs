use std::time::Duration;

use super::wire::WireError;
use super::xoauth2::Xoauth2;
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::domain::server::Endpoint;
use crate::net::connect::ConnectError;

/// The server of one session, for what is said about it when something fails.
pub(super) struct Peer {
    pub(super) server: Endpoint,
    /// How long it may take for each step.
    pub(super) timeout: Duration,
    pub(super) login: Xoauth2,
}

impl Peer {
    /// `step`, which names what is done in this protocol's terms, within the time-out.
    pub(super) async fn timed<T>(
        &self,
        step: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(done) => done,
            Err(_) => Err(self.failure(Reason::ReplyTimedOut, step, &self.no_answer())),
        }
    }

    /// A failure of our own observation.
    pub(super) fn failure(&self, reason: Reason, step: &str, detail: &str) -> Failure {
        Failure {
            reason,
            doing: self.doing(step),
            detail: detail.to_owned(),
            reply: None,
        }
    }

    /// A failure that the server put in words, `raw`.
    pub(super) fn said(&self, reason: Reason, step: &str, raw: &str) -> Failure {
        Failure {
            reason,
            doing: self.doing(step),
            detail: String::new(),
            reply: self.login.safe_reply(raw),
        }
    }

    /// A connection that could not be made.
    pub(super) fn unconnected(&self, step: &str, error: &ConnectError) -> Failure {
        let reason = match error {
            ConnectError::NotAllowed(_) => Reason::EndpointNotAllowed,
            ConnectError::NameNotResolved(_) => Reason::NameNotResolved,
            ConnectError::Refused => Reason::ConnectionRefused,
            ConnectError::Unreachable(_) => Reason::ConnectionFailed,
            ConnectError::NameServerSilent(_) => Reason::NameServerSilent,
            ConnectError::TimedOut => Reason::ConnectionTimedOut,
            ConnectError::TlsTimedOut => Reason::TlsTimedOut,
            ConnectError::TlsConnectionLost(_) => Reason::TlsConnectionLost,
            ConnectError::PlainText(_) => Reason::PlainTextOnTlsPort,
            ConnectError::TlsNotAgreed(_) => Reason::TlsNotAgreed,
            ConnectError::TlsNotUnderstood(_) => Reason::UnexpectedReply,
            ConnectError::CertificateUnknownIssuer => Reason::CertificateUnknownIssuer,
            ConnectError::CertificateWrongName => Reason::CertificateWrongName,
            ConnectError::CertificateExpired => Reason::CertificateExpired,
            ConnectError::CertificateNotYetValid => Reason::CertificateNotYetValid,
            ConnectError::CertificateNotTrusted(_) => Reason::TlsVerificationFailed,
        };
        match error {
            ConnectError::TimedOut => self.failure(reason, step, &self.no_answer()),
            _ => self.failure(reason, step, &error.to_string()),
        }
    }

    /// A connection that broke.
    pub(super) fn broken(&self, step: &str, error: &WireError) -> Failure {
        match error {
            WireError::Closed => self.failure(
                Reason::ConnectionLost,
                step,
                "the server closed the connection",
            ),
            WireError::Broken(error) => {
                self.failure(Reason::ConnectionLost, step, &error.to_string())
            }
            WireError::TooMuch => self.failure(
                Reason::UnexpectedReply,
                step,
                "the server sent far more than an answer",
            ),
        }
    }

    fn doing(&self, step: &str) -> String {
        format!("{step} {}", self.server)
    }

    fn no_answer(&self) -> String {
        format!("no answer within {:?}", self.timeout)
    }
}
