//! `deploy/` with each of its components is what the chart has with the same values.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use super::{by_name, helm_template, kustomize, path};

/// A component, and the same in the chart's values.
const COMPONENTS: [(&str, &str); 5] = [
    ("two-replicas", "replicas=2"),
    (
        "private-servers",
        "allowEndpoints={oauth.example.com:8443,mail.example.com:1993},allowCidrs={10.1.0.0/16}",
    ),
    (
        "proxies",
        "proxy.https=http://proxy.example.com:3128,proxy.mail=http://mail-proxy.example.com:3129,\
         proxy.noProxy={.corp.example.com,10.0.0.0/8}",
    ),
    (
        "own-tls",
        "publicUrl=https://gmail.example.com,tlsSecret=gmail-operator-tls",
    ),
    (
        "behind-a-proxy",
        "publicUrl=https://gmail.example.com,trustedProxies={10.1.2.0/24}",
    ),
];

#[test]
fn the_chart_renders_what_deploy_has() -> Result<()> {
    are_the_same(kustomize("deploy")?, helm_template(&[])?)
}

#[test]
fn each_component_is_what_the_chart_has_with_the_same_values() -> Result<()> {
    // TLS ends in one place: all but the last go together.
    let together = &COMPONENTS[..4];
    for components in COMPONENTS.chunks(1).chain([together]) {
        // The kinds are the same in each, and long.
        let mut values = vec!["--set", "crds.enabled=false"];
        values.extend(components.iter().flat_map(|(_, values)| ["--set", values]));
        let deploy = with_components(components)?;
        are_the_same(deploy, helm_template(&values)?).with_context(|| format!("{components:?}"))?;
    }
    Ok(())
}

#[test]
fn every_component_is_compared() -> Result<()> {
    let mut there = BTreeSet::new();
    for entry in fs::read_dir(path("deploy/components"))? {
        there.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    ensure!(there == COMPONENTS.map(|(name, _)| name.to_owned()).into());
    Ok(())
}

fn are_the_same(deploy: Vec<Value>, chart: Vec<Value>) -> Result<()> {
    let (mut deploy, chart) = (by_name(deploy), by_name(chart));
    // Helm makes the Namespace, or the admin.
    ensure!(deploy.remove("Namespace/gmail-operator").is_some());
    ensure!(
        chart.keys().eq(deploy.keys()),
        "{:#?} is not {:#?}",
        chart.keys(),
        deploy.keys()
    );
    for (name, object) in &deploy {
        let other = difference(&chart[name], object);
        ensure!(other.is_none(), "{name}, chart and deploy/: {other:?}");
    }
    Ok(())
}

/// What a kustomization of an admin's own has, beside a checkout.
fn with_components(components: &[(&str, &str)]) -> Result<Vec<Value>> {
    let own = tempfile::tempdir()?;
    symlink(path("deploy"), own.path().join("deploy"))?;
    let mut text = "resources: [deploy/base]\ncomponents:\n".to_owned();
    for (name, _) in components {
        text += &format!("  - deploy/components/{name}\n");
    }
    fs::write(own.path().join("kustomization.yaml"), text)?;
    kustomize(&own.path().display().to_string())
}

/// Where two values differ first. 1 and 1.0 are the same: kustomize and Helm write numbers each in their own way.
fn difference(a: &Value, b: &Value) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => a.keys().chain(b.keys()).find_map(|key| {
            let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
            difference(&of(a), &of(b)).map(|other| format!(".{key}{other}"))
        }),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let differences = a.iter().zip(b).map(|(a, b)| difference(a, b));
            let numbered = differences.enumerate();
            numbered
                .filter_map(|(at, other)| Some(format!("[{at}]{}", other?)))
                .next()
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        (a, b) => (a != b).then(|| format!(": {a} and {b}")),
    }
}
