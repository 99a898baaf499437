use std::io;

use futures::FutureExt;
use futures::future::{self, BoxFuture};
use rustls::{AlertDescription, CertificateError, Error as TlsError, InvalidMessage};
use tokio::net::TcpListener;

use super::opening::Began;
use super::*;
use crate::domain::egress::{EgressPolicy, NotAllowed};
use crate::net::gate::Resolver;

fn dialer(endpoint: &Endpoint, networks: &[&str]) -> Dialer {
    let networks = networks.iter().map(|net| net.parse().unwrap()).collect();
    let egress = EgressPolicy::new(vec![endpoint.clone()], networks);
    let tls = crate::net::trust::tls_config(None).unwrap();
    Dialer::new(Arc::new(egress), Arc::new(tls), Duration::from_secs(5))
}

#[tokio::test]
async fn connects_where_it_may() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = Endpoint::new("localhost", listener.local_addr().unwrap().port());
    let loopback = ["127.0.0.0/8", "::1/128"];
    dialer(&here, &loopback).tcp(&here).await.unwrap();

    let other = Endpoint::new("localhost", 1);
    let refused = dialer(&here, &loopback).tcp(&other).await.unwrap_err();
    assert_eq!(
        refused,
        ConnectError::NotAllowed(NotAllowed::Endpoint(other))
    );
    let refused = dialer(&here, &[]).tcp(&here).await.unwrap_err();
    let not_public = matches!(
        refused,
        ConnectError::NotAllowed(NotAllowed::Address { .. })
    );
    assert!(not_public, "{refused:?}");

    drop(listener);
    let refused = dialer(&here, &loopback).tcp(&here).await.unwrap_err();
    assert_eq!(refused, ConnectError::Refused);
}

/// Says of every name what the system said of one, or nothing.
#[derive(Debug)]
struct Says(Option<&'static str>);

impl Resolver for Says {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        match self.0 {
            Some(words) => future::err(io::Error::other(words)).boxed(),
            None => future::pending().boxed(),
        }
    }
}

#[tokio::test]
async fn a_name_that_is_not_there_is_told_from_a_silent_name_server() {
    let somewhere = Endpoint::new("imap.example.com", 993);
    let gai = |words: &str| format!("failed to lookup address information: {words}");
    let named = gai("Name or service not known");
    let failing = gai("Temporary failure in name resolution");
    for (said, silent) in [
        (Some(named.leak()), false),
        (Some(failing.leak()), true),
        (None, true),
    ] {
        let egress = EgressPolicy::new(vec![somewhere.clone()], Vec::new());
        let gate = Gate::new(Arc::new(egress), Arc::new(Says(said.map(|s| &*s))));
        let tls = Arc::new(crate::net::trust::tls_config(None).unwrap());
        let dialer = Dialer::new(gate, tls, Duration::from_millis(50));
        let failure = dialer.tcp(&somewhere).await.unwrap_err();
        let told = match &failure {
            ConnectError::NameServerSilent(_) => true,
            ConnectError::NameNotResolved(_) => false,
            other => panic!("{other:?}"),
        };
        assert_eq!(told, silent, "{failure}");
    }
}

/// Takes all of its time.
#[derive(Debug)]
struct Slow(Duration, SocketAddr);

impl Resolver for Slow {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let Self(time, address) = *self;
        future::lazy(move |_| {
            std::thread::sleep(time);
            Ok(vec![address])
        })
        .boxed()
    }
}

#[tokio::test]
async fn a_slow_name_server_leaves_the_connection_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let here = Endpoint::new("localhost", address.port());
    let all = Duration::from_millis(300);
    let egress = EgressPolicy::new(vec![here.clone()], vec!["127.0.0.0/8".parse().unwrap()]);
    let gate = Gate::new(Arc::new(egress), Arc::new(Slow(all, address)));
    let tls = Arc::new(crate::net::trust::tls_config(None).unwrap());
    let connected = Dialer::new(gate, tls, all).tcp(&here).await;
    assert!(connected.is_ok(), "{connected:?}");
}

#[test]
fn certificates_fail_for_one_reason_each() {
    use AlertDescription::UnrecognisedName;
    let certificate = TlsError::InvalidCertificate;
    for (error, expected) in [
        (
            certificate(CertificateError::Expired),
            ConnectError::CertificateExpired,
        ),
        (
            certificate(CertificateError::NotValidYet),
            ConnectError::CertificateNotYetValid,
        ),
        (
            certificate(CertificateError::NotValidForName),
            ConnectError::CertificateWrongName,
        ),
        (
            certificate(CertificateError::UnknownIssuer),
            ConnectError::CertificateUnknownIssuer,
        ),
        (
            TlsError::AlertReceived(UnrecognisedName),
            ConnectError::CertificateWrongName,
        ),
    ] {
        assert_eq!(refused(Began::AsTls, error), expected);
    }
}

#[test]
fn handshakes_fail_for_one_reason_each() {
    use AlertDescription::{HandshakeFailure, InternalError, ProtocolVersion};
    let kind = |error| match refused(Began::AsTls, error) {
        ConnectError::CertificateNotTrusted(words) => ("not trusted", words),
        ConnectError::TlsNotAgreed(words) => ("not agreed", words),
        ConnectError::TlsConnectionLost(words) => ("lost", words),
        ConnectError::TlsNotUnderstood(words) => ("not understood", words),
        other => panic!("{other:?}"),
    };
    for (error, is, words) in [
        (
            TlsError::InvalidCertificate(CertificateError::Revoked),
            "not trusted",
            "Revoked",
        ),
        (
            TlsError::AlertReceived(HandshakeFailure),
            "not agreed",
            "HandshakeFailure",
        ),
        (
            TlsError::AlertReceived(ProtocolVersion),
            "not agreed",
            "ProtocolVersion",
        ),
        (
            TlsError::AlertReceived(InternalError),
            "lost",
            "InternalError",
        ),
        (
            TlsError::InvalidMessage(InvalidMessage::InvalidContentType),
            "not understood",
            "broken",
        ),
        (TlsError::DecryptError, "not understood", "broken"),
    ] {
        let (was, said) = kind(error);
        assert_eq!(was, is, "{said}");
        assert!(
            said.to_lowercase().contains(&words.to_lowercase()),
            "{said}"
        );
    }
    let text = Began::InPlainText("220 hello".to_owned());
    let not_tls = TlsError::InvalidMessage(InvalidMessage::InvalidContentType);
    let in_clear = ConnectError::PlainText("220 hello".to_owned());
    assert_eq!(refused(text, not_tls), in_clear);
    let ended = io::Error::from(io::ErrorKind::UnexpectedEof);
    let lost = ConnectError::of_handshake(Began::Silent, &ended);
    assert!(
        matches!(lost, ConnectError::TlsConnectionLost(_)),
        "{lost:?}"
    );
}

fn refused(began: Began, error: TlsError) -> ConnectError {
    let error = io::Error::new(io::ErrorKind::InvalidData, error);
    ConnectError::of_handshake(began, &error)
}
