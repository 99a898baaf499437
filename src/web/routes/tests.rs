//! Over a socket, as a browser asks. The API server is one that never answers: what is tested here
//! must not need it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::super::{Door, WebSettings, serve};
use super::*;
use crate::domain::caller::TrustedProxies;
use crate::domain::circuit::Waits;
use crate::domain::egress::EgressPolicy;
use crate::domain::line::Rules;
use crate::domain::reach::Reach;
use crate::grant::{GrantKeeper, TrafficRules};
use crate::net::network::Network;
use crate::telemetry::sign_ins::SignInPage;

const UID: &str = "0b6f2d6e-4f0e-4b0a-9f57-2b8f3c1d9e10";

struct Site {
    port: u16,
    host: String,
    stop: CancellationToken,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn site(public_url: &str) -> Site {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let config = kube::Config::new(format!("http://{closed}").parse().unwrap());
    let client = kube::Client::try_from(config).unwrap();
    let network = Arc::new(Network::new(EgressPolicy::default()));
    let rules = TrafficRules {
        line: Rules {
            gap: Duration::ZERO,
            at_once: 1,
        },
        waits: Waits {
            first: Duration::ZERO,
            longest: Duration::ZERO,
        },
    };
    let keeper = GrantKeeper::new(client.clone(), "gmail-operator", network.clone(), rules);
    let settings = WebSettings {
        reach: Reach::Cluster,
        public_url: public_url.parse().unwrap(),
        namespace: "gmail-operator".to_owned(),
        cluster_name: None,
        trusted_proxies: TrustedProxies::default(),
    };
    let host = settings
        .public_url
        .origin()
        .split_once("://")
        .unwrap()
        .1
        .to_owned();
    let web = Arc::new(Web::new(
        client,
        keeper,
        network,
        settings,
        SignInPage::default(),
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stop = CancellationToken::new();
    let door = Door {
        listener,
        certificates: None,
        patience: Duration::from_secs(10),
    };
    tokio::spawn(serve(door, web, stop.clone()));
    Site { port, host, stop }
}

impl Site {
    /// Status, headers without the date, and body.
    async fn ask(&self, method: &str, path: &str, more: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}\r\n",
            self.host
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.lines().filter(|line| !line.starts_with("date:"));
        (status, head.collect::<Vec<_>>().join("\n"), body.to_owned())
    }
}

#[tokio::test]
async fn what_is_not_there_always_looks_the_same() {
    let site = site("https://mail.example.com/gmail").await;
    let expected = site.ask("GET", "/", "").await;
    assert_eq!(expected.0, 404);
    for header in [
        "content-security-policy: default-src 'none'",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
    ] {
        assert!(expected.1.contains(header), "{}", expected.1);
    }
    let origin = "Origin: https://mail.example.com\r\n";
    for (method, path) in [
        ("GET", "/gmail"),
        ("GET", "/signin/crm/support/0b6f"),
        ("GET", "/gmail/signin/crm/support"),
        ("GET", "/gmail/signin/crm/../0b6f"),
        ("GET", "/gmail/signin/crm/%2e%2e/0b6f"),
        ("GET", "/gmail/signin/crm/a%2fb/0b6f"),
        ("GET", "/gmail/signin/crm/%ff/0b6f"),
        ("GET", "/gmail/signin/CRM/support/0b6f"),
        ("POST", "/gmail/signin/CRM/support/0b6f"),
        ("DELETE", "/gmail/signin/crm/support/0b6f"),
        ("GET", "/oauth2/callback?state=s&code=c"),
    ] {
        let more = if method == "POST" { origin } else { "" };
        let got = site.ask(method, path, more).await;
        assert_eq!(got, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn bounds_come_before_any_work() {
    let site = site("http://localhost:8080").await;
    let link = format!("/signin/crm/support/{UID}");
    let long = format!("/oauth2/callback?state=s&code={}", "c".repeat(MAX_QUERY));
    assert_eq!(site.ask("GET", &long, "").await.0, 414);
    assert_eq!(
        site.ask("POST", &link, "Content-Length: 9999999\r\n")
            .await
            .0,
        413
    );
    for more in ["", "Origin: null\r\n", "Origin: https://evil.example\r\n"] {
        assert_eq!(site.ask("POST", &link, more).await.0, 403, "{more}");
    }
}

#[tokio::test]
async fn an_answer_without_its_cookie_is_no_sign_in() {
    let site = site("http://localhost:8080").await;
    for (path, more) in [
        ("/oauth2/callback", ""),
        ("/oauth2/callback?state=s&code=c", ""),
        (
            "/oauth2/callback?state=s&error=access_denied",
            "Cookie: gmail-operator-signin-0011223344556677=x\r\n",
        ),
    ] {
        let (status, head, body) = site.ask("GET", path, more).await;
        assert_eq!(status, 400, "{path}");
        assert!(
            body.contains("Start again") && !head.contains("location:"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn without_the_api_server_people_are_asked_to_come_again() {
    let site = site("http://localhost:8080").await;
    let link = format!("/signin/crm/support/{UID}");
    let origin = "Origin: http://localhost:8080\r\n";
    for (method, more) in [("GET", ""), ("POST", origin)] {
        let (status, _, body) = site.ask(method, &link, more).await;
        assert_eq!(status, 503, "{method}");
        assert!(
            body.contains("Try again in a moment") && !body.contains("127.0.0.1"),
            "{body}"
        );
    }
}
