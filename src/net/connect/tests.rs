use tokio::net::TcpListener;

use super::*;
use crate::domain::egress::EgressPolicy;

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
    let connected = dialer(&here, &loopback).tcp(&here).await.unwrap();
    assert!(connected.nodelay().unwrap());

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

#[tokio::test]
async fn names_may_not_resolve() {
    let nowhere = Endpoint::new("nowhere.invalid", 993);
    let failure = dialer(&nowhere, &[]).tcp(&nowhere).await.unwrap_err();
    assert!(
        matches!(failure, ConnectError::NameNotResolved(_)),
        "{failure:?}"
    );
}

#[test]
fn certificates_are_refused_in_words() {
    for (why, words) in [
        (CertificateError::Expired, "expired"),
        (CertificateError::NotValidForName, "another name"),
        (CertificateError::UnknownIssuer, "known authority"),
        (CertificateError::Revoked, "revoked"),
    ] {
        let error = io::Error::new(
            io::ErrorKind::InvalidData,
            TlsError::InvalidCertificate(why),
        );
        let ConnectError::CertificateNotTrusted(said) = handshake_error(&error) else {
            panic!("{error}");
        };
        assert!(said.to_lowercase().contains(words), "{said}");
    }
}
