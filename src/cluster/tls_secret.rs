//! The Secret with the certificate of the sign-in pages, where the operator ends TLS itself.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use secrecy::SecretSlice;

use super::{ClusterError, call};

/// The keys of a Secret of the type `kubernetes.io/tls`
/// (kubernetes.io/docs/concepts/configuration/secret, "TLS Secrets").
pub const CERTIFICATE: &str = "tls.crt";
/// The private key's.
pub const PRIVATE_KEY: &str = "tls.key";

/// What such a Secret holds, unread.
#[derive(Debug, Default)]
pub struct TlsSecret {
    /// The certificate and those that vouch for it, in PEM.
    pub certificate: Vec<u8>,
    /// The private key in PEM.
    pub private_key: SecretSlice<u8>,
}

/// Reads the Secret; `None` where there is none. A key that it lacks is empty.
///
/// # Errors
/// [`ClusterError`].
pub async fn read(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<TlsSecret>, ClusterError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = call(
        || format!("reading the Secret {namespace}/{name}"),
        api.get_opt(name),
    )
    .await?;
    Ok(secret.map(|secret| {
        let mut data = secret.data.unwrap_or_default();
        let mut take = |key: &str| data.remove(key).map(|value| value.0).unwrap_or_default();
        TlsSecret {
            certificate: take(CERTIFICATE),
            private_key: take(PRIVATE_KEY).into(),
        }
    }))
}
