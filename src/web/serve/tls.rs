//! TLS by the operator: the certificate in a Secret, read again and again, so that a new one is shown
//! soon after whoever renews it has written it. Connections that are open go on.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::certificate::{is_for, usable};
use crate::cluster::tls_secret;
use crate::domain::schedule::backoff;

/// Before the first new look where there is nothing to show yet.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The certificate that is shown, and the Secret that it comes from.
#[derive(Debug)]
pub struct Certificates {
    source: Source,
    shown: RwLock<Arc<CertifiedKey>>,
}

/// Where the certificate is.
pub struct Source {
    /// To read the Secret with.
    pub client: Client,
    /// The Secret's namespace: the operator's own.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whom browsers ask for.
    pub host: String,
    /// Between two looks at it.
    pub interval: Duration,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret {}/{}", self.namespace, self.name)
    }
}

impl Source {
    /// The certificate, or in words why there is none to show.
    async fn look(&self) -> Result<Arc<CertifiedKey>, String> {
        let Self {
            namespace, name, ..
        } = self;
        let secret = tls_secret::read(&self.client, namespace, name).await;
        let secret = secret
            .map_err(|error| error.to_string())?
            .ok_or_else(|| format!("there is no Secret {namespace}/{name}"))?;
        let certified = usable(&secret, Timestamp::now())
            .map_err(|bad| format!("the Secret {namespace}/{name}: {bad}"))?;
        Ok(certified)
    }

    fn tell_of(&self, certified: &CertifiedKey) {
        let Self { name, host, .. } = self;
        if !is_for(certified, host) {
            tracing::warn!(
                secret = name,
                host,
                "the certificate is for another host than that of --public-url: browsers will refuse it"
            );
        }
    }
}

impl Certificates {
    /// Waits until there is a certificate to show.
    pub async fn first(source: Source) -> Arc<Self> {
        let mut tries = 0;
        let mut told = None;
        let certified = loop {
            match source.look().await {
                Ok(certified) => break certified,
                Err(why) => {
                    if told.as_ref() != Some(&why) {
                        tracing::error!(
                            why,
                            "the sign-in page is not served yet: there is no certificate for it; the Secret is looked at again and again"
                        );
                    }
                    told = Some(why);
                }
            }
            tries += 1;
            sleep(backoff(tries, FIRST_WAIT, source.interval, &source.name)).await;
        };
        source.tell_of(&certified);
        Arc::new(Self {
            source,
            shown: RwLock::new(certified),
        })
    }

    /// Looks at the Secret again and again. What cannot be shown is told once, and the certificate
    /// there was is shown on.
    pub async fn keep_fresh(&self) {
        let mut told = None;
        loop {
            sleep(self.source.interval).await;
            match self.source.look().await {
                Ok(certified) => {
                    told = None;
                    self.show(certified);
                }
                Err(why) => {
                    if told.as_ref() != Some(&why) {
                        tracing::warn!(
                            why,
                            "the certificate of the sign-in page stays the one that was read before"
                        );
                    }
                    told = Some(why);
                }
            }
        }
    }

    fn show(&self, certified: Arc<CertifiedKey>) {
        // A new key comes with a new certificate.
        if self.shown().cert == certified.cert {
            return;
        }
        self.source.tell_of(&certified);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = certified;
        tracing::info!(
            secret = self.source.name,
            "a new certificate is shown on the sign-in page"
        );
    }

    fn shown(&self) -> Arc<CertifiedKey> {
        self.shown
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// TLS 1.2 and 1.3 with it, for HTTP/1.1.
    pub(super) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificates {
    /// There is one, for whatever name is asked for.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }
}
