//! Whom a profile's connections trust.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

/// A CA bundle, or the system's certificates, that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTrust {
    /// The bundle is not PEM.
    #[error("spec.caBundle is not a list of certificates in PEM: {0}")]
    NotPem(rustls_pki_types::pem::Error),
    /// The bundle has no certificate.
    #[error("spec.caBundle has no certificate in it")]
    Empty,
    /// A certificate, or the system's store, was refused.
    #[error("the certificates cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// TLS that trusts the system's certificates and those of `ca_bundle` (PEM).
///
/// # Errors
/// [`BadTrust`] where the bundle is not usable or the system has no certificates.
pub fn tls_config(ca_bundle: Option<&str>) -> Result<ClientConfig, BadTrust> {
    let extra: Vec<CertificateDer<'static>> = match ca_bundle {
        None => Vec::new(),
        Some(pem) => {
            let found = CertificateDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(BadTrust::NotPem)?;
            if found.is_empty() {
                return Err(BadTrust::Empty);
            }
            found
        }
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, provider.clone())?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
