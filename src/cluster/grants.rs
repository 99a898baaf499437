//! The Secrets with grants.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions};
use kube::{Api, Client};

use super::grant_secret::{ACCOUNT_LABEL, BadGrant, account_label, name, parse, secret};
use super::{ClusterError, call};
use crate::domain::grant::{Account, Grant};

/// The most grants of one account that are looked at. There is one, or two while it moves; more are
/// left from times when nobody asked.
const OF_ONE_ACCOUNT: u32 = 20;

/// A grant as it is stored.
#[derive(Clone, Debug)]
pub struct StoredGrant {
    /// The grant.
    pub grant: Grant,
    /// Guards the next write.
    pub resource_version: Option<String>,
}

/// The grants in the operator's own namespace: never in a tenant's, where the built-in `edit` role
/// reads every Secret.
#[derive(Clone)]
pub struct Grants {
    api: Api<Secret>,
    namespace: String,
}

impl Grants {
    /// In `namespace`.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
        }
    }

    /// The grant of the Mailbox `uid`, as the API server has it now.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn get(
        &self,
        uid: &str,
    ) -> Result<Option<Result<StoredGrant, BadGrant>>, ClusterError> {
        let secret = call(
            || format!("reading the grant of {uid}"),
            self.api.get_opt(&name(uid)),
        )
        .await?;
        Ok(secret.map(|secret| stored(&secret)))
    }

    /// The grants of `account`, for whichever Mailboxes. What cannot be read is nobody's.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn of_account(&self, account: &Account) -> Result<Vec<StoredGrant>, ClusterError> {
        let label = format!("{ACCOUNT_LABEL}={}", account_label(account));
        let params = ListParams::default().labels(&label).limit(OF_ONE_ACCOUNT);
        let doing = || "looking for other grants of an account".to_owned();
        let found = call(doing, self.api.list(&params)).await?;
        let grants = found.items.iter().filter_map(|secret| stored(secret).ok());
        // The label is a digest, and so says only where to look.
        Ok(grants
            .filter(|found| found.grant.account.is_same(account))
            .collect())
    }

    /// The version of the Secret for the Mailbox `uid`, whatever is in it.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn version(&self, uid: &str) -> Result<Option<String>, ClusterError> {
        let secret = call(
            || format!("reading the grant of {uid}"),
            self.api.get_opt(&name(uid)),
        )
        .await?;
        Ok(secret.and_then(|secret| secret.metadata.resource_version))
    }

    /// Creates a grant, or replaces the one whose version is given: another writer's newer one is
    /// never overwritten.
    ///
    /// # Errors
    /// [`ClusterError`], which [`ClusterError::is_conflict`] where another writer was first.
    pub async fn put(
        &self,
        grant: &Grant,
        resource_version: Option<String>,
    ) -> Result<Secret, ClusterError> {
        let creates = resource_version.is_none();
        let secret = secret(grant, &self.namespace, resource_version);
        let params = PostParams::default();
        let doing = || format!("writing the grant of {}", grant.mailbox);
        match creates {
            true => call(doing, self.api.create(&params, &secret)).await,
            false => {
                call(
                    doing,
                    self.api
                        .replace(&name(&grant.mailbox_uid), &params, &secret),
                )
                .await
            }
        }
    }

    /// Deletes the grant of the Mailbox `uid`, if it still has that version.
    ///
    /// # Errors
    /// [`ClusterError`]; a grant that is gone already is none.
    pub async fn delete(
        &self,
        uid: &str,
        resource_version: Option<String>,
    ) -> Result<(), ClusterError> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                resource_version,
                uid: None,
            }),
            ..DeleteParams::default()
        };
        match call(
            || format!("deleting the grant of {uid}"),
            self.api.delete(&name(uid), &params),
        )
        .await
        {
            Err(error) if error.is_gone() => Ok(()),
            other => other.map(drop),
        }
    }
}

/// A grant with the version it was read at.
///
/// # Errors
/// [`BadGrant`].
pub fn stored(secret: &Secret) -> Result<StoredGrant, BadGrant> {
    Ok(StoredGrant {
        grant: parse(secret)?,
        resource_version: secret.metadata.resource_version.clone(),
    })
}
