use std::time::Duration;

use kube::Client;

use super::retry::until_done;
use crate::cluster::kinds::{KindsError, look_for_kinds};
use crate::telemetry::health::Readiness;

/// The longest wait before they are looked for again.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Waits until our kinds are there, however long it takes: without them neither part can do its work.
pub(super) async fn wait(client: &Client, readiness: &Readiness) {
    let words = "the operator is not ready; it looks again";
    until_done(words, LONGEST_WAIT, async || {
        match look_for_kinds(client).await {
            // A cluster that keeps discovery to itself. Who misses the kinds says so.
            Err(KindsError::Cluster(error)) if error.is_forbidden() => {
                tracing::warn!(%error, "it is not known whether the custom resource definitions are there");
                Ok(())
            }
            looked => looked,
        }
    })
    .await;
    readiness.kinds_are_there();
}
