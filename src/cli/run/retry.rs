use std::fmt::Display;
use std::time::Duration;

use tokio::time::sleep;

use crate::domain::schedule::backoff;

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);

/// Tries until it succeeds, however long that takes, with waits that double up to `longest`. Each failure is logged in
/// these words.
pub(super) async fn until_done<E: Display>(
    words: &str,
    longest: Duration,
    attempt: impl AsyncFn() -> Result<(), E>,
) {
    let mut tries = 0;
    while let Err(error) = attempt().await {
        tries += 1;
        let wait = backoff(tries, FIRST, longest, words);
        tracing::warn!(%error, ?wait, "{words}");
        sleep(wait).await;
    }
}
