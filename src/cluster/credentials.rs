//! The Secret with a profile's OAuth client.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::{ClusterError, call};
use crate::api::{OAuthClientSpec, SecretKeyRef};
use crate::domain::oauth_client::OAuthClient;

/// Why there is no usable OAuth client.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The spec names none.
    #[error("spec.oauthClient names no Secret")]
    NotNamed,
    /// The Secret or the key is not there.
    #[error("{0}")]
    Missing(String),
    /// What is there is not usable.
    #[error("{0}")]
    Bad(String),
    /// It could not be read.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Reads the OAuth client of a profile in `namespace`, by name.
///
/// # Errors
/// [`CredentialsError`]; says nothing of the value.
pub async fn read(
    client: &Client,
    namespace: &str,
    spec: Option<&OAuthClientSpec>,
) -> Result<OAuthClient, CredentialsError> {
    let spec = spec.ok_or(CredentialsError::NotNamed)?;
    let (reference, id) = match (
        &spec.credentials_secret_ref,
        &spec.client_id,
        &spec.client_secret_ref,
    ) {
        (Some(file), _, _) => (file, None),
        (None, Some(id), Some(secret)) => (secret, Some(id)),
        _ => return Err(CredentialsError::NotNamed),
    };
    let value = value(client, namespace, reference).await?;
    let parsed = match id {
        None => OAuthClient::from_json(&value),
        Some(id) => OAuthClient::from_id_and_secret(id, &value),
    };
    parsed.map_err(|bad| {
        CredentialsError::Bad(format!(
            "the key {} of the Secret {namespace}/{}: {bad}",
            reference.key, reference.name
        ))
    })
}

async fn value(
    client: &Client,
    namespace: &str,
    reference: &SecretKeyRef,
) -> Result<Vec<u8>, CredentialsError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let SecretKeyRef { name, key } = reference;
    let secret = call(
        || format!("reading the Secret {namespace}/{name}"),
        secrets.get_opt(&name.0),
    )
    .await?;
    let Some(secret) = secret else {
        return Err(CredentialsError::Missing(format!(
            "there is no Secret {namespace}/{name}"
        )));
    };
    let mut data = secret.data.unwrap_or_default();
    match data.remove(key) {
        Some(value) if !value.0.is_empty() => Ok(value.0),
        Some(_) => Err(CredentialsError::Missing(format!(
            "the key {key} of the Secret {namespace}/{name} is empty"
        ))),
        None => Err(CredentialsError::Missing(format!(
            "the Secret {namespace}/{name} has no key {key}"
        ))),
    }
}
