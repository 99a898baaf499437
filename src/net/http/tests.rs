use std::net::{Ipv4Addr, TcpListener as StdListener};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::scripted::{Script, Scripted};
use super::*;
use crate::domain::ca_bundle::CaBundle;
use crate::domain::egress::{EgressPolicy, NotAllowed};
use crate::domain::proxy::Proxies;
use crate::net::trust::tls_config;

const SECRET: &str = "1//0refresh-token";

fn request(url: &str) -> Request<Vec<u8>> {
    Request::post(format!("{url}?token={SECRET}"))
        .body(SECRET.into())
        .unwrap()
}

fn client(ca: Option<&str>, endpoints: &[(&str, u16)], networks: &[&str]) -> HttpClient {
    let endpoints = endpoints
        .iter()
        .map(|(host, port)| Endpoint::new(host, *port))
        .collect();
    let networks = networks.iter().map(|net| net.parse().unwrap()).collect();
    let egress = Arc::new(EgressPolicy::new(endpoints, networks));
    let ca = ca.map(|pem| CaBundle::parse(pem).unwrap());
    HttpClient::new(
        tls_config(ca.as_ref()).unwrap(),
        egress,
        Duration::from_secs(1),
    )
    .unwrap()
}

async fn fails(client: &HttpClient, url: &str) -> HttpError {
    let error = client.send(request(url)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    error
}

async fn fails_with(script: Script) -> HttpError {
    let server = Scripted::start(script).await;
    let url = format!("https://localhost:{}/token", server.port);
    fails(&server.client(), &url).await
}

#[tokio::test]
async fn gives_the_answer_whatever_its_status() {
    let server = Scripted::start(Script::json("503 Later", "{}")).await;
    let url = format!("https://localhost:{}/token", server.port);
    let answer = server.client().send(request(&url)).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.body().as_slice()),
        (503, b"{}".as_slice())
    );
    assert_eq!(answer.headers()["content-type"], "application/json");
    let agent = format!("user-agent: gmail-operator/{}", env!("CARGO_PKG_VERSION"));
    assert!(server.requests()[0].contains(&agent));
}

#[tokio::test]
async fn follows_no_redirect() {
    let server = Scripted::start(Script::Say(
        b"HTTP/1.1 307 x\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".into(),
    ))
    .await;
    let url = format!("https://localhost:{}/token", server.port);
    let answer = server.client().send(request(&url)).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), server.requests().len()),
        (307, 1)
    );
}

#[tokio::test]
async fn reads_no_endless_body_and_waits_for_no_silent_server() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let endless = fails_with(Script::Endless(chunked.into())).await;
    assert!(
        matches!(
            endless,
            HttpError::TooLarge {
                limit: MAX_BODY,
                ..
            }
        ),
        "{endless:?}"
    );
    let stalled = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc";
    let lost = fails_with(Script::Say(stalled.into())).await;
    assert!(matches!(lost, HttpError::Lost { .. }), "{lost:?}");
    let silent = fails_with(Script::Silent).await;
    assert!(matches!(silent, HttpError::TimedOut { .. }), "{silent:?}");
}

#[tokio::test]
async fn a_broken_exchange_is_lost() {
    for said in ["", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 2"] {
        let error = fails_with(Script::Say(said.into())).await;
        assert!(matches!(error, HttpError::Lost { .. }), "{said} {error:?}");
    }
}

