//! `gmail-operator check`, which `helm test` runs in a Pod, with no more rights than every account has.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::lab::operator::{Site, operator_binary};
use crate::lab::ports::free_port;
use crate::manifests::{by_name, rendered, text};

#[tokio::test]
async fn an_installation_that_answers_is_well_and_one_that_does_not_is_told_of() -> Result<()> {
    let mut site = Site::new("check").await?;
    site.start().await?;
    let account = site
        .lab
        .control_plane
        .kubeconfig_for(&site.namespace, "default");
    let account = account.await?;
    let ready = format!("--ready={}", site.ready_url());
    let page = format!("--connects=127.0.0.1:{}", site.web_port());
    check(&account, &[&ready, &page]).map_err(anyhow::Error::msg)?;

    let closed = free_port()?;
    let nobody = format!("--connects=127.0.0.1:{closed}");
    let metrics = format!("--ready=http://127.0.0.1:{closed}/readyz");
    let missing = format!("--ready={}/nothing", site.ready_url());
    for (asked, told) in [
        (&nobody, "takes no connection"),
        (&metrics, "does not answer"),
        (&missing, "answers 404"),
    ] {
        match check(&account, &[&ready, asked]) {
            Ok(()) => anyhow::bail!("{asked} is well"),
            Err(error) => ensure!(error.contains(told), "{asked}: {error}"),
        }
    }
    Ok(())
}

/// Runs it with the rights of `kubeconfig`; what it complains of is the error.
pub fn check(kubeconfig: &Path, asked: &[&str]) -> Result<(), String> {
    let binary = operator_binary().map_err(|error| error.to_string())?;
    let output = Command::new(binary)
        .env("KUBECONFIG", kubeconfig)
        .args(["check", "--within=0"])
        .args(asked)
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Its Pod asks the Services that there are, on ports that they have, and is none of the operator's own.
#[test]
fn the_test_of_the_chart_asks_its_own_services() -> Result<()> {
    for (values, scheme) in [
        ("replicas=1", "http"),
        (
            "tlsSecret=tls,publicUrl=https://a.example,web.separate=true",
            "https",
        ),
    ] {
        let chart = by_name(rendered(&["--set", values])?);
        let pod = &chart["Pod/gmail-operator-test"];
        let args = pod["spec"]["containers"][0]["args"].to_string();
        for (service, port, flag) in [
            ("gmail-operator-metrics", "telemetry", "--ready=http://"),
            ("gmail-operator", scheme, "--connects="),
        ] {
            let ports = &chart[&format!("Service/{service}")]["spec"]["ports"];
            ensure!(text(&ports[0]["name"]) == port, "{ports}");
            let asked = format!("{flag}{service}.gmail-operator.svc:{}", ports[0]["port"]);
            ensure!(args.contains(&asked), "{asked} is not in {args}");
        }
        for service in ["gmail-operator", "gmail-operator-metrics"] {
            let selector = &chart[&format!("Service/{service}")]["spec"]["selector"];
            let name = "app.kubernetes.io/name";
            ensure!(pod["metadata"]["labels"][name] != selector[name]);
        }
    }
    Ok(())
}

/// Where it is told who may come, the test may as well.
#[test]
fn the_network_policy_lets_the_test_in() -> Result<()> {
    let from = "networkPolicy.pageFrom[0].podSelector.matchLabels.a=b";
    let metrics = "networkPolicy.metricsFrom[0].podSelector.matchLabels.a=b";
    let chart = by_name(rendered(&["--set", from, "--set", metrics])?);
    let labels = &chart["Pod/gmail-operator-test"]["metadata"]["labels"];
    let ingress = &chart["NetworkPolicy/gmail-operator"]["spec"]["ingress"];
    let rules = ingress.as_array().context("no rules")?;
    ensure!(rules.len() == 2, "{ingress}");
    for rule in rules {
        let test = &rule["from"][1]["podSelector"]["matchLabels"];
        let wanted = test.as_object().into_iter().flatten();
        let mut count = 0;
        for (label, value) in wanted {
            ensure!(labels[label] == *value, "{label}");
            count += 1;
        }
        ensure!(count == 2, "{rule}");
    }
    Ok(())
}
