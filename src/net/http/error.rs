use std::error::Error;
use std::io::{self, ErrorKind};

use crate::domain::egress::NotAllowed;
use crate::domain::server::Endpoint;

use super::resolve::NameNotResolved;

/// The longest detail that is kept, in characters. A server's certificate may name thousands of
/// hosts, and TLS errors repeat them.
const MAX_DETAIL: usize = 200;

/// Why an HTTP client could not be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct HttpSetupError(String);

impl HttpSetupError {
    pub(super) fn new(error: &reqwest::Error) -> Self {
        Self(root_cause(error))
    }
}

/// Why there is no whole answer to a request. Names the host, and nothing else of the request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HttpError {
    /// The egress policy forbids the host, or every address that it has.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The request's URL is not an https URL with a host.
    #[error("only https URLs are connected to")]
    NotHttps,
    /// The name has no address, or no name server answered.
    #[error("the name {} cannot be resolved: {detail}", host.host)]
    NameNotResolved {
        /// The host that was asked for.
        host: Endpoint,
        /// The system's words.
        detail: String,
    },
    /// Nothing listens there (ECONNREFUSED).
    #[error("{host} refused the connection")]
    Refused {
        /// The host that was asked for.
        host: Endpoint,
    },
    /// No route, or another error of connect(2).
    #[error("{host} cannot be reached: {detail}")]
    Unreachable {
        /// The host that was asked for.
        host: Endpoint,
        /// The system's words.
        detail: String,
    },
    /// No connection, or no whole answer, in time.
    #[error("{host} did not answer in time")]
    TimedOut {
        /// The host that was asked for.
        host: Endpoint,
    },
    /// The proxy on the way cannot be reached, or does not answer as one.
    #[error("the proxy {proxy} gives no connection to {host}: {detail}")]
    ProxyUnavailable {
        /// Where the proxy is.
        proxy: Endpoint,
        /// The host that was asked for.
        host: Endpoint,
        /// What it does instead.
        detail: String,
    },
    /// The proxy on the way says no.
    #[error("the proxy {proxy} does not connect to {host}: {detail}")]
    ProxyRefused {
        /// Where the proxy is.
        proxy: Endpoint,
        /// The host that was asked for.
        host: Endpoint,
        /// Why, as far as the HTTP library tells.
        detail: &'static str,
    },
    /// The certificate is not trusted, or the other side does not speak TLS.
    #[error("TLS with {host} failed: {detail}")]
    Tls {
        /// The host that was asked for.
        host: Endpoint,
        /// The TLS library's words.
        detail: String,
    },
    /// The connection ended before the answer was complete, or what came is not HTTP.
    #[error("the exchange with {host} broke off: {detail}")]
    Lost {
        /// The host that was asked for.
        host: Endpoint,
        /// The innermost cause.
        detail: String,
    },
    /// The body is larger than what is read.
    #[error("{host} sent more than {limit} bytes")]
    TooLarge {
        /// The host that was asked for.
        host: Endpoint,
        /// The bound, in bytes.
        limit: usize,
    },
}

impl HttpError {
    /// What `error` of a request to `host` comes down to. The HTTP library says only "error
    /// sending request for url (…)": what a person needs lies deep in its chain of causes.
    pub(super) fn explain(error: &reqwest::Error, host: &Endpoint) -> Self {
        if let Some(known) = causes(error).find_map(|cause| known(cause, host)) {
            return known;
        }
        let host = host.clone();
        let io = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
        match io.map(io::Error::kind) {
            _ if error.is_timeout() => Self::TimedOut { host },
            Some(ErrorKind::TimedOut) => Self::TimedOut { host },
            Some(ErrorKind::ConnectionRefused) => Self::Refused { host },
            // An end in the midst of the handshake comes from connecting, too.
            Some(kind) if error.is_connect() && !is_end(kind) => Self::Unreachable {
                host,
                detail: root_cause(error),
            },
            _ => Self::Lost {
                host,
                detail: root_cause(error),
            },
        }
    }

    /// The same where a proxy makes the connection: until there is one, it is the proxy's trouble.
    pub(super) fn explain_by_proxy(
        error: &reqwest::Error,
        host: &Endpoint,
        proxy: Endpoint,
    ) -> Self {
        let explained = Self::explain(error, host);
        if !error.is_connect() || matches!(explained, Self::Tls { .. }) {
            return explained;
        }
        let host = host.clone();
        let said = root_cause(error);
        if let Some(detail) = refusal(&said) {
            return Self::ProxyRefused {
                proxy,
                host,
                detail,
            };
        }
        let detail = match explained {
            Self::Refused { .. } => "nothing listens there".to_owned(),
            Self::TimedOut { .. } => "it did not answer in time".to_owned(),
            _ if said == "tunnel error: unexpected end of file" => {
                "it closed the connection without an answer".to_owned()
            }
            _ => said,
        };
        Self::ProxyUnavailable {
            proxy,
            host,
            detail,
        }
    }
}

/// The HTTP library keeps no more of the proxy's answer than these words, and has no type for it.
fn refusal(said: &str) -> Option<&'static str> {
    match said {
        "tunnel error: proxy authorization required" => {
            Some("it wants a name and a password in its URL, or others than are there (HTTP 407)")
        }
        "tunnel error: unsuccessful" => {
            Some("it refuses, could not connect itself, or is no proxy; its own log tells which")
        }
        _ => None,
    }
}

/// What `cause` says by its type.
fn known(cause: &(dyn Error + 'static), host: &Endpoint) -> Option<HttpError> {
    if let Some(NotAllowed::Address { address, .. }) = cause.downcast_ref() {
        // The resolver knows no port.
        return Some(HttpError::NotAllowed(NotAllowed::Address {
            endpoint: host.clone(),
            address: *address,
        }));
    }
    if let Some(NameNotResolved(detail)) = cause.downcast_ref() {
        return Some(HttpError::NameNotResolved {
            host: host.clone(),
            detail: bounded(detail),
        });
    }
    // An `io::Error` gives as its source not what it wraps but the source of that; and it may wrap
    // another.
    let mut wrapped = cause.downcast_ref::<io::Error>()?.get_ref()?;
    while let Some(inner) = wrapped.downcast_ref::<io::Error>() {
        wrapped = inner.get_ref()?;
    }
    let tls = wrapped.downcast_ref::<rustls::Error>()?;
    Some(HttpError::Tls {
        host: host.clone(),
        detail: bounded(&tls.to_string()),
    })
}

fn is_end(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
    )
}

fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + 'a {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// The words of the innermost cause. The outermost would show the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let cause = error.source().and_then(|source| causes(source).last());
    bounded(&cause.map_or_else(|| "no cause is known".to_owned(), ToString::to_string))
}

fn bounded(words: &str) -> String {
    words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_DETAIL)
        .collect()
}
