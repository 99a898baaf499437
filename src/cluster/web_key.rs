//! The Secret with the keys that cookies are sealed with.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use secrecy::SecretBox;

use super::{ClusterError, call};

/// The Secret's name.
pub const WEB_KEY: &str = "gmail-operator-web-key";
/// The Secret's type.
pub const WEB_KEY_TYPE: &str = "gmail-operator.dev/web-key";
/// How long a key is, in bytes.
pub const KEY_BYTES: usize = 64;

/// The keys that cookies are sealed with: the newest, and the one before it.
pub struct WebKeys {
    /// Seals and opens.
    pub current: SecretBox<[u8; KEY_BYTES]>,
    /// Opens what was sealed before the last rotation.
    pub previous: Option<SecretBox<[u8; KEY_BYTES]>>,
}

/// Reads the keys, and makes them if there are none: whichever replica is first. `fresh` is 64 random
/// bytes.
///
/// # Errors
/// [`ClusterError`] where the Secret can be neither read nor made.
pub async fn read_or_create(
    client: &Client,
    namespace: &str,
    fresh: [u8; KEY_BYTES],
) -> Result<Option<WebKeys>, ClusterError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let read = || {
        call(
            || format!("reading the Secret {namespace}/{WEB_KEY}"),
            api.get_opt(WEB_KEY),
        )
    };
    if let Some(secret) = read().await? {
        return Ok(keys(&secret));
    }
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(WEB_KEY.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        type_: Some(WEB_KEY_TYPE.to_owned()),
        data: Some(BTreeMap::from([(
            "current".to_owned(),
            ByteString(fresh.to_vec()),
        )])),
        ..Secret::default()
    };
    match call(
        || format!("creating the Secret {namespace}/{WEB_KEY}"),
        api.create(&PostParams::default(), &secret),
    )
    .await
    {
        Ok(secret) => Ok(keys(&secret)),
        Err(error) if error.is_conflict() => Ok(read().await?.as_ref().and_then(keys)),
        Err(error) => Err(error),
    }
}

/// `None` where the Secret holds no key of the right length.
fn keys(secret: &Secret) -> Option<WebKeys> {
    let key = |name: &str| -> Option<SecretBox<[u8; KEY_BYTES]>> {
        let bytes: [u8; KEY_BYTES] = secret
            .data
            .as_ref()?
            .get(name)?
            .0
            .as_slice()
            .try_into()
            .ok()?;
        Some(SecretBox::new(Box::new(bytes)))
    };
    Some(WebKeys {
        current: key("current")?,
        previous: key("previous"),
    })
}
