//! The listener, and its end.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests that are being answered at the end may take.
const GRACE: Duration = Duration::from_secs(10);

/// Answers requests until `stop`, and finishes those that are being answered.
///
/// `axum::serve` sets no time-out for a request's headers: a peer that sends them slowly keeps a
/// connection open, though no place among those that are answered. The ingress in front, which
/// ends TLS, has to bound that.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let end = stop.clone();
    let served =
        axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
    tokio::select! {
        result = served => result,
        () = async { end.cancelled().await; tokio::time::sleep(GRACE).await } => {
            tracing::warn!("requests to the sign-in pages were cut off at the end");
            Ok(())
        }
    }
}
