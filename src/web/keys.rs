//! The keys that cookies are sealed with: read once, and again when a cookie does not open.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum_extra::extract::cookie::Key;
use kube::Client;
use secrecy::ExposeSecret;

use crate::cluster::ClusterError;
use crate::cluster::web_key::{KEY_BYTES, WEB_KEY, WebKeys, read_or_create};

/// The shortest time between two readings for cookies that do not open: anybody can send such
/// cookies, and each reading is a request to the API server.
const RELOAD_PAUSE: Duration = Duration::from_secs(2);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The Secret can be neither read nor made.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// It holds something else.
    #[error("the Secret {0}/{WEB_KEY} holds no key of {KEY_BYTES} bytes under \"current\"")]
    NoKey(String),
}

/// The keys, one of which opens a cookie.
pub(super) struct CookieKeys {
    /// Seals and opens.
    pub current: Key,
    /// Opens what was sealed before the last rotation.
    pub previous: Option<Key>,
}

impl From<&WebKeys> for CookieKeys {
    fn from(keys: &WebKeys) -> Self {
        Self {
            current: Key::from(keys.current.expose_secret()),
            previous: keys
                .previous
                .as_ref()
                .map(|previous| Key::from(previous.expose_secret())),
        }
    }
}

/// Keeps the keys that were read last.
pub(super) struct KeyRing {
    client: Client,
    namespace: String,
    last: RwLock<Option<Arc<CookieKeys>>>,
    /// When they were last read for a cookie that did not open.
    reloaded: Mutex<Option<Instant>>,
}

impl KeyRing {
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            last: RwLock::default(),
            reloaded: Mutex::default(),
        }
    }

    /// The keys, read now if they never were.
    pub async fn get(&self) -> Result<Arc<CookieKeys>, KeyError> {
        let last = self
            .last
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match last {
            Some(keys) => Ok(keys),
            None => self.load().await,
        }
    }

    /// Newer keys than those that did not open a cookie: another replica may seal with a key that
    /// was made since. `None` where they were read a moment ago.
    pub async fn newer(&self) -> Result<Option<Arc<CookieKeys>>, KeyError> {
        {
            let mut reloaded = self.reloaded.lock().unwrap_or_else(PoisonError::into_inner);
            if reloaded.is_some_and(|at| at.elapsed() < RELOAD_PAUSE) {
                return Ok(None);
            }
            *reloaded = Some(Instant::now());
        }
        self.load().await.map(Some)
    }

    /// Two at once do no harm: both read the same Secret.
    async fn load(&self) -> Result<Arc<CookieKeys>, KeyError> {
        let read = read_or_create(&self.client, &self.namespace, rand::random()).await?;
        let keys = read.ok_or_else(|| KeyError::NoKey(self.namespace.clone()))?;
        let keys = Arc::new(CookieKeys::from(&keys));
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }
}
