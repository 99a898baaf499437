//! What an admin installs: `deploy/` and the chart.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::lab::control_plane::program;
use crate::lab::{Lab, installed, until};

const CHART: &str = "charts/gmail-operator";
const NAME: &str = "gmail-operator";

/// What `deploy/` gives an operator beside its Deployment, for one in `namespace`: the Namespace, the ServiceAccount,
/// its roles and the admission policy, for `kubectl apply -f -`. What is cluster-wide gets the namespace into its
/// name, so that many can be installed beside each other.
pub fn manifests_for(namespace: &str) -> Result<String> {
    let mut rights = kustomize("deploy/base")?;
    rights.retain(|object| !matches!(text(&object["kind"]), "Deployment" | "Service"));
    for object in &mut rights {
        move_to(object, namespace);
    }
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": rights }).to_string())
}

fn move_to(object: &mut Value, namespace: &str) {
    let own_name = format!("{NAME}-{namespace}");
    let kind = text(&object["kind"]).to_owned();
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
            *by = json!(text(by).replace(&account(NAME), &account(namespace)));
        }
        _ => {}
    }
    for subject in object["subjects"].as_array_mut().into_iter().flatten() {
        subject["namespace"] = json!(namespace);
    }
}

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
    let apply = ["apply", "--filename=-"];
    lab.control_plane
        .kubectl_with_input(apply, &namespace.to_string())
        .await?;
    let samples = kustomize("deploy/samples")?;
    ensure!(samples.len() == 6, "{samples:#?}");
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
async fn the_chart_renders_what_deploy_has() -> Result<()> {
    let mut deploy = by_name(kustomize("deploy")?);
    // Helm makes the Namespace, or the admin.
    ensure!(deploy.remove("Namespace/gmail-operator").is_some());
    let chart = by_name(helm_template(&[])?);
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

#[tokio::test]
async fn the_chart_says_which_value_is_wrong() -> Result<()> {
    for (value, about) in [
        ("publicUrl=http://gmail.example.com", "publicUrl"),
        ("allowCidrs={10.1.0.0}", "allowCidrs"),
        ("allowEndpoints={mail.example.com}", "allowEndpoints"),
        ("logFormat=xml", "logFormat"),
        ("replicaCount=2", "replicaCount"),
    ] {
        match helm_template(&["--set", value]) {
            Err(error) => ensure!(error.to_string().contains(about), "{value}: {error}"),
            Ok(_) => anyhow::bail!("{value} is accepted"),
        }
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
        "crds.enabled=false,replicas=2",
    ])?);
    ensure!(chart.keys().all(|name| !name.starts_with("Custom")));
    let spec = &chart["Deployment/gmail-operator"]["spec"];
    ensure!(spec["replicas"] == 2);
    let wanted = json!([
        "run",
        "--public-url=https://gmail.example.com/mail",
        "--cluster-name=north",
        "--watch-namespace=a",
        "--watch-namespace=b",
        "--allow-endpoint=mail.example.com:993",
        "--allow-cidr=10.1.0.0/16",
        "--log-format=json",
        "--log-level=debug",
    ]);
    let args = &spec["template"]["spec"]["containers"][0]["args"];
    ensure!(*args == wanted, "{args:#}");
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
    let (release, chart) = ("chart-test", path(CHART));
    let at = ["--namespace", "chart-test", release];
    let install = [
        "install",
        chart.as_str(),
        "--create-namespace",
        // The kinds are there already.
        "--take-ownership",
    ];
    let helm = async |command: &[&str], at: &[&str]| {
        let (flags, name) = at.split_at(2);
        let args = command.iter().take(1).chain(name).chain(&command[1..]);
        lab.control_plane
            .helm(args.chain(flags).collect::<Vec<_>>())
            .await
    };
    let told = helm(&install, &at).await?;
    ensure!(told.contains("port-forward service/chart-test-gmail-operator 8080:80"), "{told}");
    let get = ["get", "deployment,validatingadmissionpolicy", "--output=name"];
    let get = get.iter().chain(&at[..2]);
    let there = lab.control_plane.kubectl(get.clone()).await?;
    ensure!(there.contains("deployment.apps/chart-test-gmail-operator"), "{there}");
    helm(&["uninstall"], &at).await?;
    until("the release to go", Duration::from_secs(30), async || {
        let left = lab.control_plane.kubectl(get.clone()).await?;
        Ok(!left.contains("chart-test-gmail-operator"))
    })
    .await?;
    let folder = path("crds");
    let kinds = ["get", "--output=name", "--filename", folder.as_str()];
    ensure!(lab.control_plane.kubectl(kinds).await?.lines().count() == 2);
    Ok(())
}

