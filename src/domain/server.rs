//! Mail servers.

use std::fmt;
use std::time::Duration;

pub use crate::api::SmtpSecurity;

/// A host and a port.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Endpoint {
    /// A name or an IP address, in lower case.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

impl Endpoint {
    /// `host` is put in lower case, without a trailing dot.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.trim_end_matches('.').to_ascii_lowercase(),
            port,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The mail servers of a profile.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MailServers {
    /// IMAP, with TLS from the start.
    pub imap: Endpoint,
    /// POP3, with TLS from the start.
    pub pop3: Endpoint,
    /// SMTP submission.
    pub smtp: Endpoint,
    /// How SMTP is encrypted.
    pub smtp_security: SmtpSecurity,
    /// How long a server may take for each answer: 1 to 100 s.
    pub timeout: Duration,
}
