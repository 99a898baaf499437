//! The chart with the sign-in page in a Deployment of its own, and without anything in the cluster.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::manifests::{CHART, NAME, by_name, helm_template, path, rendered};

/// Each part has what belongs to it, and browsers reach the page alone.
#[test]
fn the_chart_separates_the_page_from_the_controller() -> Result<()> {
    let chart = by_name(helm_template(&[
        "--set",
        "web.separate=true,web.replicas=3,replicas=2,publicUrl=https://a.example,tlsSecret=tls",
    ])?);
    for (part, replicas) in [("controller", 2), ("web", 3)] {
        let name = format!("{NAME}-{part}");
        let deployment = &chart[&format!("Deployment/{name}")]["spec"];
        ensure!(deployment["replicas"] == replicas, "{name}");
        let pod = &deployment["template"];
        let labels = pod["metadata"]["labels"].clone();
        ensure!(labels["app.kubernetes.io/component"] == part);
        ensure!(pod["spec"]["serviceAccountName"] == name.as_str());
        ensure!(chart.contains_key(&format!("ServiceAccount/{name}")));
        let of_page = |args: &Value| args.to_string().contains("--tls-secret");
        let container = &pod["spec"]["containers"][0];
        ensure!(container["args"][1] == format!("--components={part}"));
        ensure!(of_page(&container["args"]) == (part == "web"));
        for (kind, selector) in [
            ("Deployment", "/selector/matchLabels"),
            ("PodDisruptionBudget", "/selector/matchLabels"),
            ("NetworkPolicy", "/podSelector/matchLabels"),
        ] {
            let object = &chart[&format!("{kind}/{name}")]["spec"];
            ensure!(object.pointer(selector) == Some(&labels), "{kind}/{name}");
        }
    }
    let web = &chart["NetworkPolicy/gmail-operator-web"]["spec"];
    ensure!(!web["egress"].to_string().contains("993"), "{web}");
    ensure!(web["ingress"].to_string().contains("http"), "{web}");
    let controller = &chart["NetworkPolicy/gmail-operator-controller"]["spec"];
    ensure!(
        !controller["ingress"].to_string().contains("http"),
        "{controller}"
    );
    ensure!(
        controller["egress"].to_string().contains("993"),
        "{controller}"
    );
    let page = &chart["Service/gmail-operator"]["spec"]["selector"];
    ensure!(page["app.kubernetes.io/component"] == "web");
    let metrics = &chart["Service/gmail-operator-metrics"]["spec"]["selector"];
    ensure!(metrics.get("app.kubernetes.io/component").is_none());
    let policy = chart["ValidatingAdmissionPolicy/gmail-operator"].to_string();
    for part in ["controller", "web"] {
        let account = format!("'system:serviceaccount:gmail-operator:gmail-operator-{part}'");
        ensure!(policy.contains(&account), "{policy}");
    }
    Ok(())
}

/// Who installs it needs rights in these namespaces alone.
#[test]
fn the_chart_can_do_without_anything_in_the_cluster() -> Result<()> {
    let values = path(CHART) + "/ci/named-namespaces-values.yaml";
    for object in rendered(&["--values", &values])? {
        let place = &object["metadata"]["namespace"];
        ensure!(
            place.is_string(),
            "{} {}",
            object["kind"],
            object["metadata"]["name"]
        );
    }
    Ok(())
}
