//! What an admin installs: `deploy/` and the chart.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::lab::apply::apply;
use crate::lab::control_plane::program;
use crate::lab::{Lab, installed, until};

mod components;
mod refused;
mod rights;

pub(crate) const CHART: &str = "charts/gmail-operator";
pub(crate) const NAME: &str = "gmail-operator";

#[tokio::test]
async fn deploy_is_accepted_as_it_is() -> Result<()> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
    let deploy = path("deploy");
    let applied = ["apply", "--server-side", "--kustomize", deploy.as_str()];
    let told = lab.control_plane.kubectl(applied).await?;
    ensure!(told.contains("deployment.apps/gmail-operator"), "{told}");
    // The API server accepts a Deployment whose pods its own Pod Security then refuses.
    let deploy = by_name(kustomize("deploy/base")?);
    let template = &deploy["Deployment/gmail-operator"]["spec"]["template"];
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": NAME, "namespace": NAME, "labels": template["metadata"]["labels"] },
        "spec": template["spec"],
    });
    let dry_run = ["create", "--dry-run=server", "--filename=-"];
    let pod = pod.to_string();
    let tried = lab.control_plane.kubectl_with_input(dry_run, &pod).await;
    tried.map(drop).context("such a pod is refused")
}

#[tokio::test]
async fn the_samples_are_accepted() -> Result<()> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "samples-are-accepted" } });
    apply(&lab.control_plane.admin().await?, &namespace).await?;
    let mut samples = kustomize("deploy/samples")?;
    samples.extend(kustomize("deploy/samples/workload")?);
    ensure!(samples.len() == 9, "{samples:#?}");
    for mut sample in samples {
        // Only tried, and out of the way: a shared default profile would serve the mailboxes of other tests.
        if text(&sample["kind"]) != "Namespace" {
            sample["metadata"]["namespace"] = namespace["metadata"]["name"].clone();
        }
        let apply = ["apply", "--server-side", "--dry-run=server", "--filename=-"];
        lab.control_plane
            .kubectl_with_input(apply, &sample.to_string())
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_chart_passes_its_values_on() -> Result<()> {
    let chart = by_name(helm_template(&[
        "--set",
        "publicUrl=https://gmail.example.com/mail,clusterName=north,watchNamespaces={a,b}",
        "--set",
        "allowEndpoints={mail.example.com:993},allowCidrs={10.1.0.0/16},logFormat=json,logLevel=debug",
        "--set",
        "crds.enabled=false,replicas=2,tlsSecret=tls,trustedProxies={10.2.0.0/16,fd00::/64}",
        "--set",
        "rbac.clusterWide=false,extraArgs={--forwarded-port=8426},extraEnv[0].name=LEVEL,extraEnv[0].value=high",
    ])?);
    ensure!(chart.keys().all(|name| !name.starts_with("Custom")));
    let spec = &chart["Deployment/gmail-operator"]["spec"];
    ensure!(spec["replicas"] == 2);
    let wanted = json!([
        "run",
        "--public-url=https://gmail.example.com/mail",
        "--tls-secret=tls",
        "--trusted-proxies=10.2.0.0/16",
        "--trusted-proxies=fd00::/64",
        "--cluster-name=north",
        "--watch-namespace=a",
        "--watch-namespace=b",
        "--roles-only",
        "--allow-endpoint=mail.example.com:993",
        "--allow-cidr=10.1.0.0/16",
        "--log-format=json",
        "--log-level=debug",
        "--forwarded-port=8426",
    ]);
    let container = &spec["template"]["spec"]["containers"][0];
    ensure!(container["args"] == wanted, "{:#}", container["args"]);
    ensure!(container["env"][2] == json!({ "name": "LEVEL", "value": "high" }));
    ensure!(chart["Service/gmail-operator"]["spec"]["ports"][0]["port"] == 443);
    Ok(())
}

#[tokio::test]
async fn the_chart_leads_the_public_url_to_the_page() -> Result<()> {
    let way = [
        "--set",
        "publicUrl=https://WWW.example.com/gmail,replicas=2",
        "--set",
        "ingress.enabled=true,ingress.className=nginx,ingress.tlsSecret=edge",
        "--set",
        "httpRoute.enabled=true,httpRoute.parentRefs[0].name=public",
        "--set",
        "certificate.enabled=true,certificate.issuerRef.name=letsencrypt",
    ];
    let chart = by_name(helm_template(&way)?);
    let ingress = &chart["Ingress/gmail-operator"]["spec"];
    ensure!(ingress["tls"][0] == json!({ "hosts": ["www.example.com"], "secretName": "edge" }));
    let rule = &ingress["rules"][0];
    ensure!(rule["host"] == "www.example.com" && rule["http"]["paths"][0]["path"] == "/gmail");
    let route = &chart["HTTPRoute/gmail-operator"]["spec"];
    ensure!(route["hostnames"] == json!(["www.example.com"]));
    // TLS has ended: what is behind speaks plain HTTP.
    let ports = &chart["Service/gmail-operator"]["spec"]["ports"];
    ensure!(ports[0]["name"] == "http" && ports[0]["port"] == 80);
    let behind = &rule["http"]["paths"][0]["backend"]["service"]["port"];
    ensure!(behind["name"] == "http", "{ingress}");
    ensure!(route["rules"][0]["backendRefs"][0]["port"] == 80, "{route}");
    let certificate = &chart["Certificate/gmail-operator"]["spec"];
    ensure!(certificate["secretName"] == "edge");
    ensure!(certificate["dnsNames"] == json!(["www.example.com"]));
    ensure!(chart.contains_key("PodDisruptionBudget/gmail-operator"));
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_its_own_goes_to_the_operator() -> Result<()> {
    let chart = by_name(helm_template(&[
        "--set",
        "publicUrl=https://www.example.com,tlsSecret=tls,ingress.tlsSecret=unused",
        "--set",
        "certificate.enabled=true,certificate.issuerRef.name=letsencrypt",
    ])?);
    let certificate = &chart["Certificate/gmail-operator"]["spec"];
    ensure!(certificate["secretName"] == "tls", "{certificate}");
    ensure!(chart["Service/gmail-operator"]["spec"]["ports"][0]["port"] == 443);
    Ok(())
}

/// As long as Helm lets a release's name be, and as a name may be.
#[tokio::test]
async fn a_long_release_has_names_that_fit() -> Result<()> {
    let long = ["r".repeat(53), format!("{}-gmail-operator", "r".repeat(38))];
    let together = "web.separate=false";
    let apart = "web.separate=true,rbac.clusterWide=false,watchNamespaces={a}";
    for (release, values) in long
        .iter()
        .flat_map(|release| [(release, together), (release, apart)])
    {
        let chart = path(CHART);
        let rendered = objects(&run(
            "helm",
            &["template", release, &chart, "--set", values],
        )?)?;
        let names: Vec<_> = rendered
            .iter()
            .filter(|object| !is_kind(object))
            .map(|object| (text(&object["kind"]), text(&object["metadata"]["name"])))
            .collect();
        let metrics = names.iter().any(|(_, name)| name.ends_with("-metrics"));
        ensure!(metrics, "{names:?}");
        for (kind, name) in names {
            ensure!(name.len() <= 63 && !name.contains("--"), "{kind} {name}");
        }
    }
    Ok(())
}

/// The operator may be let out to what a profile may name, and to no other port.
#[tokio::test]
async fn the_network_policy_follows_the_allowed_endpoints() -> Result<()> {
    let ports = |more: &[&str]| -> Result<Vec<i64>> {
        let chart = by_name(helm_template(more)?);
        let rules = chart["NetworkPolicy/gmail-operator"]["spec"]["egress"].clone();
        let rules = rules.as_array().cloned().unwrap_or_default();
        let ports = rules
            .iter()
            .flat_map(|rule| rule["ports"].as_array().cloned().unwrap_or_default());
        Ok(ports.filter_map(|port| port["port"].as_i64()).collect())
    };
    let always = [
        53, 53, 5353, 5353, 443, 6443, 8443, 16443, 993, 995, 465, 587,
    ];
    ensure!(ports(&[])? == always);
    let more = ports(&[
        "--set",
        "allowEndpoints={mail.example.com:1993,[fd00::1]:2525,mail2:0993},proxy.mail=http://p:03128/",
    ])?;
    ensure!(more[always.len()..] == [1993, 2525, 993, 3128], "{more:?}");
    let off = by_name(helm_template(&["--set", "networkPolicy.enabled=false"])?);
    ensure!(!off.contains_key("NetworkPolicy/gmail-operator"));
    Ok(())
}

#[tokio::test]
async fn the_chart_is_installed_and_leaves_the_kinds_behind() -> Result<()> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
    // Without this, uninstalling would take the kinds away from all other tests.
    let kinds = rendered(&[])?;
    let kinds: Vec<_> = kinds.iter().filter(|o| is_kind(o)).collect();
    ensure!(kinds.len() == 2);
    for kind in kinds {
        ensure!(kind["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep");
    }
    let chart = path(CHART);
    let install = [
        "install",
        "chart-test",
        chart.as_str(),
        "--namespace=chart-test",
        "--create-namespace",
        // The kinds are there already.
        "--take-ownership",
    ];
    let told = lab.control_plane.helm(install).await?;
    ensure!(
        told.contains(
            "kubectl gmail link MAILBOX --port-forward --open --operator-namespace chart-test"
        ),
        "{told}"
    );
    let get = [
        "get",
        "deployments,clusterroles,validatingadmissionpolicies",
        "--namespace=chart-test",
        "--output=name",
    ];
    let installed = async || {
        let there = lab.control_plane.kubectl(get).await?;
        Ok::<_, anyhow::Error>(there.matches("/chart-test-gmail-operator").count())
    };
    // Its own role, and those of people.
    ensure!(installed().await? == 6);
    let uninstall = ["uninstall", "chart-test", "--namespace=chart-test"];
    lab.control_plane.helm(uninstall).await?;
    until("the release to go", Duration::from_secs(30), async || {
        Ok(installed().await? == 0)
    })
    .await?;
    let folder = path("crds");
    let kinds = ["get", "--output=name", "--filename", folder.as_str()];
    let left = lab.control_plane.kubectl(kinds).await?;
    ensure!(left.lines().count() == 2, "{left}");
    Ok(())
}

/// The objects of a kustomization.
fn kustomize(folder: &str) -> Result<Vec<Value>> {
    objects(&run("kubectl", &["kustomize", &path(folder)])?)
}

/// What the chart renders, as if Helm added nothing.
pub fn helm_template(more: &[&str]) -> Result<Vec<Value>> {
    let more: Vec<&str> = more.iter().copied().chain(["--skip-tests"]).collect();
    let mut objects = rendered(&more)?;
    objects.iter_mut().for_each(drop_what_helm_adds);
    Ok(objects)
}

pub(crate) fn rendered(more: &[&str]) -> Result<Vec<Value>> {
    let chart = path(CHART);
    let mut args = vec!["template", NAME, &chart, "--namespace", NAME];
    args.extend(more);
    objects(&run("helm", &args)?)
}

fn drop_what_helm_adds(object: &mut Value) {
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return;
    };
    for field in ["labels", "annotations"] {
        let Some(map) = metadata.get_mut(field).and_then(Value::as_object_mut) else {
            continue;
        };
        map.retain(|key, _| {
            !key.starts_with("helm.sh/")
                && key != "app.kubernetes.io/managed-by"
                && key != "app.kubernetes.io/version"
        });
        if map.is_empty() {
            metadata.remove(field);
        }
    }
}

pub fn by_name(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let name = |o: &Value| format!("{}/{}", text(&o["kind"]), text(&o["metadata"]["name"]));
    objects.into_iter().map(|o| (name(&o), o)).collect()
}

/// Whether the API server would take an object, or a List of them, down to each field.
pub(crate) async fn dry_run(lab: &Lab, object: &Value) -> Result<()> {
    let args = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--force-conflicts",
        "--field-manager=dry-run",
        "--filename=-",
    ];
    let object = object.to_string();
    let tried = lab.control_plane.kubectl_with_input(args, &object);
    tried.await.map(drop)
}

fn is_kind(object: &Value) -> bool {
    text(&object["kind"]) == "CustomResourceDefinition"
}

fn objects(yaml: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml)?;
    Ok(documents.into_iter().filter(Value::is_object).collect())
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn path(relative: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(relative).display().to_string()
}

/// Runs what needs no cluster.
pub(crate) fn run(name: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program(name)?)
        .args(args)
        .env_remove("KUBECONFIG")
        .output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}", complaint.trim());
    Ok(String::from_utf8(output.stdout)?)
}
