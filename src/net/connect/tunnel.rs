//! HTTP CONNECT (RFC 9110 section 9.3.6): a proxy makes the connection.
//!
//! By hyper's own connection, since the tunnels of HTTP clients keep neither the proxy's status nor
//! what the server says in the same packet as the proxy's yes.

use std::error::Error;
use std::pin::pin;

use futures::future::{Either, select};
use hyper::client::conn::http1;
use hyper::header::{HOST, PROXY_AUTHORIZATION};
use hyper::{Method, Request, StatusCode, upgrade};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::link::Link;
use crate::domain::server::Endpoint;
use crate::net::detour::Toll;

/// The longest answer of a proxy that is read, in bytes, which is also the least that hyper takes.
const MAX_ANSWER: usize = 8 * 1024;

/// The longest words of the HTTP library that are kept, in characters.
const MAX_WORDS: usize = 200;

/// What a proxy does instead of connecting.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProxyError {
    /// It is not there, is silent, or is no proxy.
    #[error("the proxy {proxy} {what}")]
    Unavailable {
        /// Where it should be.
        proxy: Endpoint,
        /// What it does: "refuses the connection".
        what: String,
    },
    /// It answers, and no.
    #[error("the proxy {proxy} answered HTTP {status}: {}", meaning(*.status))]
    Refused {
        /// Where it is.
        proxy: Endpoint,
        /// Its status.
        status: u16,
    },
}

/// What a status other than 2xx means to who asked for a connection (RFC 9110 section 15).
fn meaning(status: u16) -> &'static str {
    match status {
        // Some say 401 to a wrong password.
        401 | 407 => "it wants a name and a password in its URL, or others than are there",
        403 => "it does not allow connections to this server or port",
        405 | 501 => "it makes no connections for others (HTTP CONNECT)",
        429 | 503 => "it has too much to do, or is not in service",
        500..=599 => "it could not connect to the server",
        _ => "it does not connect to the server",
    }
}

/// Has the proxy at the other side of `tcp` connect to `server`. It is the caller who limits the
/// time.
pub(super) async fn dig(
    tcp: TcpStream,
    toll: &Toll,
    server: &Endpoint,
) -> Result<Link, ProxyError> {
    let unavailable = |what: String| ProxyError::Unavailable {
        proxy: toll.proxy.clone(),
        what,
    };
    let broken = |error: hyper::Error| unavailable(words(&error));
    let request = request(toll, server).map_err(|error| unavailable(error.to_string()))?;
    let (mut asking, connection) = http1::Builder::new()
        .max_buf_size(MAX_ANSWER)
        .handshake(TokioIo::new(tcp))
        .await
        .map_err(broken)?;
    let asked = async {
        let answer = asking.send_request(request).await.map_err(broken)?;
        match answer.status() {
            // hyper takes what follows for a tunnel in each of these.
            status if status.is_success() => upgrade::on(answer).await.map_err(broken),
            status => Err(refused(toll, status)),
        }
    };
    // The connection has to be worked at until the answer is there.
    let upgraded = match select(pin!(asked), pin!(connection.with_upgrades())).await {
        Either::Left((upgraded, _)) => upgraded?,
        Either::Right((_, asked)) => asked.await?,
    };
    let parts = upgraded
        .downcast::<TokioIo<TcpStream>>()
        .map_err(|_| unavailable("gives no connection".to_owned()))?;
    Ok(Link::new(parts.read_buf, parts.io.into_inner()))
}

fn request(toll: &Toll, server: &Endpoint) -> Result<Request<String>, hyper::http::Error> {
    let authority = server.to_string();
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(authority.as_str())
        .header(HOST, authority.as_str());
    if let Some(authorization) = &toll.authorization {
        request = request.header(PROXY_AUTHORIZATION, authorization);
    }
    request.body(String::new())
}

fn refused(toll: &Toll, status: StatusCode) -> ProxyError {
    ProxyError::Refused {
        proxy: toll.proxy.clone(),
        status: status.as_u16(),
    }
}

fn words(error: &hyper::Error) -> String {
    if error.is_parse() {
        return "does not answer as an HTTP proxy does".to_owned();
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return "closed the connection without an answer".to_owned();
    }
    let cause = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let words: String = cause.chars().take(MAX_WORDS).collect();
    format!("broke off: {words}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
