//! Whom a profile's connections trust.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::Verifier;

use crate::domain::ca_bundle::CaBundle;

/// Certificates that cannot be used: the system has none, or TLS refuses one of the bundle's.
#[derive(Debug, thiserror::Error)]
#[error("the certificates cannot be used: {0}")]
pub struct BadTrust(#[from] rustls::Error);

/// TLS that trusts the system's certificates and those of `ca_bundle`. Sessions that can be resumed
/// are kept in it, so it must not be shared by profiles.
///
/// # Errors
/// [`BadTrust`].
pub fn tls_config(ca_bundle: Option<&CaBundle>) -> Result<ClientConfig, BadTrust> {
    let extra = ca_bundle.map_or_else(Vec::new, |bundle| bundle.certificates().to_vec());
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, provider.clone())?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
