//! The Secret with a profile's OAuth client.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::{ClusterError, call};
use crate::api::{OAuthClientSpec, Reason, SecretKeyRef};
use crate::domain::oauth_client::{BadCredentials, OAuthClient};

/// How many keys of a Secret are named in a message.
const KEYS_NAMED: usize = 8;

/// Why there is no usable OAuth client.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The spec names none.
    #[error("spec.oauthClient names no Secret")]
    NotNamed,
    /// It is not there, may not be read, or is not usable.
    #[error("{detail}")]
    Unusable {
        /// The reason of the condition.
        reason: Reason,
        /// Where, what is wrong and what to do. Says nothing of the value.
        detail: String,
    },
    /// It could not be read now.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Where a spec says that its OAuth client is.
enum Named<'a> {
    /// The file that Google's console downloads.
    File(&'a SecretKeyRef),
    /// An ID, and a secret.
    Pair(&'a str, &'a SecretKeyRef),
}

impl<'a> Named<'a> {
    fn by(spec: &'a OAuthClientSpec) -> Option<Self> {
        match (
            &spec.credentials_secret_ref,
            &spec.client_id,
            &spec.client_secret_ref,
        ) {
            (Some(file), _, _) => Some(Self::File(file)),
            (None, Some(id), Some(secret)) => Some(Self::Pair(id, secret)),
            _ => None,
        }
    }

    fn key(&self) -> &'a SecretKeyRef {
        match self {
            Self::File(key) | Self::Pair(_, key) => key,
        }
    }

    /// The command that makes the Secret.
    fn command(&self, namespace: &str) -> String {
        let SecretKeyRef { name, key } = self.key();
        let value = match self {
            Self::File(_) => {
                format!("--from-file={key}=FILE, with the JSON that Google's console downloads")
            }
            Self::Pair(..) => format!("--from-literal={key}=SECRET"),
        };
        format!("kubectl -n {namespace} create secret generic {name} {value}")
    }

    /// The field that names the key.
    fn field(&self) -> &'static str {
        match self {
            Self::File(_) => "spec.oauthClient.credentialsSecretRef.key",
            Self::Pair(..) => "spec.oauthClient.clientSecretRef.key",
        }
    }
}

/// Where the OAuth client of a profile in `namespace` is read, for people.
pub fn place(namespace: &str, spec: &OAuthClientSpec) -> String {
    match Named::by(spec) {
        None => "nowhere".to_owned(),
        Some(Named::File(key)) => place_of(namespace, key),
        Some(Named::Pair(_, key)) => {
            format!("spec.oauthClient.clientId and {}", place_of(namespace, key))
        }
    }
}

fn place_of(namespace: &str, SecretKeyRef { name, key }: &SecretKeyRef) -> String {
    format!("the key {key} of the Secret {namespace}/{name}")
}

/// Reads the OAuth client of a profile in `namespace`, by name, for the server that its spec names.
///
/// # Errors
/// [`CredentialsError`]; says nothing of the value.
pub async fn read(
    client: &Client,
    namespace: &str,
    spec: Option<&OAuthClientSpec>,
) -> Result<OAuthClient, CredentialsError> {
    let named = spec.and_then(Named::by).ok_or(CredentialsError::NotNamed)?;
    let value = value(client, namespace, &named).await?;
    let parsed = match named {
        Named::File(_) => OAuthClient::from_json(&value),
        Named::Pair(id, _) => OAuthClient::from_id_and_secret(id, &value),
    };
    let checked = parsed.and_then(
        |client| match spec.and_then(|spec| spec.endpoints.as_ref()) {
            None => client.of_google(),
            Some(endpoints) => client.of_server(&endpoints.token.0),
        },
    );
    checked.map_err(|bad| unusable(bad, namespace, &named))
}

fn unusable(bad: BadCredentials, namespace: &str, named: &Named<'_>) -> CredentialsError {
    let place = match named {
        Named::Pair(..) if bad.is_of_id() => "spec.oauthClient.clientId".to_owned(),
        _ => place_of(namespace, named.key()),
    };
    CredentialsError::Unusable {
        reason: bad.reason(),
        detail: format!("{place}: {bad}"),
    }
}

async fn value(
    client: &Client,
    namespace: &str,
    named: &Named<'_>,
) -> Result<Vec<u8>, CredentialsError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let SecretKeyRef { name, key } = named.key();
    let missing = |detail| CredentialsError::Unusable {
        reason: Reason::ClientSecretMissing,
        detail,
    };
    let read = call(
        || format!("reading the Secret {namespace}/{name}"),
        secrets.get_opt(&name.0),
    )
    .await;
    let secret = match read {
        Ok(secret) => secret,
        Err(error) if error.is_forbidden() => {
            return Err(CredentialsError::Unusable {
                reason: Reason::SecretNotReadable,
                detail: error.to_string(),
            });
        }
        Err(error) => return Err(error.into()),
    };
    let Some(secret) = secret else {
        return Err(missing(format!(
            "there is no Secret {namespace}/{name}; make it with: {}",
            named.command(namespace)
        )));
    };
    let mut data = secret.data.unwrap_or_default();
    data.remove(key).map(|value| value.0).ok_or_else(|| {
        missing(format!(
            "the Secret {namespace}/{name} has no key {key}; {}",
            keys(&data, named.field())
        ))
    })
}

/// The names of the keys that are there, some of them, and what may name the right one.
fn keys(data: &BTreeMap<String, ByteString>, field: &str) -> String {
    if data.is_empty() {
        return "it has no keys at all".to_owned();
    }
    let names: Vec<&str> = data.keys().take(KEYS_NAMED).map(String::as_str).collect();
    let more = match data.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "it has {}{more}: rename the key, or change {field}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_that_are_there_are_named_in_bounds() {
        let data = |count: usize| {
            (0..count)
                .map(|n| (format!("key-{n:02}"), ByteString(b"value".to_vec())))
                .collect::<BTreeMap<_, _>>()
        };
        assert_eq!(keys(&data(0), "f"), "it has no keys at all");
        assert_eq!(
            keys(&data(2), "f"),
            "it has key-00, key-01: rename the key, or change f"
        );
        let many = keys(&data(500), "f");
        assert!(many.contains("key-07 and 492 more") && !many.contains("value"));
    }
}
