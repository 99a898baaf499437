use std::time::Duration;

use jiff::SignedDuration;

use super::capacity::capacity_of;
use crate::api::{GmailServerProfileSpec, HostName};
use crate::domain::ca_bundle::{BadCaBundle, CaBundle};
use crate::domain::egress::{EgressPolicy, NotAllowed};
use crate::domain::endpoints::{BadEndpoint, OAuthEndpoints};
use crate::domain::server::{Endpoint, MailServers};

use super::audience::Audience;
use super::processing::{BadPollingInterval, ValidProcessing};

/// A profile's spec with its rules checked again, and its hosts against the egress policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ValidProfile {
    /// The mail servers.
    pub servers: MailServers,
    /// The OAuth server.
    pub endpoints: OAuthEndpoints,
    /// Authorities that are trusted beside the system's.
    pub ca_bundle: Option<CaBundle>,
    /// 1 to 300 connections at once.
    pub max_connections: usize,
    /// How many accounts may sign in; `None`: no limit.
    pub capacity: Option<usize>,
    /// Who may sign in, as far as the profile says.
    pub audience: Audience,
    /// How often and from when mail is processed.
    pub processing: ValidProcessing,
}

/// Why a profile is not usable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadProfile {
    /// No OAuth client.
    #[error("spec.oauthClient is missing")]
    NoClient,
    /// A port outside 1 to 65535.
    #[error("spec.servers has the port {0}")]
    Port(i32),
    /// A duration that is none, or out of range.
    #[error("spec.processing.connectionTimeout must be from 1s to 100s")]
    Timeout,
    /// A duration that is none, or out of range.
    #[error(transparent)]
    PollingInterval(#[from] BadPollingInterval),
    /// An endpoint that is no https URL.
    #[error("spec.{0}")]
    Endpoint(#[from] BadEndpoint),
    /// A server of Gmail's where another one belongs, or with a port that it does not have.
    #[error("spec.servers.{field} is {given}, but {}", has(field))]
    Gmail {
        /// `imap`, `pop3` or `smtp`.
        field: &'static str,
        /// What the spec says.
        given: Endpoint,
    },
    /// Certificates that cannot be used.
    #[error("spec.caBundle: {0}")]
    CaBundle(#[from] BadCaBundle),
    /// A host that may not be connected to.
    #[error("{0}")]
    NotAllowed(#[from] NotAllowed),
}

/// Gmail's servers (developers.google.com/workspace/gmail/imap/imap-smtp), by the field that names
/// them. Which security goes with which port of SMTP is in the schema.
const GMAIL: [(&str, &str, u16); 4] = [
    ("imap", "imap.gmail.com", 993),
    ("pop3", "pop.gmail.com", 995),
    ("smtp", "smtp.gmail.com", 465),
    ("smtp", "smtp.gmail.com", 587),
];

/// Whether a host is Gmail's, or was meant to be.
fn is_gmail(endpoint: &Endpoint) -> bool {
    endpoint.host == "gmail.com" || endpoint.host.ends_with(".gmail.com")
}

/// What Gmail has for `field`, in words.
fn has(field: &str) -> String {
    let servers: Vec<_> = GMAIL
        .iter()
        .filter(|(of, ..)| *of == field)
        .map(|(_, host, port)| format!("{host}:{port}"))
        .collect();
    format!("Gmail's is {}", servers.join(" or "))
}

/// How many connections of a profile may log in or transfer at once: 1 to 300.
pub fn max_connections(spec: &GmailServerProfileSpec) -> usize {
    usize::try_from(spec.processing.max_concurrent_connections)
        .unwrap_or(1)
        .clamp(1, 300)
}

impl ValidProfile {
    /// Checks `spec`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(spec: &GmailServerProfileSpec, egress: &EgressPolicy) -> Result<Self, BadProfile> {
        let client = spec.oauth_client.as_ref().ok_or(BadProfile::NoClient)?;
        let endpoint = |host: &HostName, port: i32| match u16::try_from(port) {
            Ok(port) if port > 0 => Ok(Endpoint::new(&host.0, port)),
            _ => Err(BadProfile::Port(port)),
        };
        let servers = MailServers {
            imap: endpoint(&spec.servers.imap.host, spec.servers.imap.port)?,
            pop3: endpoint(&spec.servers.pop3.host, spec.servers.pop3.port)?,
            smtp: endpoint(&spec.servers.smtp.host, spec.servers.smtp.port)?,
            smtp_security: spec.servers.smtp.security,
            timeout: timeout(&spec.processing.connection_timeout)?,
        };
        let endpoints = match &client.endpoints {
            Some(endpoints) => OAuthEndpoints::from_spec(endpoints)?,
            None => OAuthEndpoints::google(),
        };
        for (field, host) in [
            ("imap", &servers.imap),
            ("smtp", &servers.smtp),
            ("pop3", &servers.pop3),
        ] {
            if is_gmail(host) && !GMAIL.contains(&(field, &host.host, host.port)) {
                return Err(BadProfile::Gmail {
                    field,
                    given: host.clone(),
                });
            }
            egress.permits(host)?;
        }
        for host in &endpoints.hosts() {
            egress.permits(host)?;
        }
        Ok(Self {
            servers,
            endpoints,
            ca_bundle: spec.ca_bundle.as_deref().map(CaBundle::parse).transpose()?,
            max_connections: max_connections(spec),
            capacity: capacity_of(spec),
            audience: Audience::of(client.consent_screen.as_ref()),
            processing: ValidProcessing::new(&spec.processing)?,
        })
    }
}

fn timeout(text: &str) -> Result<Duration, BadProfile> {
    let parsed: SignedDuration = text.parse().map_err(|_| BadProfile::Timeout)?;
    let duration = Duration::try_from(parsed).map_err(|_| BadProfile::Timeout)?;
    let range = Duration::from_secs(1)..=Duration::from_secs(100);
    range
        .contains(&duration)
        .then_some(duration)
        .ok_or(BadProfile::Timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gmails_servers_stand_where_they_belong() {
        let check = |field: &str, host: &str, port: i32| {
            let spec: GmailServerProfileSpec = serde_json::from_value(serde_json::json!({
                "oauthClient": {},
                "servers": { field: { "host": host, "port": port } },
            }))
            .unwrap_or_else(|e| panic!("{e}"));
            let policy = EgressPolicy::new(vec![Endpoint::new("mail.lab", 143)], vec![]);
            ValidProfile::new(&spec, &policy)
                .map_err(|bad| bad.to_string())
                .err()
                .unwrap_or_default()
        };
        for (field, host, port, says) in [
            ("imap", "imap.gmail.com", 993, ""),
            ("imap", "IMAP.gmail.com", 993, ""),
            ("pop3", "pop.gmail.com", 995, ""),
            ("smtp", "smtp.gmail.com", 587, ""),
            ("imap", "mail.lab", 143, ""),
            (
                "imap",
                "imap.gmail.com",
                143,
                "Gmail's is imap.gmail.com:993",
            ),
            (
                "imap",
                "smtp.gmail.com",
                465,
                "spec.servers.imap is smtp.gmail.com:465",
            ),
            (
                "pop3",
                "pop3.gmail.com",
                995,
                "Gmail's is pop.gmail.com:995",
            ),
            (
                "smtp",
                "smtp.gmail.com",
                25,
                "Gmail's is smtp.gmail.com:465 or smtp.gmail.com:587",
            ),
            ("smtp", "mail.lab", 25, "--allow-endpoint"),
        ] {
            let said = check(field, host, port);
            assert!(
                said.contains(says) && said.is_empty() == says.is_empty(),
                "{field} {host}:{port}: {said}"
            );
        }
    }
}
