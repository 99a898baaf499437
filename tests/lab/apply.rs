//! Applying manifests, as `kubectl apply` does, without starting kubectl for each: that reads the API server's whole
//! description of itself every time, which is most of what a test would cost.

use anyhow::{Context, Result};
use kube::api::{DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;

/// Applies an object, or each of a `List`; unknown fields are refused.
pub async fn apply(client: &Client, manifest: &Value) -> Result<()> {
    match manifest["items"].as_array() {
        Some(items) => {
            for item in items {
                apply_one(client, item).await?;
            }
            Ok(())
        }
        None => apply_one(client, manifest).await,
    }
}

async fn apply_one(client: &Client, manifest: &Value) -> Result<()> {
    let object: DynamicObject = serde_json::from_value(manifest.clone())?;
    let types = object.types.as_ref().context("it has no kind")?;
    let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types)?);
    let api: Api<DynamicObject> = match object.namespace() {
        Some(namespace) => Api::namespaced_with(client.clone(), &namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let mut params = PatchParams::apply("admin").force();
    params.field_validation = Some(ValidationDirective::Strict);
    let name = object.name_any();
    api.patch(&name, &params, &Patch::Apply(&object))
        .await
        .with_context(|| format!("{} {name}", types.kind))?;
    Ok(())
}
