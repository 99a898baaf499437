//! HTTPS with every limit on: only where the egress policy allows, at the address that was checked,
//! without redirects, with a time-out, and with a bound on what is read.

mod error;
mod resolve;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod scripted;

use std::sync::Arc;
use std::time::Duration;

use oauth2::http::{Request, Response};
use rustls::ClientConfig;
use secrecy::ExposeSecret;
use url::{Host, Url};

pub use error::{HttpError, HttpSetupError};

use super::detour::Detour;
use super::gate::Gate;
use crate::domain::server::Endpoint;
use crate::telemetry::calls::RemoteCalls;
use resolve::CheckedResolver;

/// The largest body that is read, in bytes. Google's answers have a few thousand; a hostile server's
/// may never end.
const MAX_BODY: usize = 64 * 1024;

/// The longest wait for a connection, of the whole time that a request may take.
const MAX_CONNECT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept. Less than common servers and NAT gateways keep theirs, so
/// that a request is seldom sent into a connection that is gone.
const IDLE: Duration = Duration::from_secs(30);

/// An HTTPS client for one trust (one `rustls` configuration). Clones share their connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    direct: reqwest::Client,
    by_proxy: Option<(Detour, reqwest::Client)>,
    gate: Gate,
    calls: RemoteCalls,
}

impl HttpClient {
    /// A client that trusts what `tls` trusts, connects where `gate` allows, and gives up after
    /// `timeout`: the time from the start of a request to the end of its answer's body.
    ///
    /// # Errors
    /// [`HttpSetupError`] where the TLS configuration is of no use to the HTTP library.
    pub fn new(
        tls: ClientConfig,
        gate: impl Into<Gate>,
        timeout: Duration,
    ) -> Result<Self, HttpSetupError> {
        let gate = gate.into();
        let direct = with_limits(tls, timeout)
            // The environment's proxies must not change where this one connects.
            .no_proxy()
            .dns_resolver(Arc::new(CheckedResolver(gate.clone())))
            .build()
            .map_err(|error| HttpSetupError::new(&error))?;
        Ok(Self {
            direct,
            by_proxy: None,
            gate,
            calls: RemoteCalls::default(),
        })
    }

    /// The same, but through `detour`'s proxy where that is on the way.
    ///
    /// # Errors
    /// [`HttpSetupError`], where the proxy is of no use to the HTTP library either.
    pub fn with_proxy(
        tls: ClientConfig,
        gate: impl Into<Gate>,
        detour: Detour,
        timeout: Duration,
    ) -> Result<Self, HttpSetupError> {
        let by_proxy = by_proxy(tls.clone(), &detour, timeout)?;
        Ok(Self {
            by_proxy: Some((detour, by_proxy)),
            ..Self::new(tls, gate, timeout)?
        })
    }

    /// The same, with its calls counted in `calls`.
    #[must_use]
    pub fn counted_in(self, calls: RemoteCalls) -> Self {
        Self { calls, ..self }
    }

    /// Where its calls are counted. It does not know itself what they are for.
    pub fn calls(&self) -> &RemoteCalls {
        &self.calls
    }

    /// Sends one request and reads its answer, whatever its status.
    ///
    /// # Errors
    /// [`HttpError`] where there is no whole answer. It names the host and never the path, the
    /// query, the headers or the bodies, which may hold secrets.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let request = reqwest::Request::try_from(request).map_err(|_| HttpError::NotHttps)?;
        let endpoint = self.permitted(request.url())?;
        let by_proxy = self.by_proxy.as_ref();
        let way = by_proxy.and_then(|(detour, client)| Some((detour.toll(&endpoint)?, client)));
        let response = match way {
            Some((toll, client)) => client
                .execute(request)
                .await
                .map_err(|error| HttpError::explain_by_proxy(&error, &endpoint, toll.proxy))?,
            None => self
                .direct
                .execute(request)
                .await
                .map_err(|error| HttpError::explain(&error, &endpoint))?,
        };
        whole(response, &endpoint).await
    }

    /// The host of `url`, where it may be connected to. Names are resolved, and their addresses
    /// checked, when the connection is made; an address in the URL is never resolved, and is
    /// checked here.
    fn permitted(&self, url: &Url) -> Result<Endpoint, HttpError> {
        if url.scheme() != "https" {
            return Err(HttpError::NotHttps);
        }
        let host = match url.host().ok_or(HttpError::NotHttps)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(v4) => v4.to_string(),
            Host::Ipv6(v6) => v6.to_string(),
        };
        let endpoint = Endpoint::new(&host, url.port_or_known_default().unwrap_or(443));
        self.gate.permits(&endpoint)?;
        Ok(endpoint)
    }
}

fn with_limits(tls: ClientConfig, timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .use_preconfigured_tls(tls)
        .https_only(true)
        // A redirect would carry secrets to a host that nobody has checked.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(timeout.min(MAX_CONNECT))
        .timeout(timeout)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("gmail-operator/", env!("CARGO_PKG_VERSION")))
}

/// A client that resolves and connects to nothing but the proxy, wherever that is.
fn by_proxy(
    tls: ClientConfig,
    detour: &Detour,
    timeout: Duration,
) -> Result<reqwest::Client, HttpSetupError> {
    let proxy = reqwest::Proxy::all(detour.proxy().expose_secret());
    let client = proxy.and_then(|proxy| with_limits(tls, timeout).proxy(proxy).build());
    client.map_err(|error| HttpSetupError::new(&error))
}

/// Reads a body of at most [`MAX_BODY`] bytes. The time-out of the request still runs.
async fn whole(
    mut response: reqwest::Response,
    endpoint: &Endpoint,
) -> Result<Response<Vec<u8>>, HttpError> {
    let too_large = || HttpError::TooLarge {
        host: endpoint.clone(),
        limit: MAX_BODY,
    };
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| HttpError::explain(&error, endpoint))?
    {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = Response::new(body);
    *answer.status_mut() = response.status();
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    Ok(answer)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
