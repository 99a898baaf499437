//! What comes before the encryption where the profile says STARTTLS.

use std::time::Duration;

use tokio::time::timeout;

use super::dialogue::{Dialogue, Step};
use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::mail::peer::Peer;
use crate::mail::wire::Stream;
use crate::net::connect::{ConnectError, Dialer, Link};

/// TLS records of the kinds alert and handshake (RFC 8446 section 5.1): what a TLS port says to
/// somebody who does not begin with TLS.
const TLS_RECORDS: [u8; 2] = [21, 22];

/// How long a silent server may take to show that it was waiting for TLS.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The connection, if what is said there first is not TLS. Most servers that want TLS from the start
/// say nothing until it comes, as a server does that hangs: they are told apart by trying it.
///
/// # Errors
/// [`Reason::TlsOnPlainTextPort`] and [`Reason::GreetingTimedOut`].
pub(super) async fn begins_in_clear(
    peer: &Peer,
    dialer: &Dialer,
    tcp: Link,
) -> Result<Link, Failure> {
    let doing = Step::Greeting.doing();
    let from_start = || {
        let detail = "the server speaks TLS from the start";
        peer.failure(Reason::TlsOnPlainTextPort, doing, detail)
    };
    match timeout(peer.timeout, tcp.peek()).await {
        Ok(Ok(Some(first))) if TLS_RECORDS.contains(&first) => Err(from_start()),
        // That it has ended is said by whoever reads the greeting.
        Ok(_) => Ok(tcp),
        Err(_) => match awaits_tls(peer, dialer, tcp).await {
            true => Err(from_start()),
            false => Err(peer.failure(Reason::GreetingTimedOut, doing, &peer.no_answer())),
        },
    }
}

async fn awaits_tls(peer: &Peer, dialer: &Dialer, tcp: Link) -> bool {
    let hurried = dialer.clone().with_timeout(peer.timeout.min(ATTEMPT));
    !matches!(
        hurried.tls(tcp, &peer.server.host).await,
        Err(ConnectError::TlsTimedOut
            | ConnectError::TlsConnectionLost(_)
            | ConnectError::PlainText(_)
            | ConnectError::TlsNotUnderstood(_))
    )
}

/// The part in the clear (RFC 3207): nothing but EHLO and STARTTLS.
pub(in crate::mail) async fn in_clear<S: Stream>(
    peer: Peer,
    stream: S,
) -> Result<(Peer, S), Failure> {
    const STEP: Step = Step::StartTls;
    let mut clear = Dialogue::new(peer, stream);
    clear.greeting().await?;
    if !clear.hello().await?.offers("STARTTLS") {
        let detail = "the server does not offer STARTTLS";
        let peer = &clear.talk.peer;
        return Err(peer.failure(Reason::StartTlsNotOffered, STEP.doing(), detail));
    }
    clear.command(STEP, &[b"STARTTLS\r\n"]).await?;
    // Whatever was sent ahead of the handshake could be somebody else's, and would be read as if
    // it had come encrypted.
    let (peer, stream) = clear.talk.into_parts();
    match stream {
        Some(stream) => Ok((peer, stream)),
        None => {
            let detail = "the server sent something between STARTTLS and the encryption";
            Err(peer.failure(Reason::StartTlsInjected, STEP.doing(), detail))
        }
    }
}
