//! Which Mailboxes are meant.

use std::collections::BTreeSet;

use kube::{Api, Client, ResourceExt};

use crate::api::Mailbox;
use crate::domain::name::ObjectName;
use crate::kubectl::error::CommandError;
use crate::kubectl::list::list;
use crate::kubectl::mailbox::read;

/// How they were named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Chosen {
    /// One by one.
    Named(BTreeSet<String>),
    /// By a label selector.
    Selected(String),
    /// All of the namespace.
    All,
}

impl Chosen {
    /// The label selector that covers them; `None`: they have none in common.
    pub fn selector(&self) -> Option<&str> {
        match self {
            Chosen::Selected(selector) => Some(selector),
            Chosen::Named(_) | Chosen::All => None,
        }
    }

    /// Reads them, in the order of their names.
    ///
    /// # Errors
    /// One that was named is not there, none is there, or they may not be read.
    pub async fn read(
        &self,
        client: &Client,
        namespace: &str,
    ) -> Result<Vec<Mailbox>, CommandError> {
        let mut found = Vec::new();
        if let Chosen::Named(names) = self {
            for name in names {
                found.push(read(client, &ObjectName::new(namespace, name)).await?);
            }
            return Ok(found);
        }
        let api: Api<Mailbox> = Api::namespaced(client.clone(), namespace);
        found = list(api, "Mailboxes", Some(namespace), self.selector()).await?;
        found.sort_by_key(ResourceExt::name_any);
        match (found.is_empty(), self.selector()) {
            (false, _) => Ok(found),
            (true, Some(selector)) => Err(CommandError::Failed(format!(
                "no Mailbox in the namespace {namespace} has the labels {selector}: `kubectl get mailboxes --show-labels` lists what there is"
            ))),
            (true, None) => Err(CommandError::Failed(format!(
                "there are no Mailboxes in the namespace {namespace}"
            ))),
        }
    }
}
