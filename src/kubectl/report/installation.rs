//! The operator itself: its Deployment and Pods, what they log, and what stands around them.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Pod, Secret};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{ListParams, LogParams};
use kube::core::CustomResourceExt;
use serde_json::{Value, json};

use super::document::{Document, MOST_OF_A_LOG, end_of};
use super::reader::{Kind, Reader};
use super::tenants::without_contents;
use crate::api::{GmailServerProfile, Mailbox};
use crate::kubectl::operator::OPERATOR_LABEL;

/// The container of the operator; `deploy/` and the chart both name it so.
const CONTAINER: &str = "gmail-operator";
/// So many lines are asked for of the end of a log.
const LINES: i64 = 2000;
/// The most bytes that are accepted of a log. The kubelet counts from the first of those lines, so with
/// fewer it would leave out the newest.
const BYTES: i64 = 16 << 20;
/// At most so many Pods' logs are read.
const PODS: usize = 10;
/// At most so many Secrets of the operator are listed.
const SECRETS: u32 = 1000;

/// What the CRDs say of their versions; their schemas are those of the release.
pub async fn crds(reader: &mut Reader) -> Vec<Document> {
    let kind = Kind::of::<CustomResourceDefinition>("CustomResourceDefinitions");
    let mut documents = Vec::new();
    for crd in [GmailServerProfile::crd_name(), Mailbox::crd_name()] {
        let found = reader.get(&kind, None, crd).await;
        documents.extend(found.as_ref().map(versions).map(Document::object));
    }
    documents
}

fn versions(crd: &Value) -> Value {
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array);
    let versions: Vec<Value> = versions
        .into_iter()
        .flatten()
        .map(|version| {
            json!({
                "name": version.get("name"),
                "served": version.get("served"),
                "storage": version.get("storage"),
            })
        })
        .collect();
    json!({
        "apiVersion": crd.get("apiVersion"),
        "kind": crd.get("kind"),
        "metadata": crd.get("metadata"),
        "spec": { "versions": versions },
        "status": {
            "conditions": crd.pointer("/status/conditions"),
            "storedVersions": crd.pointer("/status/storedVersions"),
        },
    })
}

/// Everything in the namespace of the operator.
pub async fn documents(reader: &mut Reader, namespace: &str) -> Vec<Document> {
    let place = Some(namespace);
    let all = ListParams::default;
    let ours = || ListParams::default().labels(OPERATOR_LABEL);
    let deployments = Kind::of::<Deployment>("Deployments");
    let mut objects = reader.list(&deployments, place, ours()).await;
    let pods = reader.list(&Kind::of::<Pod>("Pods"), place, ours()).await;
    objects.extend(pods.iter().cloned());
    let leases = Kind::of::<Lease>("Leases");
    objects.extend(reader.list(&leases, place, all()).await);
    let policies = Kind::of::<NetworkPolicy>("NetworkPolicies");
    objects.extend(reader.list(&policies, place, all()).await);
    let events = Kind::of::<Event>("Events");
    objects.extend(reader.list(&events, place, all()).await);
    let mut documents: Vec<Document> = objects.into_iter().map(Document::object).collect();
    documents.extend(secrets(reader, namespace).await);
    if pods.len() > PODS {
        let all = pods.len();
        reader.note(format!(
            "logs: only those of the first {PODS} of {all} Pods were read"
        ));
    }
    for pod in pods.iter().take(PODS) {
        documents.extend(logs(reader, namespace, pod).await);
    }
    documents
}

async fn secrets(reader: &mut Reader, namespace: &str) -> Option<Document> {
    let api: Api<Secret> = Api::namespaced(reader.client.clone(), namespace);
    let doing = format!("listing the names of the Secrets of the namespace {namespace}");
    let params = ListParams::default().limit(SECRETS);
    let listed = reader
        .read(doing.clone(), api.list_metadata(&params))
        .await?;
    if listed
        .metadata
        .continue_
        .is_some_and(|more| !more.is_empty())
    {
        reader.note(format!("{doing}: there are more than {SECRETS}"));
    }
    let secrets: Vec<Value> = listed.items.iter().map(without_contents).collect();
    Some(Document::new(
        "Secrets in the namespace of the operator: that they are there. Their contents were not asked for",
        json!({ "secrets": secrets }),
    ))
}

