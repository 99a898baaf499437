//! Kubernetes: objects, Secrets, status, Events, the Lease.

mod causes;
pub mod client;
pub mod credentials;
pub mod events;
pub mod grant_secret;
pub mod grants;
pub mod kinds;
pub mod latest;
pub mod lease;
mod recorder;
pub mod status;
pub mod tls_secret;
pub mod watched;
pub mod web_key;
pub mod workload_secret;

use std::time::Duration;

pub use causes::with_causes;

/// The longest that one call to the API server may take, with the client's own retries.
pub const API_TIMEOUT: Duration = Duration::from_secs(30);

/// A call to the API server that could not be made or was refused.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The API server's answer, or none.
    #[error("{doing}: {}", words(.source))]
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

/// What a person needs of it: the API server's own sentence, not the whole answer.
fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} (HTTP {})", status.message, status.code),
        other => with_causes(other),
    }
}

impl ClusterError {
    /// Whether the object is not there any more.
    pub fn is_gone(&self) -> bool {
        self.code() == Some(404)
    }

    /// Whether the answer names an object that is not there; the answer about a kind that is not
    /// installed names none.
    pub fn names_missing_object(&self) -> bool {
        match self {
            ClusterError::Api { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => {
                    status.code == 404
                        && (status.details.as_ref()).is_some_and(|details| !details.name.is_empty())
                }
                _ => false,
            },
            ClusterError::TimedOut(_) => false,
        }
    }

    /// Whether another writer was first.
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// Whether the rights of whoever asked do not allow it.
    pub fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// Whether what was to be written is not acceptable as an object.
    pub fn is_invalid(&self) -> bool {
        self.code() == Some(422)
    }

    /// Whether the API server's answer is a no to what was asked: by rights, a quota, an admission
    /// policy or a webhook. Asking again helps only once somebody has changed something.
    pub fn is_refused(&self) -> bool {
        self.code().is_some_and(|code| {
            (400..500).contains(&code) && !matches!(code, 401 | 404 | 408 | 409 | 429)
        })
    }

    /// Whether the object's namespace is going or gone, so that nothing can be made in it.
    pub fn is_refused_by_namespace(&self) -> bool {
        match self {
            ClusterError::Api { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => {
                    status.code == 404
                        || (status.code == 403 && status.message.contains("being terminated"))
                }
                _ => false,
            },
            ClusterError::TimedOut(_) => false,
        }
    }

    /// The HTTP status that the API server answered with.
    fn code(&self) -> Option<u16> {
        match self {
            ClusterError::Api { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => Some(status.code),
                _ => None,
            },
            ClusterError::TimedOut(_) => None,
        }
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
