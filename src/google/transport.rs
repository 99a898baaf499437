use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use oauth2::http::StatusCode;
use oauth2::http::header::{CONTENT_TYPE, DATE, HeaderName, RETRY_AFTER};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::error::{Foreign, NoAnswer, Said};
use super::retry_after::pause;
use crate::domain::server::Endpoint;
use crate::net::http::HttpClient;
use crate::telemetry::calls::{CallResult, Service};

/// Statuses that pass (RFC 9110 section 15.5.9, RFC 6585 section 4).
const NOT_NOW: [StatusCode; 2] = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];

/// Statuses that no token endpoint gives, whatever their body: there is none at this URL, or a
/// proxy is before it (RFC 9110 sections 15.5.5, 15.5.6, 15.5.8 and 15.5.11).
const NOT_HERE: [StatusCode; 4] = [
    StatusCode::NOT_FOUND,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::PROXY_AUTHENTICATION_REQUIRED,
    StatusCode::GONE,
];

/// Carries the requests of the `oauth2` and `openidconnect` crates, and lets through only answers
/// in OAuth's own words. A type of its own, since the future of a closure would not be `Send`.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    http: HttpClient,
    service: Service,
}

impl Transport {
    /// For requests to `service`.
    pub(super) fn new(http: HttpClient, service: Service) -> Self {
        Self { http, service }
    }

    /// Sends a request, and lets its answer through if it is OAuth's.
    pub(super) async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let uri = request.uri();
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let host = Endpoint::new(host, uri.port_u16().unwrap_or(443));
        let calls = self.http.calls();
        let judge = |answer: &Result<HttpResponse, NoAnswer>| ended(self.service, answer);
        let server = (host.host.as_str(), host.port);
        let answer = async { let_through(self.http.send(request).await?, host.clone()) };
        calls
            .timed(self.service, server, judge, Box::pin(answer))
            .await
    }
}

fn ended(service: Service, answer: &Result<HttpResponse, NoAnswer>) -> CallResult {
    match answer {
        // Its code is made up, so a no in OAuth's words is what it is sent for.
        Ok(_) if service == Service::OAuthClientCheck => CallResult::Ok,
        Ok(answer) if answer.status() == StatusCode::OK => CallResult::Ok,
        Ok(_) | Err(NoAnswer::NotNow { .. } | NoAnswer::NotOAuth { .. }) => CallResult::Refused,
        Err(NoAnswer::Http(_)) => CallResult::Unreachable,
    }
}

/// Lets through 200, and errors in OAuth's words with a status that OAuth servers use for one: 400
/// and 401 (RFC 6749 section 5.2), and others that say neither "not now" nor "not here".
pub(super) fn let_through(answer: HttpResponse, host: Endpoint) -> Result<HttpResponse, NoAnswer> {
    let status = answer.status();
    let not_now = status.is_server_error() || NOT_NOW.contains(&status);
    let refused = status.is_client_error() && !not_now && !NOT_HERE.contains(&status);
    if status == StatusCode::OK || (refused && Said::is_in(answer.body())) {
        return Ok(answer);
    }
    Err(match not_now {
        true => NoAnswer::NotNow {
            host,
            status,
            pause: asked_pause(&answer),
        },
        false => NoAnswer::NotOAuth {
            with: foreign(&answer),
            host,
            status,
        },
    })
}

/// How long the server asks to be left alone.
fn asked_pause(answer: &HttpResponse) -> Option<std::time::Duration> {
    let header = |name: HeaderName| answer.headers().get(name)?.to_str().ok();
    pause(header(RETRY_AFTER)?, header(DATE), Timestamp::now())
}

/// What an answer is that is not OAuth's.
fn foreign(answer: &HttpResponse) -> Foreign {
    if answer.status().is_redirection() {
        return Foreign::Redirect;
    }
    let of_type = answer.headers().get(CONTENT_TYPE);
    match of_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html")) {
        true => Foreign::WebPage,
        false => Foreign::Unknown,
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = NoAnswer;
    type Future = BoxFuture<'c, Result<HttpResponse, NoAnswer>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.ask(request).boxed()
    }
}