/// The end of the log of each life of the operator that its Pod still has.
async fn logs(reader: &mut Reader, namespace: &str, pod: &Value) -> Vec<Document> {
    let Some(name) = pod.pointer("/metadata/name").and_then(Value::as_str) else {
        return Vec::new();
    };
    let api: Api<Pod> = Api::namespaced(reader.client.clone(), namespace);
    let mut documents = Vec::new();
    for life in lives(pod) {
        let params = LogParams {
            container: Some(life.container.to_owned()),
            previous: life.is_over,
            tail_lines: Some(LINES),
            limit_bytes: Some(BYTES),
            ..LogParams::default()
        };
        let which = match life.is_over {
            true => "the log before its last restart",
            false => "the log",
        };
        let of = format!(
            "of the container {} of the Pod {namespace}/{name}",
            life.container
        );
        let doing = format!("reading {which} {of}");
        if let Some(log) = reader.read(doing, api.logs(name, &params)).await {
            let title =
                format!("The end of {which} {of}: at most {LINES} lines and {MOST_OF_A_LOG} bytes");
            documents.push(Document::log(&title, end_of(&log)));
        }
    }
    documents
}

/// One run of a container.
#[derive(Debug, Eq, PartialEq)]
struct Life<'a> {
    container: &'a str,
    is_over: bool,
}

/// Of the operator's container; of all, where none has its name.
fn lives(pod: &Value) -> Vec<Life<'_>> {
    let containers = |path| {
        let containers = pod.pointer(path).and_then(Value::as_array);
        containers.into_iter().flatten()
    };
    let names: Vec<&str> = containers("/spec/containers")
        .filter_map(|container| container.get("name")?.as_str())
        .collect();
    let has_ours = names.contains(&CONTAINER);
    let names = names
        .into_iter()
        .filter(|name| !has_ours || *name == CONTAINER);
    let restarted = |name: &str| {
        containers("/status/containerStatuses").any(|status| {
            let restarts = status.get("restartCount").and_then(Value::as_i64);
            status.get("name").and_then(Value::as_str) == Some(name) && restarts > Some(0)
        })
    };
    let lives = names.flat_map(|container| {
        let before = restarted(container).then_some(true);
        let all = before.into_iter().chain([false]);
        all.map(move |is_over| Life { container, is_over })
    });
    lives.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_own_log_is_read_and_the_one_before_a_restart() {
        let pod = |names: &[&str], restarts: i64| {
            let containers: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
            let statuses = names
                .iter()
                .map(|name| json!({ "name": name, "restartCount": restarts }));
            json!({
                "spec": { "containers": containers },
                "status": { "containerStatuses": statuses.collect::<Vec<_>>() },
            })
        };
        let life = |container, is_over| Life { container, is_over };
        for (pod, wanted) in [
            (
                pod(&["proxy", "gmail-operator"], 0),
                vec![life("gmail-operator", false)],
            ),
            (
                pod(&["gmail-operator"], 2),
                vec![life("gmail-operator", true), life("gmail-operator", false)],
            ),
            (
                pod(&["main", "proxy"], 0),
                vec![life("main", false), life("proxy", false)],
            ),
            (json!({}), vec![]),
        ] {
            assert_eq!(lives(&pod), wanted);
        }
    }

    #[test]
    fn of_a_crd_only_the_versions_are_told() {
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "mailboxes.gmail-operator.dev" },
            "spec": { "versions": [{ "name": "v1alpha1", "served": true, "storage": true, "schema": {} }] },
            "status": { "storedVersions": ["v1alpha1"], "conditions": [] },
        });
        let said = versions(&crd);
        assert_eq!(
            said.pointer("/spec"),
            Some(&json!({ "versions": [{ "name": "v1alpha1", "served": true, "storage": true }] }))
        );
        assert_eq!(
            said.pointer("/status/storedVersions/0"),
            Some(&json!("v1alpha1"))
        );
    }
}