#[tokio::test]
async fn the_operator_writes_only_secrets_of_its_own_types() -> Result<()> {
    let lab = Lab::shared().await;
    let namespace = "op-own-types";
    let rights = manifests_for(namespace)?;
    let apply = ["apply", "--filename=-"];
    lab.control_plane.kubectl_with_input(apply, &rights).await?;
    let operator = format!("--as=system:serviceaccount:{namespace}:{NAME}");
    let secret = |name: &str, of_type: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "namespace": namespace },
            "type": of_type,
        })
        .to_string()
    };
    let write = async |verb: &str, who: &str, secret: &str| {
        let args = [verb, "--filename=-", who];
        lab.control_plane.kubectl_with_input(args, secret).await
    };
    let admin = "--as=system:admin";
    let admins = ["--as-group=system:masters"];
    let args = ["create", "--filename=-", admin, admins[0]];
    let foreign = secret("foreign", "Opaque");
    lab.control_plane.kubectl_with_input(args, &foreign).await?;

    // The API server takes a moment to know a policy.
    let other = secret("other", "Opaque");
    until("the policy", Duration::from_secs(30), async || {
        let args = ["create", "--dry-run=server", "--filename=-", &operator];
        Ok(lab.control_plane.kubectl_with_input(args, &other).await.is_err())
    })
    .await?;
    for (verb, object) in [("create", &other), ("replace", &foreign), ("delete", &foreign)] {
        match write(verb, &operator, object).await {
            Ok(_) => anyhow::bail!("{verb} of a foreign Secret is allowed"),
            Err(error) => ensure!(
                error.to_string().contains("this one is of type Opaque"),
                "{verb}: {error}"
            ),
        }
    }
    for of_type in ["gmail-operator.dev/grant", "gmail-operator.dev/web-key"] {
        let own = secret("own", of_type);
        for verb in ["create", "replace", "delete"] {
            write(verb, &operator, &own).await?;
        }
    }
    Ok(())
}

/// The objects of a kustomization.
fn kustomize(folder: &str) -> Result<Vec<Value>> {
    objects(&run("kubectl", &["kustomize", &path(folder)])?)
}

/// What the chart renders, as if Helm added nothing.
fn helm_template(more: &[&str]) -> Result<Vec<Value>> {
    let mut objects = rendered(more)?;
    objects.iter_mut().for_each(drop_what_helm_adds);
    Ok(objects)
}

fn rendered(more: &[&str]) -> Result<Vec<Value>> {
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

fn by_name(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let name = |o: &Value| format!("{}/{}", text(&o["kind"]), text(&o["metadata"]["name"]));
    objects.into_iter().map(|o| (name(&o), o)).collect()
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

fn is_kind(object: &Value) -> bool {
    text(&object["kind"]) == "CustomResourceDefinition"
}

fn objects(yaml: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml)?;
    Ok(documents.into_iter().filter(Value::is_object).collect())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn path(relative: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(relative).display().to_string()
}

/// Runs what needs no cluster.
fn run(name: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program(name)?)
        .args(args)
        .env_remove("KUBECONFIG")
        .output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}", complaint.trim());
    Ok(String::from_utf8(output.stdout)?)
}
