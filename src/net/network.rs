//! One set of connections for each profile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;

use super::connect::Dialer;
use super::http::{HttpClient, HttpSetupError};
use super::trust::{BadTrust, tls_config};
use crate::domain::egress::EgressPolicy;
use crate::domain::name::ObjectName;

/// How long a request to an OAuth server may take. Google's documents name none; its own clients
/// wait up to two minutes, which is too long for a person at a sign-in page.
const HTTP_TIMEOUT: Duration = Duration::from_secs(20);

/// The connections of every profile: clients and TLS sessions are made once for each, and shared by
/// none.
pub struct Network {
    egress: Arc<EgressPolicy>,
    profiles: Mutex<HashMap<ObjectName, ProfileNetwork>>,
}

/// The connections of one profile.
#[derive(Clone)]
pub struct ProfileNetwork {
    ca_bundle: Option<String>,
    egress: Arc<EgressPolicy>,
    tls: Arc<ClientConfig>,
    http: HttpClient,
}

/// Why a profile cannot connect at all.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Its CA bundle, or the system's certificates.
    #[error(transparent)]
    Trust(#[from] BadTrust),
    /// The HTTP client.
    #[error(transparent)]
    Http(#[from] HttpSetupError),
}

impl Network {
    /// Connections that `egress` allows.
    pub fn new(egress: EgressPolicy) -> Self {
        Self {
            egress: Arc::new(egress),
            profiles: Mutex::default(),
        }
    }

    /// Where the operator may connect to.
    pub fn egress(&self) -> &EgressPolicy {
        &self.egress
    }

    /// The connections of `profile`, made anew when its CA bundle changes.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn of(
        &self,
        profile: &ObjectName,
        ca_bundle: Option<&str>,
    ) -> Result<ProfileNetwork, NetworkError> {
        let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = profiles
            .get(profile)
            .filter(|known| known.ca_bundle.as_deref() == ca_bundle)
        {
            return Ok(known.clone());
        }
        let tls = tls_config(ca_bundle)?;
        let made = ProfileNetwork {
            ca_bundle: ca_bundle.map(str::to_owned),
            egress: self.egress.clone(),
            http: HttpClient::new(tls.clone(), self.egress.clone(), HTTP_TIMEOUT)?,
            tls: Arc::new(tls),
        };
        profiles.insert(profile.clone(), made.clone());
        Ok(made)
    }

    /// For a profile that is gone.
    pub fn forget(&self, profile: &ObjectName) {
        self.profiles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(profile);
    }
}

impl ProfileNetwork {
    /// For mail servers; each answer may take `timeout`.
    pub fn dialer(&self, timeout: Duration) -> Dialer {
        Dialer::new(self.egress.clone(), self.tls.clone(), timeout)
    }

    /// For the OAuth server.
    pub fn http(&self) -> HttpClient {
        self.http.clone()
    }
}
