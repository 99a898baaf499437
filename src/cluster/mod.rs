//! Kubernetes: objects, Secrets, status, Events, the Lease.

pub mod credentials;
pub mod events;
pub mod grant_secret;
pub mod grants;
pub mod latest;
pub mod lease;
pub mod status;
pub mod web_key;

use std::time::Duration;

/// The longest that one call to the API server may take, with the client's own retries.
pub const API_TIMEOUT: Duration = Duration::from_secs(30);

/// A call to the API server that could not be made or was refused.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The API server's answer, or none.
    #[error("{doing}: {source}")]
    Api {
        /// What was being done: "reading the Secret mail/google".
        doing: String,
        /// Why it failed.
        source: Box<kube::Error>,
    },
    /// No answer in time.
    #[error("{0}: the API server did not answer within 30 s")]
    TimedOut(String),
}

impl ClusterError {
    /// Whether another writer was first.
    pub fn is_conflict(&self) -> bool {
        matches!(self, ClusterError::Api { source, .. } if matches!(source.as_ref(), kube::Error::Api(status) if status.code == 409))
    }
}

/// Makes one call with its time-out; `doing` is for people.
pub(crate) async fn call<T>(
    doing: impl FnOnce() -> String,
    call: impl Future<Output = kube::Result<T>>,
) -> Result<T, ClusterError> {
    match tokio::time::timeout(API_TIMEOUT, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(ClusterError::Api {
            doing: doing(),
            source: Box::new(source),
        }),
        Err(_) => Err(ClusterError::TimedOut(doing())),
    }
}
