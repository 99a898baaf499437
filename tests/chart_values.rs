//! Each of the chart's combinations of values in `charts/gmail-operator/ci`, which chart-testing takes from there too.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::lab::Lab;
use crate::lab::apply::apply;
use crate::lab::installed;
use crate::manifests::{CHART, dry_run, path, rendered, run, text};

const NAMESPACE: &str = "chart-values";

/// Kinds of other programs, each of which some combination has.
const FOREIGN: [&str; 4] = [
    "Certificate",
    "HTTPRoute",
    "PrometheusRule",
    "ServiceMonitor",
];

#[tokio::test]
async fn every_combination_of_values_is_accepted() -> Result<()> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
    installed::foreign_kinds(lab).await?;
    // Its own, and those that the combinations name.
    let admin = lab.control_plane.admin().await?;
    for name in [NAMESPACE, "gmail-operator", "crm", "sales"] {
        // The Pod of helm test is refused where it asks for more than that.
        let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
        let home = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels },
        });
        apply(&admin, &home).await?;
    }
    let chart = path(CHART);
    let mut foreign = BTreeMap::new();
    for file in combinations()? {
        run(
            "helm",
            &["lint", "--strict", "--quiet", &chart, "--values", &file],
        )
        .with_context(|| file.clone())?;
        let objects = rendered(&["--namespace", NAMESPACE, "--values", &file])?;
        ensure!(
            objects.iter().any(|object| object["kind"] == "Deployment"),
            "{file}"
        );
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        dry_run(lab, &list).await.with_context(|| file.clone())?;
        foreign.extend(objects.into_iter().filter_map(|object| {
            let kind = text(&object["kind"]).to_owned();
            FOREIGN.contains(&kind.as_str()).then_some((kind, object))
        }));
    }
    ensure!(foreign.keys().eq(FOREIGN), "{:?}", foreign.keys());
    for (kind, mut object) in foreign {
        object["spec"]["noSuchField"] = json!({});
        let told = dry_run(lab, &object)
            .await
            .err()
            .map(|error| error.to_string());
        let is_refused = told
            .as_ref()
            .is_some_and(|told| told.contains("noSuchField"));
        ensure!(is_refused, "a wrong field of {kind} passes: {told:?}");
    }
    Ok(())
}

fn combinations() -> Result<Vec<String>> {
    let folder = path(CHART) + "/ci";
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name().into_string();
        let name = name
            .ok()
            .with_context(|| format!("a strange name in {folder}"))?;
        ensure!(
            name.ends_with("-values.yaml"),
            "chart-testing does not take {name}"
        );
        files.push(format!("{folder}/{name}"));
    }
    ensure!(!files.is_empty(), "{folder} is empty");
    files.sort();
    Ok(files)
}
