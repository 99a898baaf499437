//! One set of connections for each profile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;

use super::connect::Dialer;
use super::detour::Detour;
use super::gate::Gate;
use super::http::{HttpClient, HttpSetupError};
use super::trust::{BadTrust, tls_config};
use crate::domain::ca_bundle::CaBundle;
use crate::domain::egress::EgressPolicy;
use crate::domain::name::ObjectName;
use crate::domain::proxy::Proxies;
use crate::telemetry::calls::RemoteCalls;

/// How long a request to an OAuth server may take. Google's documents name none; its own clients
/// wait up to two minutes, which is too long for a person at a sign-in page.
const HTTP_TIMEOUT: Duration = Duration::from_secs(20);

/// The connections of every profile: clients and TLS sessions are made once for each, and shared by
/// none.
pub struct Network {
    gate: Gate,
    detours: Detours,
    calls: RemoteCalls,
    profiles: Mutex<HashMap<ObjectName, ProfileNetwork>>,
}

/// The proxies on the way out.
#[derive(Clone, Default)]
struct Detours {
    https: Option<Detour>,
    mail: Option<Detour>,
}

/// The connections of one profile.
#[derive(Clone)]
pub struct ProfileNetwork {
    ca_bundle: Option<CaBundle>,
    gate: Gate,
    mail_detour: Option<Detour>,
    tls: Arc<ClientConfig>,
    http: HttpClient,
}

/// Why a profile cannot connect at all.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The certificates that it trusts.
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
            gate: Arc::new(egress).into(),
            detours: Detours::default(),
            calls: RemoteCalls::default(),
            profiles: Mutex::default(),
        }
    }

    /// The same through `proxies`.
    #[must_use]
    pub fn through(self, proxies: &Proxies) -> Self {
        let detours = Detours {
            https: Detour::of_https(proxies),
            mail: Detour::of_mail(proxies),
        };
        Self { detours, ..self }
    }

    /// The same, with calls counted in `calls`.
    #[must_use]
    pub fn counted_in(self, calls: RemoteCalls) -> Self {
        Self { calls, ..self }
    }

    /// Where calls are counted.
    pub fn calls(&self) -> &RemoteCalls {
        &self.calls
    }

    /// Where the operator may connect to.
    pub fn egress(&self) -> &EgressPolicy {
        self.gate.egress()
    }

    /// The connections of `profile`, made anew when its CA bundle changes.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn of(
        &self,
        profile: &ObjectName,
        ca_bundle: Option<&CaBundle>,
    ) -> Result<ProfileNetwork, NetworkError> {
        let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = profiles
            .get(profile)
            .filter(|known| known.ca_bundle.as_ref() == ca_bundle)
        {
            return Ok(known.clone());
        }
        let tls = tls_config(ca_bundle)?;
        let made = ProfileNetwork {
            ca_bundle: ca_bundle.cloned(),
            gate: self.gate.clone(),
            mail_detour: self.detours.mail.clone(),
            http: self.http(tls.clone())?.counted_in(self.calls.clone()),
            tls: Arc::new(tls),
        };
        profiles.insert(profile.clone(), made.clone());
        Ok(made)
    }

    fn http(&self, tls: ClientConfig) -> Result<HttpClient, HttpSetupError> {
        let gate = self.gate.clone();
        match self.detours.https.clone() {
            Some(detour) => HttpClient::with_proxy(tls, gate, detour, HTTP_TIMEOUT),
            None => HttpClient::new(tls, gate, HTTP_TIMEOUT),
        }
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
        Dialer::new(self.gate.clone(), self.tls.clone(), timeout).through(self.mail_detour.clone())
    }

    /// For the OAuth server.
    pub fn http(&self) -> HttpClient {
        self.http.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
