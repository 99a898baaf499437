//! The annotation that asks for a test.

use std::fmt::Debug;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api::{Mailbox, TEST_REQUESTED_ANNOTATION};
use crate::cluster::{ClusterError, call};
use crate::domain::name::ObjectName;

/// Who writes the annotation, in managedFields.
const MANAGER: &str = "kubectl-gmail";
/// So many objects are written at once.
const AT_ONCE: usize = 8;

/// A value that no request has had before: the present time, as finely as the clock tells it.
pub fn new_value() -> String {
    Timestamp::now().to_string()
}

/// Asks for a test of the object `name`, of the `kind`.
///
/// # Errors
/// The API server refuses it, or cannot be reached.
pub async fn ask<K>(
    client: &Client,
    kind: &str,
    name: &ObjectName,
    value: &str,
) -> Result<(), ClusterError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), &name.namespace);
    let params = PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let patch = json!({ "metadata": { "annotations": { TEST_REQUESTED_ANNOTATION: value } } });
    let patch = Patch::Merge(patch);
    let doing = || format!("asking for a test of the {kind} {name}");
    let asked = api.patch(&name.name, &params, &patch);
    call(doing, asked).await.map(drop)
}

/// Asks for a test of each of these Mailboxes.
///
/// # Errors
/// As [`ask`], for the first that meets one; others may have been asked for by then.
pub async fn ask_all(
    client: &Client,
    names: &[ObjectName],
    value: &str,
) -> Result<(), ClusterError> {
    let asked = names
        .iter()
        .map(|name| ask::<Mailbox>(client, "Mailbox", name, value));
    let asked = stream::iter(asked).buffer_unordered(AT_ONCE);
    asked.try_for_each(async |_| Ok(())).await
}
