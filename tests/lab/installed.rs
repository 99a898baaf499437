//! What an admin installs before the operator can run: the kinds, and its rights.

use anyhow::Result;
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::apply::apply;
use super::{Lab, lab_folder};

const NAME: &str = "gmail-operator";

/// The kinds, once for each lab.
pub async fn crds(lab: &Lab) -> Result<()> {
    static DONE: OnceCell<()> = OnceCell::const_new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    DONE.get_or_try_init(|| kinds(lab, folder)).await.map(drop)
}

/// Those of other programs of which the chart makes objects, once for each lab.
pub async fn foreign_kinds(lab: &Lab) -> Result<()> {
    static DONE: OnceCell<()> = OnceCell::const_new();
    let folder = lab_folder().join("kinds").display().to_string();
    DONE.get_or_try_init(|| kinds(lab, &folder)).await.map(drop)
}

async fn kinds(lab: &Lab, folder: &str) -> Result<()> {
    for verb in [
        vec!["apply", "--server-side"],
        vec!["wait", "--for=condition=Established", "--timeout=60s"],
    ] {
        let args = verb.into_iter().chain(["-f", folder]);
        lab.control_plane.kubectl(args).await?;
    }
    Ok(())
}

/// Installs what `deploy/` gives an operator beside its Deployment, for one in `namespace`: the Namespace, the
/// ServiceAccount, its roles and the admission policy. What is cluster-wide gets the namespace into
/// its name, so that many can be installed beside each other.
pub async fn rights(lab: &Lab, client: &Client, namespace: &str) -> Result<()> {
    let mut rights = deployed(lab).await?.clone();
    rights.retain(|object| {
        // The others are of people.
        object["metadata"]["name"] == NAME
            && object["kind"] != "Deployment"
            && object["kind"] != "Service"
    });
    for object in &mut rights {
        move_to(object, namespace);
        apply(client, object).await?;
    }
    Ok(())
}

/// The same with the chart's `values`, under the release name `namespace`, which is in the name of each account. Returns
/// what was installed.
pub async fn chart_rights(
    lab: &Lab,
    client: &Client,
    namespace: &str,
    values: &str,
) -> Result<Vec<Value>> {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/gmail-operator");
    let values = format!("crds.enabled=false,aggregatedRoles.enabled=false,{values}");
    let template = [
        "template",
        namespace,
        chart,
        "--namespace",
        namespace,
        "--set",
        &values,
    ];
    let yaml = lab.control_plane.helm(template).await?;
    let mut rights: Vec<Value> = serde_saphyr::from_multiple(&yaml)?;
    rights.retain(|object| {
        let kind = object["kind"].as_str().unwrap_or_default();
        kind == "ServiceAccount" || kind.contains("Role") || kind.starts_with("Validating")
    });
    for object in &rights {
        apply(client, object).await?;
    }
    Ok(rights)
}

/// All that `deploy/` has, rendered once.
async fn deployed(lab: &Lab) -> Result<&'static Vec<Value>> {
    static OBJECTS: OnceCell<Vec<Value>> = OnceCell::const_new();
    OBJECTS
        .get_or_try_init(|| async {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/base");
            let yaml = lab.control_plane.kubectl(["kustomize", folder]).await?;
            Ok(serde_saphyr::from_multiple(&yaml)?)
        })
        .await
}

fn move_to(object: &mut Value, namespace: &str) {
    let own_name = format!("{NAME}-{namespace}");
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let metadata = &mut object["metadata"];
    if kind == "Namespace" {
        metadata["name"] = json!(namespace);
    } else if metadata.get("namespace").is_some() {
        metadata["namespace"] = json!(namespace);
    } else {
        metadata["name"] = json!(own_name);
    }
    match kind.as_str() {
        "ClusterRoleBinding" => object["roleRef"]["name"] = json!(own_name),
        "ValidatingAdmissionPolicyBinding" => object["spec"]["policyName"] = json!(own_name),
        "ValidatingAdmissionPolicy" => {
            let by = &mut object["spec"]["matchConditions"][0]["expression"];
            let account = |namespace| format!("system:serviceaccount:{namespace}:");
            *by = json!(
                by.as_str()
                    .unwrap_or_default()
                    .replace(&account(NAME), &account(namespace))
            );
        }
        _ => {}
    }
    let subjects = object.get_mut("subjects").and_then(Value::as_array_mut);
    for subject in subjects.into_iter().flatten() {
        subject["namespace"] = json!(namespace);
    }
}
