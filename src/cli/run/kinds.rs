use std::time::Duration;

use kube::Client;
use tokio::time::sleep;

use crate::cluster::kinds::{KindsError, look_for_kinds};
use crate::domain::schedule::backoff;
use crate::telemetry::health::Readiness;

/// The waits before they are looked for again.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Waits until our kinds are there, however long it takes: without them neither part can do its work.
pub(super) async fn wait(client: &Client, readiness: &Readiness) {
    let mut tries = 0;
    loop {
        match look_for_kinds(client).await {
            Ok(()) => break,
            // A cluster that keeps discovery to itself. Who misses the kinds says so.
            Err(KindsError::Cluster(error)) if error.is_forbidden() => {
                tracing::warn!(%error, "it is not known whether the custom resource definitions are there");
                break;
            }
            Err(error) => {
                tries += 1;
                let wait = backoff(tries, FIRST_WAIT, LONGEST_WAIT, "kinds");
                tracing::warn!(%error, ?wait, "the operator is not ready; it looks again");
                sleep(wait).await;
            }
        }
    }
    readiness.kinds_are_there();
}
