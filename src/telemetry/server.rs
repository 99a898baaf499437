//! The port for metrics, health and what is logged.

mod log_level;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use self::log_level::Ends;
use super::health::Readiness;
use super::log::{LogSwitch, MAX_LENGTH};

/// What the telemetry port shows.
#[derive(Clone)]
pub struct Telemetry {
    /// The metrics.
    pub registry: Arc<Registry>,
    /// For `/readyz`.
    pub readiness: Arc<Readiness>,
    /// For `/log-level`.
    pub log: LogSwitch,
}

/// Serves `/metrics`, `/healthz` (the process is up), `/readyz` and `/log-level`, without end.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(listener: TcpListener, telemetry: Telemetry) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/log-level", get(log_level::show).put(log_level::change))
        .layer(DefaultBodyLimit::max(MAX_LENGTH))
        .with_state(telemetry)
        .into_make_service_with_connect_info::<Ends>();
    axum::serve(listener, router).await
}

async fn metrics(State(telemetry): State<Telemetry>) -> impl IntoResponse {
    let mut text = String::new();
    match encode(&mut text, &telemetry.registry) {
        Ok(()) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        ),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain")],
            String::new(),
        ),
    }
}

async fn ready(State(telemetry): State<Telemetry>) -> impl IntoResponse {
    if telemetry.readiness.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
