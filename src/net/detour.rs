//! Which servers are reached through a proxy.
//!
//! Whom the operator may talk to is decided by name, with a proxy as without. Addresses cannot be
//! checked where it is the proxy that resolves the name; that they are not is the admin's decision,
//! as the proxy itself is, which may be anywhere.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;
use secrecy::ExposeSecret;
use tokio::net::lookup_host;

use crate::domain::proxy::{Proxies, ProxyUrl};
use crate::domain::server::Endpoint;

/// A proxy for all servers but some. Clones share it.
#[derive(Clone)]
pub struct Detour {
    proxy: ProxyUrl,
    matcher: Arc<Matcher>,
}

/// The proxy and what it wants to see.
#[derive(Clone, Debug)]
pub struct Toll {
    /// Where the proxy is.
    pub proxy: Endpoint,
    /// `Proxy-Authorization`, where its URL has a name and a password.
    pub authorization: Option<HeaderValue>,
}

impl Detour {
    /// To OAuth servers.
    pub fn of_https(proxies: &Proxies) -> Option<Self> {
        Some(Self::new(proxies.https.as_ref()?, &proxies.except))
    }

    /// To mail servers.
    pub fn of_mail(proxies: &Proxies) -> Option<Self> {
        Some(Self::new(proxies.mail.as_ref()?, &proxies.except))
    }

    fn new(proxy: &ProxyUrl, except: &str) -> Self {
        let matcher = Matcher::builder()
            .https(proxy.expose_secret().to_owned())
            .no(except.to_owned());
        Self {
            proxy: proxy.clone(),
            matcher: Arc::new(matcher.build()),
        }
    }

    /// The proxy's URL.
    pub fn proxy(&self) -> &ProxyUrl {
        &self.proxy
    }

    /// What is to be paid on the way to `server`; nothing where it is connected to directly.
    pub fn toll(&self, server: &Endpoint) -> Option<Toll> {
        // The matcher knows destinations as URLs. What is none is left to the proxy, too.
        let authorization = match Uri::try_from(format!("https://{server}/")) {
            Ok(destination) => self.matcher.intercept(&destination)?.basic_auth().cloned(),
            Err(_) => None,
        };
        Some(Toll {
            proxy: self.proxy.endpoint().clone(),
            authorization,
        })
    }
}

impl fmt::Debug for Detour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detour")
            .field("proxy", self.proxy.endpoint())
            .finish_non_exhaustive()
    }
}

impl Toll {
    /// The addresses of the proxy, whichever they are.
    ///
    /// # Errors
    /// The system's words where it has none.
    pub async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        let Endpoint { host, port } = &self.proxy;
        Ok(lookup_host((host.as_str(), *port)).await?.collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn detour(url: &str, except: &str) -> Detour {
        Detour::new(&url.parse().unwrap(), except)
    }

    #[test]
    fn no_proxy_names_hosts_domains_addresses_and_networks() {
        let detour = detour(
            "http://proxy.example:3128",
            "lab.example, .corp.example,10.1.0.0/16,2001:db8::1",
        );
        for (host, through) in [
            ("imap.gmail.com", true),
            ("lab.example", false),
            ("mail.lab.example", false),
            ("notlab.example", true),
            ("mail.corp.example", false),
            ("10.1.2.3", false),
            ("10.2.2.3", true),
            ("2001:db8::1", false),
            ("2001:db8::2", true),
            ("proxy.example", true),
        ] {
            let toll = detour.toll(&Endpoint::new(host, 993));
            assert_eq!(toll.is_some(), through, "{host}");
        }
        assert!(
            self::detour("http://p", "*")
                .toll(&Endpoint::new("x", 1))
                .is_none()
        );
    }

    #[test]
    fn a_name_and_a_password_are_sent_and_never_shown() {
        let detour = detour("http://ann:p%40ss%7B@proxy.example:3128", "");
        let toll = detour.toll(&Endpoint::new("imap.gmail.com", 993)).unwrap();
        // "ann:p@ss{"
        assert_eq!(toll.authorization.as_ref().unwrap(), "Basic YW5uOnBAc3N7");
        let shown = format!("{detour:?} {toll:?}");
        assert!(
            !["ann", "YW5u", "p%40ss"]
                .iter()
                .any(|secret| shown.contains(secret)),
            "{shown}"
        );
    }
}
