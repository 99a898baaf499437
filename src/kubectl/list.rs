//! Objects of one kind, all of them.

use std::fmt::Debug;

use kube::api::ListParams;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use crate::cluster::{ClusterError, call};

/// So many objects are asked for at once.
const CHUNK: u32 = 500;

/// Lists the `kinds` of `namespace`, or of all of them, that have the labels of `selector`.
///
/// # Errors
/// [`ClusterError`], with what was being done.
pub async fn list<K>(
    api: Api<K>,
    kinds: &str,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> Result<Vec<K>, ClusterError>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let place = namespace.map_or_else(
        || "all namespaces".to_owned(),
        |namespace| format!("the namespace {namespace}"),
    );
    let mut all = Vec::new();
    let mut params = ListParams::default().limit(CHUNK);
    if let Some(selector) = selector {
        params = params.labels(selector);
    }
    loop {
        let doing = || format!("listing the {kinds} of {place}");
        let listed = call(doing, api.list(&params)).await?;
        all.extend(listed.items);
        match listed.metadata.continue_.filter(|more| !more.is_empty()) {
            Some(more) => params = params.continue_token(&more),
            None => return Ok(all),
        }
    }
}
