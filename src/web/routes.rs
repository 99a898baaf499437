//! Which request goes where, and what holds for all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tracing::Instrument;

use super::Web;
use super::act::act;
use super::begin::begin;
use super::callback::callback;
use super::headers::{Page, secure};
use super::refusal::{busy, too_large};
use super::show::show;
use super::stopped::Stopped;
use crate::telemetry::spans;

/// The largest body, in bytes. No handler reads one: the button's form has no fields.
const MAX_BODY: u64 = 1024;
/// The longest query, in bytes: Google's codes have up to 256, and a few known parameters beside.
const MAX_QUERY: usize = 8 * 1024;
/// The longest that a request is worked on. A sign-in asks Google three times, for 20 s at most.
const MAX_TIME: Duration = Duration::from_secs(75);

impl Web {
    /// Everything under the public URL's path, and the same "not found" for the rest. Each route
    /// begins with `any`: without it axum tells in `Allow` which methods there are.
    pub fn router(self: Arc<Self>) -> Router {
        let prefix = self.settings.public_url.path();
        Router::new()
            // The prefix is the admin's and taken as it is, colons and all.
            .without_v07_checks()
            .route(
                &format!("{prefix}signin/{{namespace}}/{{name}}/{{uid}}"),
                any(nothing).get(show).post(begin),
            )
            .route(
                &format!("{prefix}signin/{{namespace}}/{{name}}/{{uid}}/{{act}}"),
                any(nothing).post(act),
            )
            .route(
                self.settings.public_url.redirect_uri().path(),
                any(nothing).get(callback),
            )
            .fallback(nothing)
            .layer(from_fn_with_state(self.clone(), bounded))
            .layer(from_fn(traced))
            .with_state(self)
    }
}

async fn nothing() -> Page {
    Stopped::NotFound.page()
}

async fn traced(path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    // A browser may send any word as a method.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "_OTHER",
    };
    let span = spans::request(method, path.as_ref().map_or("", MatchedPath::as_str));
    let response = next.run(request).instrument(span.clone()).await;
    spans::answered(&span, response.status().as_u16());
    response
}

async fn bounded(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let large = |status| too_large(status).into_response();
    let refusal = web.edge.turns_away(&request);
    secure(match refusal.or_else(|| too_much(&request).map(large)) {
        Some(refusal) => refusal,
        None => match web.places.try_acquire() {
            Ok(_place) => match tokio::time::timeout(MAX_TIME, next.run(request)).await {
                Ok(response) => response,
                Err(_) => busy().into_response(),
            },
            Err(_) => busy().into_response(),
        },
    })
}

fn too_much(request: &Request) -> Option<StatusCode> {
    if request
        .uri()
        .query()
        .is_some_and(|query| query.len() > MAX_QUERY)
    {
        return Some(StatusCode::URI_TOO_LONG);
    }
    (request.body().size_hint().lower() > MAX_BODY).then_some(StatusCode::PAYLOAD_TOO_LARGE)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
