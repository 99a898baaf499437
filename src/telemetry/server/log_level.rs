//! What is logged, changed without a restart: `PUT /log-level`, as linkerd's proxies have it.
//!
//! The port asks nobody who they are, and whoever could log everything could fill disks. So it is
//! changed from inside the Pod alone, where a port-forward comes from, which the API server has
//! checked the rights for.

use std::net::{IpAddr, SocketAddr};

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::serve::IncomingStream;
use tokio::net::TcpListener;
use url::Host;

use super::Telemetry;
use crate::telemetry::log::LogFilter;

/// The two ends of a connection; without them it is nobody's.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    from: SocketAddr,
    to: Option<SocketAddr>,
}

impl Connected<IncomingStream<'_, TcpListener>> for Ends {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self {
            from: *stream.remote_addr(),
            to: stream.io().local_addr().ok(),
        }
    }
}

impl Ends {
    /// Whether both are this Pod. A mesh's proxy in the Pod connects for strangers, but to the Pod's
    /// address, or from 127.0.0.6 as Istio's does.
    fn are_here(&self) -> bool {
        let is_here = |address: SocketAddr| {
            let ip = address.ip().to_canonical();
            ip == IpAddr::from([127, 0, 0, 1]) || ip == IpAddr::from(std::net::Ipv6Addr::LOCALHOST)
        };
        is_here(self.from) && self.to.is_some_and(is_here)
    }
}

type Answer = (StatusCode, String);

/// Tells what is logged.
pub(super) async fn show(State(telemetry): State<Telemetry>) -> Answer {
    match telemetry.log.now() {
        Ok(now) => (StatusCode::OK, format!("{now}\n")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

/// Changes it to the body.
pub(super) async fn change(
    State(telemetry): State<Telemetry>,
    ConnectInfo(ends): ConnectInfo<Ends>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let refused = |status, why: &str| (status, format!("{why}\n"));
    if !ends.are_here() || !names_this_pod(&headers) {
        return refused(
            StatusCode::FORBIDDEN,
            "what is logged can be changed from inside the pod alone: use kubectl port-forward, and localhost in the URL",
        );
    }
    let filter: LogFilter = match body.parse() {
        Ok(filter) => filter,
        Err(bad) => {
            return refused(
                StatusCode::BAD_REQUEST,
                &format!("this does not say what is logged: {bad}"),
            );
        }
    };
    let (before, after) = (telemetry.log.now(), filter.to_string());
    // Where nothing more is logged afterwards, this is the last that is.
    tracing::warn!(
        before = before.unwrap_or_default(),
        after,
        "what is logged is changed"
    );
    match telemetry.log.set(filter) {
        Ok(()) => (StatusCode::OK, format!("{after}\n")),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// A web page in the browser of somebody who has a port-forward can have its own name lead to
/// localhost, and then send what it likes; the name is still its own.
fn names_this_pod(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let url = host.and_then(|host| format!("http://{host}").parse::<url::Url>().ok());
    match url.as_ref().and_then(url::Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_this_pod_speaks_for_itself() {
        for (from, to, are) in [
            ("127.0.0.1:4000", Some("127.0.0.1:8081"), true),
            ("[::1]:4000", Some("[::1]:8081"), true),
            (
                "[::ffff:127.0.0.1]:4000",
                Some("[::ffff:127.0.0.1]:8081"),
                true,
            ),
            ("10.1.2.3:4000", Some("10.1.2.4:8081"), false),
            ("10.1.2.4:4000", Some("10.1.2.4:8081"), false),
            ("127.0.0.6:4000", Some("10.1.2.4:8081"), false),
            ("127.0.0.6:4000", Some("127.0.0.1:8081"), false),
            ("127.0.0.1:4000", Some("10.1.2.4:8081"), false),
            ("127.0.0.1:4000", None, false),
        ] {
            let ends = Ends {
                from: from.parse().unwrap(),
                to: to.map(|to| to.parse().unwrap()),
            };
            assert_eq!(ends.are_here(), are, "{ends:?}");
        }
    }

    #[test]
    fn a_name_that_leads_here_is_not_ours() {
        for (host, is) in [
            (Some("localhost:8081"), true),
            (Some("127.0.0.1:8081"), true),
            (Some("[::1]:8081"), true),
            (Some("evil.example:8081"), false),
            (Some("localhost.evil.example"), false),
            (Some("gmail-operator-metrics:8081"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, host.parse().unwrap());
            }
            assert_eq!(names_this_pod(&headers), is, "{host:?}");
        }
    }
}
