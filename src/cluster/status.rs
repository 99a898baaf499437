//! Status writes by server-side apply.

use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde::Serialize;
use serde::de::Error as _;
use serde_json::json;

use super::watched::{Parts, Watched};
use super::{ClusterError, call};

/// The field manager of all that the controller writes.
pub const CONTROLLER: &str = "gmail-operator-controller";
/// The field manager of what the web writes: `signIn.lastAttempt`. Two writers never share a
/// manager, since each apply drops what it did not send.
pub const WEB: &str = "gmail-operator-web";

/// Applies `status` as what `manager` says of `object`, and returns what is stored then.
///
/// # Errors
/// [`ClusterError`]; a Mailbox that is gone answers 404.
pub async fn apply<K, S>(
    client: &Client,
    object: &K,
    status: &S,
    manager: &str,
) -> Result<K, ClusterError>
where
    K: Parts<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug,
    S: Serialize,
{
    let name = object.name_any();
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<Watched<K>> = Api::namespaced(client.clone(), &namespace);
    // The uid makes it fail, rather than create a status, for an object that was made anew.
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": { "name": name, "uid": object.meta().uid },
        "status": status,
    });
    let params = PatchParams::apply(manager).force();
    let doing = || format!("writing the status of {namespace}/{name}");
    let written = call(
        doing,
        api.patch_status(&name, &params, &Patch::Apply(&patch)),
    )
    .await?;
    written.0.map_err(|invalid| ClusterError::Api {
        doing: doing(),
        source: Box::new(kube::Error::SerdeError(serde_json::Error::custom(invalid))),
    })
}
