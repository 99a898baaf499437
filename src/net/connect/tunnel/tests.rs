use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::domain::egress::EgressPolicy;
use crate::domain::proxy::Proxies;
use crate::net::connect::{ConnectError, Dialer};
use crate::net::detour::Detour;

/// What a proxy does once it has been asked.
#[derive(Clone)]
enum Then {
    Says(&'static [u8]),
    Floods,
    Hangs,
}

/// Connects through a proxy that does `then` to a server whose name nobody resolves, and which is
/// the only one that is allowed: not the proxy's address. Gives what the proxy was asked as well.
async fn through(then: Then) -> (Result<Link, ConnectError>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, hears) = oneshot::channel();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let read = tcp.read(&mut asked).await.unwrap();
        let asked = String::from_utf8_lossy(&asked[..read]).into_owned();
        heard.send(asked).unwrap();
        match then {
            Then::Says(words) => tcp.write_all(words).await.unwrap(),
            Then::Hangs => std::future::pending().await,
            Then::Floods => {
                let _ = tcp.write_all(b"HTTP/1.1 200 OK\r\n").await;
                while tcp.write_all(b"x-more: yes\r\n").await.is_ok() {}
            }
        }
        // So that what was said is not lost by a reset.
        let _ = tcp.shutdown().await;
        let _ = tcp.read(&mut [0; 64]).await;
    });
    let result = dialer(&format!("http://ann:word@127.0.0.1:{port}"))
        .tcp(&server())
        .await;
    (result, hears.await.unwrap())
}

fn server() -> Endpoint {
    Endpoint::new("imap.nowhere.invalid", 993)
}

fn dialer(proxy: &str) -> Dialer {
    let proxies = Proxies {
        mail: Some(proxy.parse().unwrap()),
        ..Proxies::default()
    };
    let egress = EgressPolicy::new(vec![server(), Endpoint::new("10.1.2.3", 993)], Vec::new());
    let tls = crate::net::trust::tls_config(None).unwrap();
    Dialer::new(Arc::new(egress), Arc::new(tls), Duration::from_millis(500))
        .through(Detour::of_mail(&proxies))
}

fn words(failed: &Result<Link, ConnectError>) -> String {
    let error = failed.as_ref().unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(
        !["ann:", "word@", "YW5u"]
            .iter()
            .any(|secret| told.contains(secret)),
        "{told}"
    );
    error.to_string()
}

#[tokio::test]
async fn the_proxy_connects_to_a_name_that_only_it_knows() {
    let greeting = b"HTTP/1.1 200 Connection established\r\nproxy-agent: x\r\n\r\n* OK ready\r\n";
    let (link, asked) = through(Then::Says(greeting)).await;
    let mut link = link.unwrap();
    assert!(
        asked.starts_with("CONNECT imap.nowhere.invalid:993 HTTP/1.1\r\n"),
        "{asked}"
    );
    let lower = asked.to_ascii_lowercase();
    assert!(
        lower.contains("\r\nhost: imap.nowhere.invalid:993\r\n"),
        "{asked}"
    );
    // "ann:word"
    assert!(asked.contains("Basic YW5uOndvcmQ="), "{asked}");
    // It came with the proxy's yes.
    assert_eq!(link.peek().await.unwrap(), Some(b'*'));
    let mut said = String::new();
    link.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "* OK ready\r\n");
}

#[tokio::test]
async fn a_no_is_told_by_its_status() {
    for (said, status, word) in [
        (&b"HTTP/1.1 407 Authenticate\r\n\r\nno"[..], 407, "password"),
        (
            b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno",
            401,
            "password",
        ),
        (
            b"HTTP/1.0 403 Forbidden\r\n\r\n<html>",
            403,
            "does not allow",
        ),
        (b"HTTP/1.1 405 No\r\n\r\n", 405, "CONNECT"),
        (
            b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
            502,
            "could not connect",
        ),
        (b"HTTP/1.1 503 Busy\r\n\r\n", 503, "too much"),
        (b"HTTP/1.1 504 Timeout\r\n\r\n", 504, "could not connect"),
        (
            b"HTTP/1.1 302 Found\r\nlocation: /login\r\n\r\n",
            302,
            "does not connect",
        ),
    ] {
        let (failed, _) = through(Then::Says(said)).await;
        let told = words(&failed);
        assert!(
            matches!(&failed, Err(ConnectError::Proxy(ProxyError::Refused { status: s, .. })) if *s == status),
            "{status} {failed:?}"
        );
        assert!(told.contains(word) && told.contains("127.0.0.1:"), "{told}");
    }
}

#[tokio::test]
async fn what_is_no_proxy_is_told_as_that() {
    for (then, word) in [
        (Then::Says(b""), "without an answer"),
        (Then::Says(b"HTTP/1.1 200 OK\r\nhalf"), "without an answer"),
        (
            Then::Says(b"220 smtp.example.com ESMTP\r\n"),
            "as an HTTP proxy does",
        ),
        (
            Then::Says(b"\x15\x03\x01\x00\x02\x02\x46"),
            "as an HTTP proxy does",
        ),
        (Then::Floods, "as an HTTP proxy does"),
        (Then::Hangs, "in time"),
    ] {
        let (failed, _) = through(then).await;
        let told = words(&failed);
        assert!(
            matches!(
                failed,
                Err(ConnectError::Proxy(ProxyError::Unavailable { .. }))
            ),
            "{failed:?}"
        );
        assert!(told.contains(word), "{told}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    for (proxy, word) in [
        (
            format!("http://ann:word@127.0.0.1:{port}"),
            "nothing listens there",
        ),
        (
            "http://ann:word@proxy.invalid:3128".to_owned(),
            "does not resolve",
        ),
    ] {
        let failed = dialer(&proxy).tcp(&server()).await;
        let told = words(&failed);
        assert!(
            matches!(
                failed,
                Err(ConnectError::Proxy(ProxyError::Unavailable { .. }))
            ),
            "{failed:?}"
        );
        assert!(told.contains(word), "{told}");
    }
}

#[tokio::test]
async fn a_proxy_is_no_way_around_the_policy() {
    let dialer = dialer("http://127.0.0.1:9");
    for other in [
        Endpoint::new("mail.other.example", 993),
        Endpoint::new("10.1.2.3", 993),
    ] {
        let refused = dialer.tcp(&other).await;
        assert!(
            matches!(refused, Err(ConnectError::NotAllowed(_))),
            "{refused:?}"
        );
    }
}
