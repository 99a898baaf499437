use futures::FutureExt;
use futures::future::BoxFuture;
use oauth2::http::StatusCode;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::error::{NoAnswer, Said};
use crate::net::http::HttpClient;

/// Carries the requests of the `oauth2` and `openidconnect` crates, and lets through only answers
/// in OAuth's own words. A type of its own, since the future of a closure would not be `Send`.
#[derive(Clone, Debug)]
pub(super) struct Transport(HttpClient);

impl Transport {
    pub(super) fn new(http: HttpClient) -> Self {
        Self(http)
    }

    /// Sends a request. What is let through is 200, or an error in OAuth's words with a status that
    /// does not say "not now".
    pub(super) async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = self.0.send(request).await?;
        let status = answer.status();
        let not_now = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        let refused = status.is_client_error() && !not_now.contains(&status);
        if status == StatusCode::OK || (refused && Said::is_in(answer.body())) {
            return Ok(answer);
        }
        Err(NoAnswer::Status { host, status })
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = NoAnswer;
    type Future = BoxFuture<'c, Result<HttpResponse, NoAnswer>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.ask(request).boxed()
    }
}
