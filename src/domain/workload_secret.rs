//! The Secret from which a workload takes a mailbox's access token: what stands in it, by the keys of
//! the Service Binding specification (servicebinding.io/spec/core/1.1.0, "Well-known Secret
//! Entries"), and what is known of it.

use std::collections::BTreeMap;

use super::address::EmailAddress;
use super::grant::Access;
use super::schedule::digest;
use super::secret::{AccessToken, ExposeSecret, SecretString};
use super::server::{Endpoint, MailServers, SmtpSecurity};
use super::verdict::seconds;
use crate::api::IncomingProtocol;

/// The keys that go when the token is withdrawn. The rest stays: a workload that finds its file of
/// settings and no `access-token` in it knows what it waits for.
pub const TOKEN_KEYS: [&str; 3] = ["access-token", "expires-at", "xoauth2"];

/// What a withdrawn Secret says of its content.
pub const WITHDRAWN: &str = "withdrawn";

/// How a workload reaches the mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// The mailbox's address.
    pub address: &'a EmailAddress,
    /// The account that signed in: the user of each login.
    pub account: &'a EmailAddress,
    /// The protocol with which mail is received, if it is.
    pub incoming: Option<IncomingProtocol>,
    /// Whether mail is sent.
    pub outgoing: bool,
    /// The profile's servers.
    pub servers: &'a MailServers,
}

/// All that stands in the Secret while the workload may use the mailbox.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What is no secret.
    pub settings: BTreeMap<&'static str, String>,
    /// What [`TOKEN_KEYS`] hold.
    token: AccessToken,
    xoauth2: SecretString,
    expires_at: String,
    /// Tells one content from another, and nothing of the token.
    pub fingerprint: String,
}

impl Connection<'_> {
    /// The keys that are no secret. A key is a file's name where the Secret is mounted.
    pub fn settings(&self) -> BTreeMap<&'static str, String> {
        let servers = self.servers;
        let mut keys = BTreeMap::from([
            ("type", "gmail".to_owned()),
            ("provider", "google".to_owned()),
            ("username", self.account.to_string()),
            ("email-address", self.address.to_string()),
        ]);
        let mut add = |host, port, server: &Endpoint| {
            keys.insert(host, server.host.clone());
            keys.insert(port, server.port.to_string());
        };
        match self.incoming {
            Some(IncomingProtocol::Imap) => add("imap-host", "imap-port", &servers.imap),
            Some(IncomingProtocol::Pop3) => add("pop3-host", "pop3-port", &servers.pop3),
            None => {}
        }
        if self.outgoing {
            add("smtp-host", "smtp-port", &servers.smtp);
        }
        // The specification has one host: where mail is read, or, where it is not, where it is sent.
        add("host", "port", self.main_server());
        if self.outgoing {
            let security = match servers.smtp_security {
                SmtpSecurity::Tls => "TLS",
                SmtpSecurity::StartTls => "STARTTLS",
            };
            keys.insert("smtp-security", security.to_owned());
        }
        keys
    }

    fn main_server(&self) -> &Endpoint {
        match self.incoming {
            Some(IncomingProtocol::Imap) => &self.servers.imap,
            Some(IncomingProtocol::Pop3) => &self.servers.pop3,
            None => &self.servers.smtp,
        }
    }

    /// Tells one content from another. The token itself is no part of it: it stands beside the
    /// Secret's data, in an annotation. When a token was got says which one it is.
    pub fn fingerprint(&self, issued_at: jiff::Timestamp, expires_at: jiff::Timestamp) -> String {
        let mut parts = vec![issued_at.to_string(), expires_at.to_string()];
        for (key, value) in self.settings() {
            parts.extend([key.to_owned(), value]);
        }
        digest(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// With the token `access`, and `xoauth2`, the login that is made of it.
    pub fn contents(&self, access: &Access, xoauth2: &impl ExposeSecret<str>) -> Contents {
        Contents {
            settings: self.settings(),
            token: access.token.clone(),
            xoauth2: SecretString::from(xoauth2.expose_secret()),
            // Down to the second: not every program reads fractions, and none may think it longer.
            expires_at: seconds(access.expires_at).0.to_string(),
            fingerprint: self.fingerprint(access.issued_at, access.expires_at),
        }
    }
}

impl Contents {
    /// The values of [`TOKEN_KEYS`], in their order.
    pub fn token_values(&self) -> [&str; 3] {
        [
            self.token.expose_secret(),
            &self.expires_at,
            self.xoauth2.expose_secret(),
        ]
    }
}

/// What is known of a Secret for workloads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SecretView {
    /// It is not there.
    Absent,
    /// It is the Mailbox's, as it was last written.
    Ours {
        /// What it says of its content: a fingerprint, [`WITHDRAWN`], or nothing that is known.
        content: String,
    },
    /// It is another's, and is left alone.
    NotOurs(Whose),
}

