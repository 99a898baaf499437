use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
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
        .map(|mut crd| {
            for version in &mut crd.spec.versions {
                if let Some(schema) = version
                    .schema
                    .as_mut()
                    .and_then(|schema| schema.open_api_v3_schema.as_mut())
                {
                    unwrap_descriptions(schema);
                }
            }
            CrdFile {
                name: format!("{}.yaml", crd.spec.names.plural),
                crd,
            }
        })
        .collect()
}

/// Descriptions are doc comments, wrapped where the source is; kubectl explain wraps them again.
fn unwrap_descriptions(schema: &mut JSONSchemaProps) {
    if let Some(description) = &mut schema.description {
        let paragraphs = description
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "));
        *description = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
    schema
        .properties
        .iter_mut()
        .flatten()
        .for_each(|(_, property)| unwrap_descriptions(property));
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => unwrap_descriptions(items),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => {
            items.iter_mut().for_each(unwrap_descriptions)
        }
        None => {}
    }
}
