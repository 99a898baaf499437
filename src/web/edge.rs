//! What is asked of every request before anything is done for it: that it means this host, and that
//! its caller has not had too much already.

mod limits;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Once;

use axum::extract::Request;
use axum::http::header::{HOST, RETRY_AFTER};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use self::limits::{Cost, Limits, TooMany};
use super::headers::Page;
use super::page::{Changes, plain};
use crate::domain::caller::{Peer, TrustedProxies};
use crate::domain::console::PublicUrl;

/// What proxies say about those they ask for.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How much of a host that is not ours is logged, in characters.
const MAX_HOST: usize = 100;

/// The rules that hold for every request, and how much each caller has had.
pub(super) struct Edge {
    public_url: PublicUrl,
    callback: String,
    proxies: TrustedProxies,
    limits: Limits,
    host_told: Once,
    crowd_told: Once,
}

/// Whom a request is for.
#[derive(Debug, Eq, PartialEq)]
enum Addressed<'a> {
    Us,
    /// Another host, by the name that was sent.
    Other(&'a str),
    /// No host, several, or what is none.
    Nobody,
}

impl Edge {
    pub fn new(public_url: PublicUrl, proxies: TrustedProxies) -> Self {
        Self {
            callback: public_url.redirect_uri().path().to_owned(),
            public_url,
            proxies,
            limits: Limits::new(),
            host_told: Once::new(),
            crowd_told: Once::new(),
        }
    }

    /// What is at the other end of a connection.
    pub fn peer(&self, address: IpAddr) -> Peer {
        self.proxies.peer(address)
    }

    /// The answer to a request that is not gone on with.
    pub fn turns_away(&self, request: &Request) -> Option<Response> {
        match addressed(&self.public_url, request) {
            Addressed::Us => self.limited(request).err().map(too_many),
            Addressed::Other(host) => {
                self.tell_of_host(host);
                Some(misdirected().into_response())
            }
            Addressed::Nobody => Some(without_host().into_response()),
        }
    }

    fn limited(&self, request: &Request) -> Result<(), TooMany> {
        let unknown = Peer::Crowd(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let peer = request.extensions().get().copied().unwrap_or(unknown);
        let headers = request.headers();
        let lines = headers.get_all(FORWARDED_FOR).iter();
        let caller = self.proxies.caller(peer, lines.map(HeaderValue::as_bytes));
        self.tell_of_crowd(peer, headers);
        // The steps of a sign-in write to the cluster, or ask Google.
        let cost = match request.method() == Method::POST || request.uri().path() == self.callback {
            true => Cost::Step,
            false => Cost::Look,
        };
        let taken = self.limits.take(caller, cost);
        if let Err(TooMany { wait }) = &taken {
            tracing::debug!(?caller, ?wait, "too many requests");
        }
        taken
    }

    /// Once: whoever can reach the port can send such requests, as many as they like.
    fn tell_of_host(&self, host: &str) {
        self.host_told.call_once(|| {
            let host: String = host.chars().take(MAX_HOST).collect();
            tracing::warn!(
                ?host,
                ours = self.public_url.host(),
                "a request for another host than that of --public-url gets 421, as all such will: a proxy in front must pass the Host header on as it came"
            );
        });
    }

    fn tell_of_crowd(&self, peer: Peer, headers: &HeaderMap) {
        let Peer::Crowd(address) = peer else { return };
        if !headers.contains_key(FORWARDED_FOR) {
            return;
        }
        self.crowd_told.call_once(|| {
            tracing::warn!(
                %address,
                "a proxy that --trusted-proxies does not name says for whom it asks, and is not believed: all who come through it share one limit, and one of them can use it up; name the network of your ingress"
            );
        });
    }
}

/// RFC 9112 section 3.2: exactly one `Host`. A target in the absolute form names the host, too, and
/// goes before it (section 3.2.2): both have to be ours.
fn addressed<'a>(public_url: &PublicUrl, request: &'a Request) -> Addressed<'a> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Addressed::Nobody;
    };
    let Some(host) = host.to_str().ok().filter(|host| is_host(host)) else {
        return Addressed::Nobody;
    };
    let target = request.uri().authority().map(Authority::as_str);
    [Some(host), target]
        .into_iter()
        .flatten()
        .find(|authority| !public_url.is_at(authority))
        .map_or(Addressed::Us, Addressed::Other)
}

/// A host and perhaps a port (RFC 9110 section 7.2): no user name before it.
fn is_host(text: &str) -> bool {
    text.parse::<Authority>().is_ok() && !text.contains('@')
}

/// RFC 9110 section 15.5.20.
fn misdirected() -> Page {
    page(
        StatusCode::MISDIRECTED_REQUEST,
        "This address is served elsewhere",
        "The request reached the sign-in pages under a name that is not theirs. Open your sign-in link again. If this page comes again, whoever runs the proxy in front has to pass the Host header on.",
    )
}

fn without_host() -> Page {
    page(
        StatusCode::BAD_REQUEST,
        "The request names no host",
        "Open your sign-in link again.",
    )
}

/// RFC 6585 section 4.
fn too_many(TooMany { wait }: TooMany) -> Response {
    let mut response = page(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many requests at once",
        "Wait a moment, and load this page again. Nothing was changed.",
    )
    .into_response();
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

fn page(status: StatusCode, title: &str, text: &str) -> Page {
    Page::new(status, title, Changes::No, plain(title, text, None))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
