//! The operator's Pod, and the way to it through the API server.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::cluster::call;
use crate::kubectl::error::CommandError;
use crate::kubectl::operator::OPERATOR_LABEL;

/// The container port of the sign-in page; `deploy/` and the chart both name it so.
const PORT_NAME: &str = "http";
/// At most so many Pods are looked at.
const PODS: u32 = 100;
/// The verbs that a port-forward needs: it begins with a GET, which new API servers let only those
/// do who may create one as well.
const VERBS: [&str; 2] = ["get", "create"];

/// The operator's Pods.
#[derive(Clone)]
pub struct Operator {
    client: Client,
    namespace: String,
}

/// A Pod that serves the sign-in page.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Target {
    pod: String,
    port: u16,
}

impl Operator {
    /// Those in `namespace`.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
        }
    }

    /// Whether there is one, and whoever asks may forward a port to it.
    ///
    /// # Errors
    /// What is missing, and whom to ask for it.
    pub async fn check(&self) -> Result<(), CommandError> {
        self.target().await?;
        for verb in VERBS {
            if !self.may(verb).await? {
                return Err(self.lacks(&format!(
                    "you may not {verb} pods/portforward in the namespace {}",
                    self.namespace
                )));
            }
        }
        Ok(())
    }

    /// A new connection to the sign-in page. The Pod is looked for each time: it may have been replaced.
    ///
    /// # Errors
    /// There is no way to it now.
    pub async fn dial(&self) -> Result<impl AsyncRead + AsyncWrite + Unpin + use<>, CommandError> {
        let Target { pod, port } = self.target().await?;
        let doing = || format!("forwarding a port to the Pod {}/{pod}", self.namespace);
        let pods = self.pods();
        let mut forwarder = call(doing, pods.portforward(&pod, &[port])).await?;
        forwarder
            .take_stream(port)
            .ok_or_else(|| CommandError::Failed(format!("{}: it was not opened", doing())))
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn target(&self) -> Result<Target, CommandError> {
        let params = ListParams::default().labels(OPERATOR_LABEL).limit(PODS);
        let doing = || format!("listing the Pods of the namespace {}", self.namespace);
        let pods = match call(doing, self.pods().list(&params)).await {
            Err(error) if error.is_forbidden() => return Err(self.lacks(&error.to_string())),
            listed => listed?.items,
        };
        pods.iter().find_map(target).ok_or_else(|| {
            CommandError::Failed(match pods.len() {
                0 => format!(
                    "there is no Pod of the operator (label {OPERATOR_LABEL}) in the namespace {}: give its own with --operator-namespace",
                    self.namespace
                ),
                n => format!(
                    "none of the operator's {n} Pods in the namespace {} is Ready and serves the sign-in page (a container port named {PORT_NAME}): `kubectl get pods --namespace {} --selector {OPERATOR_LABEL}` shows how they are",
                    self.namespace, self.namespace
                ),
            })
        })
    }

    async fn may(&self, verb: &str) -> Result<bool, CommandError> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let asked = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    namespace: Some(self.namespace.clone()),
                    verb: Some(verb.to_owned()),
                    resource: Some("pods".to_owned()),
                    subresource: Some("portforward".to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let doing = || "asking whether you may forward ports".to_owned();
        let answer = call(doing, reviews.create(&PostParams::default(), &asked)).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    fn lacks(&self, why: &str) -> CommandError {
        CommandError::Failed(format!(
            "{why}. Ask a cluster admin for a Role in the namespace {} with these rules:\n\
             \x20 - {{ apiGroups: [\"\"], resources: [pods], verbs: [list] }}\n\
             \x20 - {{ apiGroups: [\"\"], resources: [pods/portforward], verbs: [{}] }}",
            self.namespace,
            VERBS.join(", ")
        ))
    }
}

/// Where `pod` serves the sign-in page, if it does so now.
fn target(pod: &Pod) -> Option<Target> {
    let status = pod.status.as_ref()?;
    let mut conditions = status.conditions.iter().flatten();
    let ready = conditions.any(|c| c.type_ == "Ready" && c.status == "True");
    if !ready || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let containers = &pod.spec.as_ref()?.containers;
    let mut ports = containers.iter().flat_map(|c| c.ports.iter().flatten());
    let port = ports.find(|port| port.name.as_deref() == Some(PORT_NAME))?;
    Some(Target {
        pod: pod.name_any(),
        port: u16::try_from(port.container_port).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_a_pod_that_serves_the_page_now_is_used() {
        type Change = fn(&mut Value);
        let cases: [(Change, bool); 5] = [
            (|_| (), true),
            (
                |pod| pod["status"]["conditions"][0]["status"] = json!("False"),
                false,
            ),
            (|pod| pod["status"] = Value::Null, false),
            (
                |pod| pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
                false,
            ),
            (
                |pod| pod["spec"]["containers"][1]["ports"][0]["name"] = json!("x"),
                false,
            ),
        ];
        for (change, serves) in cases {
            let mut pod = json!({
                "metadata": { "name": "gmail-operator-1" },
                "spec": { "containers": [
                    { "name": "sidecar" },
                    { "name": "gmail-operator", "ports": [
                        { "name": "http", "containerPort": 8080 },
                        { "name": "telemetry", "containerPort": 8081 },
                    ] },
                ] },
                "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
            });
            change(&mut pod);
            let pod: Pod = serde_json::from_value(pod).unwrap_or_else(|e| panic!("{e}"));
            let wanted = serves.then(|| Target {
                pod: "gmail-operator-1".to_owned(),
                port: 8080,
            });
            assert_eq!(target(&pod), wanted);
        }
    }
}
