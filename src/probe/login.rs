//! The logins, which every conversation begins with: how long each takes is told by metrics.

use super::{Prober, Subject};
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::domain::server::Endpoint;
use crate::mail::{ImapSession, Pop3Session, SmtpSession};
use crate::telemetry::calls::{CallResult, Service};

impl Prober {
    pub(super) async fn imap(&self, subject: &Subject<'_>) -> Result<ImapSession, Failure> {
        let dialer = self.dialer(subject)?;
        let server = &subject.servers.imap;
        let login = ImapSession::open(&dialer, server, subject.account());
        self.timed(Service::Imap, server, login).await
    }

    pub(super) async fn pop3(&self, subject: &Subject<'_>) -> Result<Pop3Session, Failure> {
        let dialer = self.dialer(subject)?;
        let server = &subject.servers.pop3;
        let login = Pop3Session::open(&dialer, server, subject.account());
        self.timed(Service::Pop3, server, login).await
    }

    pub(super) async fn smtp(&self, subject: &Subject<'_>) -> Result<SmtpSession, Failure> {
        let dialer = self.dialer(subject)?;
        let (server, security) = (&subject.servers.smtp, subject.servers.smtp_security);
        let login = SmtpSession::open(&dialer, server, security, subject.account());
        self.timed(Service::Smtp, server, login).await
    }

    async fn timed<T>(
        &self,
        service: Service,
        server: &Endpoint,
        login: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let calls = self.network.calls();
        let server = (server.host.as_str(), server.port);
        calls.timed(service, server, ended, Box::pin(login)).await
    }
}

fn ended<T>(login: &Result<T, Failure>) -> CallResult {
    match login {
        Ok(_) => CallResult::Ok,
        Err(failure) if is_no_answer(failure.reason) => CallResult::Unreachable,
        Err(_) => CallResult::Refused,
    }
}

/// Whether a login ended without a word that the server says over a connection that can be trusted.
fn is_no_answer(reason: Reason) -> bool {
    let breaks_off = matches!(
        reason,
        Reason::ConnectionLost | Reason::ReplyTimedOut | Reason::ReplyTooSlow
    );
    breaks_off || reason.comes_before_first_word()
}
