use std::time::Duration;

use super::MailAccount;
use super::sasl::Login;
use super::wire::WireError;
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::domain::server::Endpoint;
use crate::net::connect::{ConnectError, Dialer, Encrypted, Link, ProxyError};

/// The server of one session, for what is said about it when something fails.
pub(super) struct Peer {
    pub(super) server: Endpoint,
    /// How long it may take for each step.
    pub(super) timeout: Duration,
    pub(super) login: Login,
}

impl Peer {
    /// `server`, which `dialer` connects to, for `account`.
    pub(super) fn new(dialer: &Dialer, server: &Endpoint, account: MailAccount<'_>) -> Self {
        Self {
            server: server.clone(),
            timeout: dialer.timeout(),
            login: Login::new(account, server),
        }
    }

    /// The same with a connection that is TLS from the start.
    pub(super) async fn over_tls(
        dialer: &Dialer,
        server: &Endpoint,
        account: MailAccount<'_>,
    ) -> Result<(Self, Encrypted), Failure> {
        let peer = Self::new(dialer, server, account);
        let tcp = peer.connect(dialer).await?;
        let tls = peer.encrypt(dialer, tcp).await?;
        Ok((peer, tls))
    }

    /// A TCP connection.
    pub(super) async fn connect(&self, dialer: &Dialer) -> Result<Link, Failure> {
        let connected = dialer.tcp(&self.server).await;
        connected.map_err(|error| self.unconnected("connecting to", &error))
    }

    /// TLS on it.
    pub(super) async fn encrypt(&self, dialer: &Dialer, tcp: Link) -> Result<Encrypted, Failure> {
        let encrypted = dialer.tls(tcp, &self.server.host).await;
        encrypted.map_err(|error| self.unconnected("starting TLS with", &error))
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

    /// A connection that broke.
    pub(super) fn broken(&self, step: &str, error: &WireError) -> Failure {
        let (reason, detail) = match error {
            WireError::Closed => (
                Reason::ConnectionLost,
                "the server closed the connection".to_owned(),
            ),
            WireError::Broken(error) => (Reason::ConnectionLost, error.to_string()),
            WireError::TooMuch => return self.too_long(step),
            WireError::Silent => (Reason::ReplyTimedOut, self.no_answer()),
            WireError::TooSlow => (
                Reason::ReplyTooSlow,
                format!("no whole answer within {:?}", self.timeout),
            ),
        };
        self.failure(reason, step, &detail)
    }

    /// More came than is read or kept.
    pub(super) fn too_long(&self, step: &str) -> Failure {
        let detail = "the server sent far more than an answer";
        self.failure(Reason::ReplyTooLong, step, detail)
    }

    /// The server told how it takes logins, and ours are not among it.
    pub(super) fn no_mechanism(&self, step: &str) -> Failure {
        let detail = "the server offers neither XOAUTH2 nor OAUTHBEARER";
        self.failure(Reason::LoginMethodMissing, step, detail)
    }

    pub(super) fn no_answer(&self) -> String {
        format!("no answer within {:?}", self.timeout)
    }

    /// A connection that could not be made.
    fn unconnected(&self, step: &str, error: &ConnectError) -> Failure {
        let reason = match error {
            ConnectError::NotAllowed(_) => Reason::EndpointNotAllowed,
            ConnectError::NameNotResolved(_) => Reason::NameNotResolved,
            ConnectError::NameServerSilent(_) => Reason::NameServerSilent,
            ConnectError::Refused => Reason::ConnectionRefused,
            ConnectError::Unreachable(_) => Reason::ConnectionFailed,
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
            ConnectError::Proxy(ProxyError::Unavailable { .. }) => Reason::ProxyUnavailable,
            ConnectError::Proxy(ProxyError::Refused { .. }) => Reason::ProxyRefused,
        };
        let failure = self.failure(reason, step, &error.to_string());
        match error {
            ConnectError::TimedOut | ConnectError::TlsTimedOut => Failure {
                detail: format!("{error} ({:?})", self.timeout),
                ..failure
            },
            ConnectError::PlainText(line) => Failure {
                reply: self.login.safe_reply(line),
                ..failure
            },
            _ => failure,
        }
    }

    fn doing(&self, step: &str) -> String {
        format!("{step} {}", self.server)
    }
}
