use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use super::{GmailServerProfile, Mailbox};

/// One file of `crds/`.
pub struct CrdFile {
    /// The file's name.
    pub name: String,
    /// The definition.
    pub crd: CustomResourceDefinition,
}

/// Both definitions, as they are in `crds/`.
pub fn crds() -> Vec<CrdFile> {
    [GmailServerProfile::crd(), Mailbox::crd()]
        .into_iter()
        .map(|crd| CrdFile {
            name: format!("{}.yaml", crd.spec.names.plural),
            crd,
        })
        .collect()
}
