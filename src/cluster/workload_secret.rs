//! The Secret from which a workload takes a mailbox's access token, beside the Mailbox.
//!
//! Ours is what carries our label and names this very Mailbox as its controller; with it goes the
//! type. Anything else is left alone, and of anything else no more is read than its metadata.

mod mark;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ObjectMeta, PostParams, Preconditions};
use kube::{Api, Client};

use self::mark::Mark;
pub use self::mark::WORKLOAD_TYPE;
use super::{ClusterError, call};
use crate::domain::name::ObjectName;
use crate::domain::workload_secret::{Contents, SecretView, TOKEN_KEYS, WITHDRAWN, Whose};

/// How often a write is tried that another writer was ahead of.
const TRIES: usize = 4;

/// The Secret for workloads of one Mailbox, by one name.
pub struct WorkloadSecret<'a> {
    api: Api<Secret>,
    name: &'a str,
    mark: Mark<'a>,
}

impl<'a> WorkloadSecret<'a> {
    /// Called `name`, of the Mailbox `mailbox` with that `uid`.
    pub fn new(client: &Client, mailbox: &'a ObjectName, uid: &'a str, name: &'a str) -> Self {
        Self {
            api: Api::namespaced(client.clone(), &mailbox.namespace),
            name,
            mark: Mark { mailbox, uid, name },
        }
    }

    /// How it is now.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn look(&self) -> Result<SecretView, ClusterError> {
        Ok(self.mark.view(self.metadata().await?.as_ref()))
    }

    /// Makes `contents` stand in it. What others have put into its metadata stays.
    ///
    /// # Errors
    /// [`ClusterError`], which [`ClusterError::is_refused`] where rights, a quota or an admission
    /// policy forbid it.
    pub async fn publish(&self, contents: &Contents) -> Result<SecretView, ClusterError> {
        self.persist(&Change::Publish(contents)).await
    }

    /// Takes the token out of it, where it is there and ours. The rest stays: a file that is gone from
    /// a mounted Secret tells a running workload, while a Secret that is gone changes no mounted file
    /// and keeps new pods from starting.
    ///
    /// # Errors
    /// As [`WorkloadSecret::publish`].
    pub async fn withdraw(&self) -> Result<SecretView, ClusterError> {
        self.persist(&Change::Withdraw).await
    }

    /// Removes it, where it is there and ours.
    ///
    /// # Errors
    /// As [`WorkloadSecret::publish`].
    pub async fn remove(&self) -> Result<(), ClusterError> {
        for left in (0..TRIES).rev() {
            let Some(metadata) = self.metadata().await?.filter(|found| self.mark.owns(found))
            else {
                return Ok(());
            };
            match self.delete(&metadata).await {
                Err(error) if error.is_conflict() && left > 0 => {}
                other => return other,
            }
        }
        Ok(())
    }

    /// Makes `change` until the Secret is as it wants it, or not ours. Another writer's change in
    /// between is looked at first.
    async fn persist(&self, change: &Change<'_>) -> Result<SecretView, ClusterError> {
        let wanted = SecretView::Ours {
            content: change.content().to_owned(),
        };
        for left in (0..TRIES).rev() {
            let found = self.metadata().await?;
            let view = self.mark.view(found.as_ref());
            if view == wanted || matches!(view, SecretView::NotOurs(_)) {
                return Ok(view);
            }
            let version = found.clone();
            let written = match (change, found) {
                (Change::Publish(contents), found) => {
                    self.put(contents, found).await.map(|()| true)
                }
                (Change::Withdraw, Some(_)) => self.strip().await,
                (Change::Withdraw, None) => return Ok(SecretView::Absent),
            };
            match written {
                Ok(true) => return Ok(wanted),
                Ok(false) => {}
                Err(error) if left == 0 => return Err(error),
                Err(error) if error.is_conflict() || error.is_gone() => {}
                // What somebody has made immutable can only be made anew.
                Err(error) if error.is_invalid() => match version {
                    Some(version) if self.is_immutable().await? => self.delete(&version).await?,
                    _ => return Err(error),
                },
                Err(error) => return Err(error),
            }
        }
        // It has our marks and is not what we write.
        Ok(SecretView::NotOurs(Whose::Unknown))
    }

    /// Creates it, or replaces what was found: the resource version is in its metadata.
    async fn put(
        &self,
        contents: &Contents,
        found: Option<ObjectMeta>,
    ) -> Result<(), ClusterError> {
        match found {
            None => {
                let secret = self.mark.secret(ObjectMeta::default(), contents);
                let (params, doing) = (PostParams::default(), || self.doing("creating"));
                let created = call(doing, self.api.create(&params, &secret));
                created.await.map(drop)
            }
            Some(metadata) => self.replace(&self.mark.secret(metadata, contents)).await,
        }
    }

    /// Whether there was something of ours to take the token from.
    async fn strip(&self) -> Result<bool, ClusterError> {
        let Some(mut secret) = self.read().await? else {
            return Ok(false);
        };
        for key in TOKEN_KEYS {
            secret.data.get_or_insert_default().remove(key);
        }
        let stripped = self.mark.put_on(secret, WITHDRAWN);
        self.replace(&stripped).await.map(|()| true)
    }

    async fn metadata(&self) -> Result<Option<ObjectMeta>, ClusterError> {
        let found = call(
            || self.doing("looking at"),
            self.api.get_metadata_opt(self.name),
        );
        Ok(found.await?.map(|found| found.metadata))
    }

    /// All of it, where it is ours.
    async fn read(&self) -> Result<Option<Secret>, ClusterError> {
        let found = call(|| self.doing("reading"), self.api.get_opt(self.name)).await?;
        Ok(found.filter(|secret| self.mark.is_on(secret)))
    }

    async fn is_immutable(&self) -> Result<bool, ClusterError> {
        let found = self.read().await?;
        Ok(found.is_some_and(|secret| secret.immutable == Some(true)))
    }

    async fn replace(&self, secret: &Secret) -> Result<(), ClusterError> {
        let params = PostParams::default();
        let replaced = call(
            || self.doing("writing"),
            self.api.replace(self.name, &params, secret),
        );
        replaced.await.map(drop)
    }

    async fn delete(&self, found: &ObjectMeta) -> Result<(), ClusterError> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                resource_version: found.resource_version.clone(),
                uid: found.uid.clone(),
            }),
            ..DeleteParams::default()
        };
        let deleted = call(
            || self.doing("deleting"),
            self.api.delete(self.name, &params),
        );
        match deleted.await {
            Err(error) if error.is_gone() => Ok(()),
            other => other.map(drop),
        }
    }

    fn doing(&self, what: &str) -> String {
        format!(
            "{what} the Secret {}/{}",
            self.mark.mailbox.namespace, self.name
        )
    }
}

/// A change of what is in the Secret.
enum Change<'a> {
    Publish(&'a Contents),
    Withdraw,
}

impl Change<'_> {
    /// What the Secret says of its content afterwards.
    fn content(&self) -> &str {
        match self {
            Change::Publish(contents) => &contents.fingerprint,
            Change::Withdraw => WITHDRAWN,
        }
    }
}
