use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::time::Duration;

use oauth2::http::Request;
use tokio::net::TcpListener;

use super::*;
use crate::net::connect::{ConnectError, Dialer};
use crate::net::http::{HttpClient, HttpError};
use crate::net::trust::tls_config;

const NAME: &str = "stand-in.example";
/// The address that is allowed. All of 127/8 is this machine's.
const ALLOWED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FORBIDDEN: Ipv4Addr = Ipv4Addr::LOCALHOST;
const PATIENCE: Duration = Duration::from_secs(2);

/// Gives the next of its answers each time, and the last one for ever.
#[derive(Debug)]
struct Changing {
    answers: Mutex<Vec<Vec<Ipv4Addr>>>,
    asked: Mutex<usize>,
}

impl Changing {
    fn new(answers: &[&[Ipv4Addr]]) -> Arc<Self> {
        let answers = answers.iter().rev().map(|answer| answer.to_vec());
        Arc::new(Self {
            answers: Mutex::new(answers.collect()),
            asked: Mutex::new(0),
        })
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

impl Resolver for Changing {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        assert_eq!(host, NAME);
        *self.asked.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop().unwrap(),
        };
        let found = answer.into_iter().map(|ip| (ip, port).into()).collect();
        async move { Ok(found) }.boxed()
    }
}

/// Listeners with one port: on the allowed address and on the forbidden one.
struct Machine {
    allowed: Option<TcpListener>,
    forbidden: TcpListener,
    port: u16,
}

impl Machine {
    async fn new() -> Self {
        let forbidden = TcpListener::bind((FORBIDDEN, 0)).await.unwrap();
        let port = forbidden.local_addr().unwrap().port();
        let allowed = TcpListener::bind((ALLOWED, port)).await.unwrap();
        Self {
            allowed: Some(allowed),
            forbidden,
            port,
        }
    }

    fn gate(&self, resolver: &Arc<Changing>) -> Gate {
        let egress = EgressPolicy::new(
            vec![Endpoint::new(NAME, self.port)],
            vec![IpAddr::V4(ALLOWED).into()],
        );
        Gate::new(Arc::new(egress), resolver.clone())
    }

    fn dialer(&self, resolver: &Arc<Changing>) -> Dialer {
        let tls = Arc::new(tls_config(None).unwrap());
        Dialer::new(self.gate(resolver), tls, PATIENCE)
    }

    async fn allowed_saw_one(&self) {
        let allowed = self.allowed.as_ref().unwrap();
        let (_, from) = tokio::time::timeout(PATIENCE, allowed.accept())
            .await
            .unwrap()
            .unwrap();
        assert!(from.ip().is_loopback());
    }

    async fn forbidden_saw_none(&self) {
        saw_none(&self.forbidden).await;
    }
}

/// Connections are accepted in the order in which they were made: our own is the first.
async fn saw_none(listener: &TcpListener) {
    let ours = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await;
    let (_, first) = listener.accept().await.unwrap();
    assert_eq!(first, ours.unwrap().local_addr().unwrap());
}

#[tokio::test]
async fn mail_goes_to_the_address_that_was_checked_when_the_name_changes() {
    let machine = Machine::new().await;
    let resolver = Changing::new(&[&[ALLOWED], &[FORBIDDEN]]);
    let dialer = machine.dialer(&resolver);
    let endpoint = Endpoint::new(NAME, machine.port);

    dialer.tcp(&endpoint).await.unwrap();
    machine.allowed_saw_one().await;
    assert_eq!(resolver.asked(), 1, "asked once for one connection");
    let refused = dialer.tcp(&endpoint).await.unwrap_err();
    let expected = NotAllowed::Address {
        endpoint,
        address: FORBIDDEN.into(),
    };
    assert_eq!(refused, ConnectError::NotAllowed(expected));
    machine.forbidden_saw_none().await;
}

#[tokio::test]
async fn no_fallback_from_an_address_that_is_allowed_to_one_that_is_not() {
    let mut machine = Machine::new().await;
    drop(machine.allowed.take());
    let resolver = Changing::new(&[&[ALLOWED, FORBIDDEN], &[FORBIDDEN, ALLOWED]]);
    let dialer = machine.dialer(&resolver);
    for _ in 0..2 {
        let refused = dialer.tcp(&Endpoint::new(NAME, machine.port)).await;
        assert_eq!(refused.unwrap_err(), ConnectError::Refused);
    }
    machine.forbidden_saw_none().await;
}

#[tokio::test]
async fn https_goes_to_the_address_that_was_checked_when_the_name_changes() {
    let machine = Machine::new().await;
    let resolver = Changing::new(&[&[ALLOWED], &[FORBIDDEN]]);
    let tls = tls_config(None).unwrap();
    let client = HttpClient::new(tls, machine.gate(&resolver), PATIENCE).unwrap();
    let request = || {
        let url = format!("https://{NAME}:{}/token", machine.port);
        Request::post(url).body(b"secret".to_vec()).unwrap()
    };

    // The server there hangs up, so that no connection is kept for the second time.
    let (first, ()) = tokio::join!(client.send(request()), machine.allowed_saw_one());
    let refused = matches!(first, Ok(_) | Err(HttpError::NotAllowed(_)));
    assert!(!refused, "{first:?}");
    assert_eq!(resolver.asked(), 1, "asked once for one connection");
    let second = client.send(request()).await.unwrap_err();
    let HttpError::NotAllowed(NotAllowed::Address { address, .. }) = second else {
        panic!("{second:?}");
    };
    assert_eq!(address, IpAddr::V4(FORBIDDEN));
    machine.forbidden_saw_none().await;
}

#[tokio::test]
async fn odd_spellings_of_an_address_are_checked_as_what_they_mean() {
    let listener = TcpListener::bind((FORBIDDEN, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for spelling in ["0x7f.1", "2130706433", "127.1", "::ffff:127.0.0.1", "::1"] {
        let endpoint = Endpoint::new(spelling, port);
        let egress = EgressPolicy::new(vec![endpoint.clone()], vec![IpAddr::V4(ALLOWED).into()]);
        let tls = Arc::new(tls_config(None).unwrap());
        let refused = Dialer::new(Arc::new(egress), tls, PATIENCE)
            .tcp(&endpoint)
            .await
            .unwrap_err();
        assert!(
            matches!(
                refused,
                ConnectError::NotAllowed(NotAllowed::Address { .. })
            ),
            "{spelling}: {refused:?}"
        );
    }
    saw_none(&listener).await;
}
