//! The proxies that stand between the operator and the servers that it talks to: the admin's word,
//! from flags or the environment.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::server::Endpoint;

/// An HTTP proxy that connects to others on request (RFC 9110 section 9.3.6), and the name and
/// password that it may want. These are secret: only [`ProxyUrl::endpoint`] may be printed.
#[derive(Clone, Debug)]
pub struct ProxyUrl {
    endpoint: Endpoint,
    url: SecretString,
}

/// Why a proxy's URL cannot be used. It does not repeat the URL, which may hold a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadProxyUrl {
    /// No URL with a host.
    #[error("it is no URL with a host, as in http://proxy.example.com:3128")]
    NotAUrl,
    /// Such as socks5, or TLS to the proxy itself.
    #[error("it must begin with http://: only HTTP proxies are used, and TLS goes through them")]
    NotHttp,
    /// What a proxy has no use for.
    #[error("it must end with the port, without a path, a query or a fragment")]
    TooMuch,
}

impl ProxyUrl {
    /// Where it is. Port 80 where the URL names none.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl FromStr for ProxyUrl {
    type Err = BadProxyUrl;

    /// Without a scheme it is an HTTP proxy, as other programs read it too.
    fn from_str(text: &str) -> Result<Self, BadProxyUrl> {
        let text = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let url = Url::parse(&text).map_err(|_| BadProxyUrl::NotAUrl)?;
        if url.scheme() != "http" {
            return Err(BadProxyUrl::NotHttp);
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(BadProxyUrl::TooMuch);
        }
        // The HTTP library reads URLs more strictly, and would do without a proxy that it cannot
        // read.
        url.as_str()
            .parse::<hyper::Uri>()
            .map_err(|_| BadProxyUrl::NotAUrl)?;
        let host = url.host_str().ok_or(BadProxyUrl::NotAUrl)?;
        let host = host.trim_matches(['[', ']']);
        Ok(Self {
            endpoint: Endpoint::new(host, url.port_or_known_default().unwrap_or(80)),
            url: String::from(url).into(),
        })
    }
}

impl ExposeSecret<str> for ProxyUrl {
    fn expose_secret(&self) -> &str {
        self.url.expose_secret()
    }
}

/// It leaves the name and the password out.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.fmt(f)
    }
}

/// Which proxies there are, and for whom they are not.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// To OAuth servers.
    pub https: Option<ProxyUrl>,
    /// To mail servers.
    pub mail: Option<ProxyUrl>,
    /// Servers that are connected to directly, as in `NO_PROXY`: names (with all below them),
    /// addresses and networks, with commas; `*` is all.
    pub except: String,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_http_url() {
        for (text, host, port) in [
            ("http://proxy.example:3128", "proxy.example", 3128),
            ("http://Proxy.Example", "proxy.example", 80),
            (
                "http://ann:p%40ss@proxy.example:8080/",
                "proxy.example",
                8080,
            ),
            (
                "http://ann:p{ss|@proxy.example:8080/",
                "proxy.example",
                8080,
            ),
            ("proxy.example:3128", "proxy.example", 3128),
            ("ann:word@10.1.2.3:3128", "10.1.2.3", 3128),
            ("http://[2001:db8::1]:3128", "2001:db8::1", 3128),
        ] {
            let proxy: ProxyUrl = text.parse().unwrap();
            assert_eq!(proxy.endpoint(), &Endpoint::new(host, port), "{text}");
            let shown = format!("{proxy} {proxy:?}");
            assert!(
                !["ann", "p%40ss", "p%7Bss", "word"]
                    .iter()
                    .any(|s| shown.contains(s)),
                "{shown}"
            );
        }
        for (text, wrong) in [
            ("", BadProxyUrl::NotAUrl),
            ("http://", BadProxyUrl::NotAUrl),
            ("http://proxy:99999", BadProxyUrl::NotAUrl),
            ("http://pro xy:1", BadProxyUrl::NotAUrl),
            ("https://proxy.example:3128", BadProxyUrl::NotHttp),
            ("socks5://proxy.example:1080", BadProxyUrl::NotHttp),
            ("http://proxy.example:3128/way", BadProxyUrl::TooMuch),
            ("http://proxy.example:3128?a=b", BadProxyUrl::TooMuch),
            ("http://proxy.example#a", BadProxyUrl::TooMuch),
        ] {
            assert_eq!(text.parse::<ProxyUrl>().unwrap_err(), wrong, "{text}");
        }
    }
}
