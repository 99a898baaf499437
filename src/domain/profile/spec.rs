use std::time::Duration;

use jiff::SignedDuration;

use crate::api::{GmailServerProfileSpec, HostName, PublishingStatus, UserType};
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
    /// PEM.
    pub ca_bundle: Option<String>,
    /// 1 to 300 connections at once.
    pub max_connections: usize,
    /// How many accounts may sign in; `None`: no limit.
    pub capacity: Option<i32>,
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
    /// A host that may not be connected to.
    #[error("{0}")]
    NotAllowed(#[from] NotAllowed),
}

/// Google's limit for apps that are in Testing or not verified, for each Cloud project
/// (support.google.com/cloud/answer/7454865).
const GOOGLE_LIMIT: i32 = 100;

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
            smtp: endpoint(&spec.servers.smtp.host, spec.servers.smtp.port)?,
            smtp_security: spec.servers.smtp.security,
            timeout: timeout(&spec.processing.connection_timeout)?,
        };
        let pop3 = endpoint(&spec.servers.pop3.host, spec.servers.pop3.port)?;
        let endpoints = match &client.endpoints {
            Some(endpoints) => OAuthEndpoints::from_spec(endpoints)?,
            None => OAuthEndpoints::google(),
        };
        for host in [&servers.imap, &servers.smtp, &pop3]
            .into_iter()
            .chain(&endpoints.hosts())
        {
            egress.permits(host)?;
        }
        let screen = client.consent_screen.as_ref();
        let unlimited = screen.is_some_and(|screen| {
            screen.user_type == UserType::Internal
                || (screen.verified
                    && screen.publishing_status == Some(PublishingStatus::InProduction))
        });
        let capacity = match (spec.max_mailboxes, unlimited) {
            (Some(max), true) => Some(max),
            (Some(max), false) => Some(max.min(GOOGLE_LIMIT)),
            (None, true) => None,
            (None, false) => Some(GOOGLE_LIMIT),
        };
        Ok(Self {
            servers,
            endpoints,
            ca_bundle: spec.ca_bundle.clone(),
            max_connections: usize::try_from(spec.processing.max_concurrent_connections)
                .unwrap_or(1)
                .clamp(1, 300),
            capacity,
            audience: Audience::of(screen),
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
