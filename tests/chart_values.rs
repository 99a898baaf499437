//! Each of the chart's combinations of values in `charts/gmail-operator/ci`, which chart-testing takes from there too.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::lab::apply::apply;
use crate::lab::installed;
use crate::manifests::{CHART, path, rendered, run, text};

const NAMESPACE: &str = "chart-values";

/// Whose kinds the lab's API server does not have.
const FOREIGN: [&str; 3] = [
    "cert-manager.io/",
    "gateway.networking.k8s.io/",
    "monitoring.coreos.com/",
];

#[tokio::test]
async fn every_combination_of_values_is_accepted() -> Result<()> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
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
    let mut foreign = Vec::new();
    for file in combinations()? {
        run(
            "helm",
            &["lint", "--strict", "--quiet", &chart, "--values", &file],
        )
        .with_context(|| file.clone())?;
        let objects = rendered(&["--namespace", NAMESPACE, "--values", &file])?;
        let (others, known): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_foreign);
        ensure!(
            known.iter().any(|object| object["kind"] == "Deployment"),
            "{file}"
        );
        foreign.extend(others.iter().map(|object| text(&object["kind"]).to_owned()));
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": known }).to_string();
        let dry_run = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--force-conflicts",
            "--field-manager=chart",
            "--filename=-",
        ];
        let tried = lab.control_plane.kubectl_with_input(dry_run, &list);
        tried.await.with_context(|| file.clone())?;
    }
    foreign.sort();
    foreign.dedup();
    ensure!(
        foreign
            == [
                "Certificate",
                "HTTPRoute",
                "PrometheusRule",
                "ServiceMonitor"
            ],
        "{foreign:?}"
    );
    Ok(())
}

fn is_foreign(object: &Value) -> bool {
    let version = text(&object["apiVersion"]);
    FOREIGN.iter().any(|group| version.starts_with(group))
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
