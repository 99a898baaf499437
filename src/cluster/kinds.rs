//! Whether our kinds are there: their custom resource definitions may come after the operator.

use kube::{Client, Resource};

use super::{ClusterError, call};
use crate::api::{GmailServerProfile, Mailbox};

/// Why our kinds cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KindsError {
    /// One is not there.
    #[error("the kind {kind} of {version} is not there: install the custom resource definitions")]
    Missing {
        /// Which.
        kind: String,
        /// Its group and version.
        version: String,
    },
    /// The API server could not be asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Looks whether they are there by discovery, which every account of a cluster may use: the definitions themselves
/// are not ours to read.
///
/// # Errors
/// [`KindsError`].
pub async fn look_for_kinds(client: &Client) -> Result<(), KindsError> {
    let version = Mailbox::api_version(&()).into_owned();
    let doing = || format!("reading which kinds {version} has");
    let listed = call(doing, client.list_api_group_resources(&version)).await;
    let listed = match listed {
        Err(error) if error.is_gone() => Vec::new(),
        listed => listed?.resources,
    };
    let ours = [GmailServerProfile::kind(&()), Mailbox::kind(&())];
    match ours
        .into_iter()
        .find(|kind| listed.iter().all(|resource| resource.kind != *kind))
    {
        None => Ok(()),
        Some(kind) => Err(KindsError::Missing {
            kind: kind.into_owned(),
            version,
        }),
    }
}