#[tokio::test]
async fn connects_only_where_the_policy_allows() {
    let server = Scripted::start(Script::json("200 OK", "{}")).await;
    let port = server.port;
    let named = format!("https://localhost:{port}/token");
    let ca = Some(server.ca.as_str());

    let error = fails(&client(ca, &[], &["127.0.0.0/8", "::1/128"]), &named).await;
    let expected = NotAllowed::Endpoint(Endpoint::new("localhost", port));
    assert_eq!(error, HttpError::NotAllowed(expected));

    // By the resolver: the name is allowed, its address is not.
    let error = fails(&client(ca, &[("localhost", port)], &["10.0.0.0/8"]), &named).await;
    let HttpError::NotAllowed(NotAllowed::Address { endpoint, address }) = error else {
        panic!("{error:?}");
    };
    assert!(endpoint.port == port && address.is_loopback());

    // Past the resolver: an address in the URL, in several spellings.
    for host in [
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        let allowed = [
            ("127.0.0.1", port),
            ("::1", port),
            ("::ffff:127.0.0.1", port),
        ];
        let error = fails(
            &client(ca, &allowed, &[]),
            &format!("https://{host}:{port}/"),
        )
        .await;
        assert!(
            matches!(error, HttpError::NotAllowed(NotAllowed::Address { .. })),
            "{host} {error:?}"
        );
    }
    let error = fails(
        &client(ca, &[("localhost", port)], &[]),
        "http://localhost/",
    )
    .await;
    assert_eq!(error, HttpError::NotHttps);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn tells_what_is_wrong_with_a_connection() {
    let server = Scripted::start(Script::json("200 OK", "{}")).await;
    let stranger = client(
        None,
        &[("localhost", server.port)],
        &["127.0.0.0/8", "::1/128"],
    );
    let error = fails(&stranger, &format!("https://localhost:{}/", server.port)).await;
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");

    let free = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let nobody = client(None, &[("localhost", port)], &["127.0.0.0/8", "::1/128"]);
    let error = fails(&nobody, &format!("https://localhost:{port}/")).await;
    assert!(matches!(error, HttpError::Refused { .. }), "{error:?}");

    let nowhere = client(None, &[("nowhere.invalid", 443)], &[]);
    let error = fails(&nowhere, "https://nowhere.invalid/").await;
    assert!(
        matches!(error, HttpError::NameNotResolved { .. }),
        "{error:?}"
    );
}

/// What is told of a proxy on this machine that says this, on the way to a host that nobody resolves.
async fn fails_by_proxy(said: &'static [u8]) -> HttpError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut asked = [0; 4096];
        let read = tcp.read(&mut asked).await.unwrap();
        assert!(read > 0);
        tcp.write_all(said).await.unwrap();
        tcp.shutdown().await.unwrap();
    });
    let proxies = Proxies {
        https: Some(format!("http://ann:word@127.0.0.1:{port}").parse().unwrap()),
        ..Proxies::default()
    };
    let egress = EgressPolicy::new(vec![Endpoint::new("nowhere.invalid", 443)], Vec::new());
    let client = HttpClient::with_proxy(
        tls_config(None).unwrap(),
        Arc::new(egress),
        Detour::of_https(&proxies).unwrap(),
        Duration::from_secs(1),
    );
    let client = client.unwrap();
    let error = fails(&client, "https://nowhere.invalid/").await;
    let told = format!("{error} {error:?} {client:?}");
    let place = format!("127.0.0.1:{port}");
    assert!(told.contains(&place), "{told}");
    assert!(!told.contains("word@") && !told.contains("YW5u"), "{told}");
    let other = fails(&client, "https://other.invalid/").await;
    assert!(matches!(other, HttpError::NotAllowed(_)), "{other:?}");
    error
}

/// The HTTP library tells some of it by words alone: they may change with its version.
#[tokio::test]
async fn a_proxy_that_gives_no_connection_is_told_from_the_server() {
    for (said, wanted) in [
        (&b"HTTP/1.1 407 Who are you\r\n\r\n"[..], "407"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "refuses"),
        (b"SSH-2.0-OpenSSH\r\n", "is no proxy"),
    ] {
        let error = fails_by_proxy(said).await;
        let HttpError::ProxyRefused { detail, .. } = error else {
            panic!("{error:?}");
        };
        assert!(detail.contains(wanted), "{detail}");
    }
    let error = fails_by_proxy(b"").await;
    let HttpError::ProxyUnavailable { detail, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(detail, "it closed the connection without an answer");
}
