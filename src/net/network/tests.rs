use oauth2::http::Request;
use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::domain::server::Endpoint;
use crate::net::connect::ConnectError;
use crate::net::http::HttpError;
use crate::net::http::scripted::{Script, Scripted};

const PATIENCE: Duration = Duration::from_secs(5);

fn network(port: u16) -> Network {
    let networks = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap());
    Network::new(EgressPolicy::new(
        vec![Endpoint::new("localhost", port)],
        networks.to_vec(),
    ))
}

/// A handshake, and a read that takes what the server sends after it: the tickets for a resumption.
/// True for a session that was resumed.
async fn by_mail(network: &ProfileNetwork, port: u16) -> Result<bool, ConnectError> {
    let dialer = network.dialer(PATIENCE);
    let tcp = dialer.tcp(&Endpoint::new("localhost", port)).await?;
    let mut tls = dialer.tls(tcp, "localhost").await?;
    tls.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut all = Vec::new();
    tls.read_to_end(&mut all).await.unwrap();
    assert!(!all.is_empty());
    Ok(tls.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed))
}

async fn by_http(network: &ProfileNetwork, port: u16) -> Result<(), HttpError> {
    let request = Request::get(format!("https://localhost:{port}/")).body(Vec::new());
    network.http().send(request.unwrap()).await.map(drop)
}

async fn refuses(network: &ProfileNetwork, port: u16) {
    let mail = by_mail(network, port).await;
    assert!(
        matches!(mail, Err(ConnectError::CertificateUnknownIssuer)),
        "{mail:?}"
    );
    let http = by_http(network, port).await;
    assert!(matches!(http, Err(HttpError::Tls { .. })), "{http:?}");
}

#[tokio::test]
async fn trust_and_its_sessions_are_of_one_profile_and_of_its_newest_bundle() {
    // It keeps connections open, so that there is one that could be used again.
    let kept = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let server = Scripted::start(Script::Say(kept.into())).await;
    let port = server.port;
    let ca = CaBundle::parse(&server.ca).unwrap();
    let network = network(port);
    let (with, without) = (
        ObjectName::new("mail", "with"),
        ObjectName::new("mail", "without"),
    );

    for _ in 0..2 {
        let trusting = network.of(&with, Some(&ca)).unwrap();
        by_mail(&trusting, port).await.unwrap();
        by_http(&trusting, port).await.unwrap();
        refuses(&network.of(&without, None).unwrap(), port).await;
    }
    // The bundle is taken away, replaced by another's, and comes back.
    refuses(&network.of(&with, None).unwrap(), port).await;
    let other = Scripted::start(Script::Silent).await;
    let other = CaBundle::parse(&other.ca).unwrap();
    refuses(&network.of(&with, Some(&other)).unwrap(), port).await;
    let trusting = network.of(&with, Some(&ca)).unwrap();
    by_mail(&trusting, port).await.unwrap();
    by_http(&trusting, port).await.unwrap();
}

#[tokio::test]
async fn a_session_is_resumed_within_a_profile() {
    let server = Scripted::start(Script::json("200 OK", "{}")).await;
    let ca = CaBundle::parse(&server.ca).unwrap();
    let network = network(server.port);
    let same = ObjectName::new("mail", "same");
    let of = |name: &ObjectName| network.of(name, Some(&ca)).unwrap();
    let other = of(&ObjectName::new("mail", "other"));

    assert!(!by_mail(&of(&same), server.port).await.unwrap());
    assert!(by_mail(&of(&same), server.port).await.unwrap());
    assert!(!by_mail(&other, server.port).await.unwrap());
    network.forget(&same);
    assert!(!by_mail(&of(&same), server.port).await.unwrap());
}