/// Whose a Secret is that is not the Mailbox's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Whose {
    /// Another Mailbox's of the namespace.
    Mailbox(String),
    /// That of a Mailbox of the same name which is gone; Kubernetes removes it soon.
    Predecessor,
    /// Somebody's.
    Unknown,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn servers() -> MailServers {
        let endpoint = |host, port| Endpoint::new(host, port);
        MailServers {
            imap: endpoint("imap.gmail.com", 993),
            pop3: endpoint("pop.gmail.com", 995),
            smtp: endpoint("smtp.gmail.com", 465),
            smtp_security: SmtpSecurity::Tls,
            timeout: Duration::from_secs(5),
        }
    }

    fn keys(incoming: Option<IncomingProtocol>, outgoing: bool) -> Vec<(&'static str, String)> {
        let (address, account) = (
            "support@example.com".parse().unwrap(),
            "ann@example.com".parse().unwrap(),
        );
        let connection = Connection {
            address: &address,
            account: &account,
            incoming,
            outgoing,
            servers: &servers(),
        };
        connection.settings().into_iter().collect()
    }

    #[test]
    fn the_host_is_that_of_what_the_mailbox_is_for() {
        let host = |incoming, outgoing| {
            let keys = keys(incoming, outgoing);
            let of = |key| keys.iter().find(|(k, _)| *k == key).unwrap().1.clone();
            (of("host"), of("port"), of("username"), keys.len())
        };
        let user = || "ann@example.com".to_owned();
        let gmail = |server: &str, port: &str, keys| {
            (format!("{server}.gmail.com"), port.to_owned(), user(), keys)
        };
        let imap = Some(IncomingProtocol::Imap);
        assert_eq!(host(imap, true), gmail("imap", "993", 11));
        assert_eq!(host(imap, false), gmail("imap", "993", 8));
        assert_eq!(
            host(Some(IncomingProtocol::Pop3), true),
            gmail("pop", "995", 11)
        );
        assert_eq!(host(None, true), gmail("smtp", "465", 9));
    }

    #[test]
    fn every_key_is_a_file_name_and_every_change_is_another_content() {
        let address: EmailAddress = "ann@example.com".parse().unwrap();
        let servers = servers();
        let moved = MailServers {
            smtp: Endpoint::new("smtp.gmail.com", 587),
            smtp_security: SmtpSecurity::StartTls,
            ..servers.clone()
        };
        let connection = |servers, outgoing| Connection {
            address: &address,
            account: &address,
            incoming: Some(IncomingProtocol::Imap),
            outgoing,
            servers,
        };
        let time = |second| Timestamp::from_second(second).unwrap();
        let contents = [
            connection(&servers, true).fingerprint(time(1), time(3600)),
            connection(&servers, true).fingerprint(time(2), time(3600)),
            connection(&servers, true).fingerprint(time(1), time(3601)),
            connection(&servers, false).fingerprint(time(1), time(3600)),
            connection(&moved, true).fingerprint(time(1), time(3600)),
        ];
        let distinct: std::collections::BTreeSet<_> = contents.iter().collect();
        assert_eq!(distinct.len(), contents.len());
        for key in connection(&servers, true)
            .settings()
            .keys()
            .chain(&TOKEN_KEYS)
        {
            assert!(
                key.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{key}"
            );
        }
    }

    #[test]
    fn the_token_is_not_printed_and_never_lives_longer_than_it_does() {
        let address: EmailAddress = "ann@example.com".parse().unwrap();
        let connection = Connection {
            address: &address,
            account: &address,
            incoming: Some(IncomingProtocol::Imap),
            outgoing: true,
            servers: &servers(),
        };
        let access = Access {
            token: AccessToken::new("ya29.a"),
            issued_at: Timestamp::from_second(10).unwrap(),
            expires_at: "2026-11-26T12:00:00.9Z".parse().unwrap(),
        };
        let contents = connection.contents(&access, &SecretString::from("dXNlcg=="));
        assert_eq!(
            contents.token_values(),
            ["ya29.a", "2026-11-26T12:00:00Z", "dXNlcg=="]
        );
        let shown = format!("{contents:?}");
        assert!(
            !shown.contains("ya29") && !shown.contains("dXNlcg"),
            "{shown}"
        );
    }
}
