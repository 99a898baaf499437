//! What an admin pastes into Google's console for this installation.

use url::Url;

use super::name::ObjectName;
use super::redirect::{RedirectRule, is_local};

/// The port on localhost at which people reach the sign-in page where there is no `--public-url`:
/// through a port-forward. Google takes any port of localhost (support.google.com/cloud/answer/15549257),
/// but each has to be registered, so it is the same for every installation. It lies below the ports that
/// systems give out by themselves and is no well-known program's own.
pub const FORWARDED_PORT: &str = "8425";

/// The path of the redirect URI, under the public URL.
const CALLBACK_PATH: &str = "oauth2/callback";

/// Where the operator is reached from a browser: https, or http on localhost; without query. Whether
/// Google takes its redirect URI is another question, [`PublicUrl::google_problem`], which stops
/// nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicUrl {
    url: Url,
    problem: Option<RedirectRule>,
}

/// Why a URL cannot be the public URL.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadPublicUrl {
    /// Not a URL.
    #[error("it is not a URL such as https://mail.example.com")]
    NotAUrl,
    /// Neither https nor http.
    #[error("it must begin with https:// (or http:// on localhost)")]
    NotHttp,
    /// http on a host that is not this machine.
    #[error(
        "plain http is for localhost only, or sign-ins would cross the network in the clear: use https (an ingress may end TLS, or the operator by --tls-secret)"
    )]
    PlainHttp,
    /// It has a query.
    #[error("it must have no query: paths are put at its end")]
    Query,
    /// Not a port.
    #[error("give a port from 1 to 65535")]
    NotAPort,
}

impl std::str::FromStr for PublicUrl {
    type Err = BadPublicUrl;

    fn from_str(text: &str) -> Result<Self, BadPublicUrl> {
        let mut url = Url::parse(text).map_err(|_| BadPublicUrl::NotAUrl)?;
        if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
            return Err(BadPublicUrl::NotHttp);
        }
        if url.scheme() == "http" && !is_local(&url) {
            return Err(BadPublicUrl::PlainHttp);
        }
        if url.query().is_some() {
            return Err(BadPublicUrl::Query);
        }
        let problem = RedirectRule::broken_by(text, &url);
        // They would be in every link; a user name may come with a password.
        url.set_fragment(None);
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self { url, problem })
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.url.fmt(f)
    }
}

/// Where the sign-in page is, and how a browser gets there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FrontDoor {
    /// At the operator's `--public-url`.
    Published(PublicUrl),
    /// At [`PublicUrl::forwarded`], while somebody who has kubectl forwards the port: there is no
    /// `--public-url`.
    PortForward(PublicUrl),
}

impl FrontDoor {
    /// What Google and the pages themselves go by.
    pub fn url(&self) -> &PublicUrl {
        match self {
            FrontDoor::Published(url) | FrontDoor::PortForward(url) => url,
        }
    }

    /// The page on which the owner of `mailbox` signs in.
    pub fn sign_in_page(&self, mailbox: &ObjectName, uid: &str) -> SignInPage {
        match self {
            FrontDoor::Published(url) => {
                SignInPage::Published(url.sign_in_page(&mailbox.namespace, &mailbox.name, uid))
            }
            FrontDoor::PortForward(_) => SignInPage::PortForward(mailbox.clone()),
        }
    }
}

/// The page on which a mailbox's owner signs in, as it may be told: an address that works, or how to
/// get one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignInPage {
    /// At this address, for everybody.
    Published(Url),
    /// Behind a port-forward to this Mailbox's page, on the machine where it runs.
    PortForward(ObjectName),
}

impl SignInPage {
    /// Its address, where that works for everybody.
    pub fn url(&self) -> Option<&Url> {
        match self {
            SignInPage::Published(url) => Some(url),
            SignInPage::PortForward(_) => None,
        }
    }

    /// The command that opens a port-forward to the page of `mailbox`.
    pub fn forwarding(mailbox: &ObjectName) -> String {
        format!(
            "kubectl gmail link {} -n {} --port-forward",
            mailbox.name, mailbox.namespace
        )
    }
}

/// For "Where to sign in: …".
impl std::fmt::Display for SignInPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SignInPage::Published(url) => write!(f, "the page is {url}"),
            SignInPage::PortForward(mailbox) => write!(
                f,
                "the operator has no --public-url, so the page opens by `{}`",
                Self::forwarding(mailbox)
            ),
        }
    }
}

impl PublicUrl {
    /// http on `port` of localhost, from 1 to 65535.
    ///
    /// # Errors
    /// It is no such port.
    pub fn forwarded(port: &str) -> Result<Self, BadPublicUrl> {
        let number: u16 = port.parse().map_err(|_| BadPublicUrl::NotAPort)?;
        if number == 0 {
            return Err(BadPublicUrl::NotAPort);
        }
        format!("http://localhost:{number}").parse()
    }

    fn join(&self, path: &str) -> Url {
        self.url.join(path).unwrap_or_else(|_| self.url.clone())
    }

    /// The first of Google's rules for redirect URIs that it breaks: then Google's console does not
    /// take the redirect URI, and nobody can sign in with a client of Google's.
    pub fn google_problem(&self) -> Option<RedirectRule> {
        self.problem
    }

    /// Whether it leads to the machine of whoever opens it.
    pub fn is_local(&self) -> bool {
        is_local(&self.url)
    }

    /// For "Authorised redirect URIs".
    pub fn redirect_uri(&self) -> Url {
        self.join(CALLBACK_PATH)
    }

    /// The public URL to which `uri` is the redirect URI.
    pub fn of_redirect_uri(uri: &str) -> Option<Self> {
        uri.strip_suffix(CALLBACK_PATH)?.parse().ok()
    }

    /// The page on which a mailbox's owner signs in.
    pub fn sign_in_page(&self, namespace: &str, name: &str, uid: &str) -> Url {
        self.join(&format!("signin/{namespace}/{name}/{uid}"))
    }

    /// For "Authorised JavaScript origins", and what a browser sends as `Origin`.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// For "Authorised domains": the host's registrable domain, by the public suffix list. `None`
    /// for localhost, addresses and names under no public suffix.
    pub fn authorized_domain(&self) -> Option<String> {
        let host = self.url.domain()?;
        let domain = psl::domain(host.as_bytes())?;
        domain.suffix().is_known().then_some(())?;
        psl::domain_str(host).map(str::to_owned)
    }

    /// Where it is served: `/`, or a prefix that begins and ends with a slash.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Whether browsers reach it over TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether cookies are `Secure` and `__Host-`: all but those on http://localhost.
    pub fn secure_cookies(&self) -> bool {
        self.is_https()
    }

    /// The host's name or address, without a port.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether `authority` is what a browser sends as `Host` (RFC 9110 section 7.2): the host
    /// without regard to case, and the port, which may be left out where it is the scheme's own.
    pub fn is_at(&self, authority: &str) -> bool {
        let ours = |port: &str| authority.eq_ignore_ascii_case(&format!("{}{port}", self.host()));
        match (self.url.port(), self.url.port_or_known_default()) {
            (Some(port), _) => ours(&format!(":{port}")),
            (None, Some(port)) => ours("") || ours(&format!(":{port}")),
            (None, None) => ours(""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_follows_from_the_public_url() {
        let url: PublicUrl = "https://mail.apps.example.co.uk/gmail"
            .parse()
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            url.redirect_uri().as_str(),
            "https://mail.apps.example.co.uk/gmail/oauth2/callback"
        );
        assert_eq!(url.origin(), "https://mail.apps.example.co.uk");
        assert_eq!(url.authorized_domain().as_deref(), Some("example.co.uk"));
        assert_eq!(
            PublicUrl::of_redirect_uri(url.redirect_uri().as_str()),
            Some(url)
        );
        let local: PublicUrl = "http://localhost:8080"
            .parse()
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (local.origin().as_str(), local.authorized_domain()),
            ("http://localhost:8080", None)
        );
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        for (text, wrong) in [
            ("", BadPublicUrl::NotAUrl),
            ("x", BadPublicUrl::NotAUrl),
            ("https://", BadPublicUrl::NotAUrl),
            ("ftp://localhost", BadPublicUrl::NotHttp),
            ("mail.example.com:443", BadPublicUrl::NotHttp),
            ("https://b.com?x", BadPublicUrl::Query),
            ("http://mail.example.com", BadPublicUrl::PlainHttp),
            ("http://10.0.0.1:8080", BadPublicUrl::PlainHttp),
            ("http://localhost.example.com", BadPublicUrl::PlainHttp),
            ("http://0.0.0.0:8080", BadPublicUrl::PlainHttp),
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(wrong), "{text}");
        }
    }

    #[test]
    fn without_a_public_url_there_is_a_place_that_google_takes_and_no_address_for_everybody() {
        let url = PublicUrl::forwarded(FORWARDED_PORT).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            url.redirect_uri().as_str(),
            "http://localhost:8425/oauth2/callback"
        );
        assert_eq!((url.google_problem(), url.secure_cookies()), (None, false));
        for bad in ["", "0", "65536", "x", "80/x", "80@example.com"] {
            assert_eq!(
                PublicUrl::forwarded(bad),
                Err(BadPublicUrl::NotAPort),
                "{bad}"
            );
        }
        let mailbox = ObjectName::new("crm", "support");
        let forwarded = FrontDoor::PortForward(url.clone()).sign_in_page(&mailbox, "u-1");
        assert_eq!(forwarded.url(), None);
        assert_eq!(
            forwarded.to_string(),
            "the operator has no --public-url, so the page opens by `kubectl gmail link support -n crm --port-forward`"
        );
        let published = FrontDoor::Published(url).sign_in_page(&mailbox, "u-1");
        assert_eq!(
            published.to_string(),
            "the page is http://localhost:8425/signin/crm/support/u-1"
        );
    }

    #[test]
    fn what_google_refuses_is_served_all_the_same() {
        let parse = |text: &str| text.parse::<PublicUrl>().unwrap_or_else(|e| panic!("{e}"));
        let url = parse("https://ann:secret@gmail.internal/x#y");
        assert_eq!(url.google_problem(), Some(RedirectRule::UserInfo));
        assert_eq!(
            url.redirect_uri().as_str(),
            "https://gmail.internal/x/oauth2/callback"
        );
        assert_eq!(url.authorized_domain(), None);
        for (text, secure) in [
            ("https://mail.example.com", true),
            ("https://localhost", true),
            ("http://localhost:8080", false),
            ("http://127.0.0.1:8080", false),
            ("http://[::1]:8080", false),
        ] {
            assert_eq!(parse(text).secure_cookies(), secure, "{text}");
        }
    }

    #[test]
    fn the_host_that_browsers_send_is_known() {
        for (url, host, ours) in [
            ("https://mail.example.com/gmail", "mail.example.com", true),
            ("https://mail.example.com", "Mail.Example.COM", true),
            ("https://mail.example.com", "mail.example.com:443", true),
            ("https://mail.example.com:443", "mail.example.com", true),
            ("https://mail.example.com", "mail.example.com:80", false),
            ("https://mail.example.com", "mail.example.com:0443", false),
            ("https://mail.example.com", "mail.example.com:", false),
            ("https://mail.example.com", "mail.example.com.", false),
            (
                "https://mail.example.com",
                "mail.example.com.evil.com",
                false,
            ),
            ("https://mail.example.com", "example.com", false),
            ("https://mail.example.com", "", false),
            (
                "https://mail.example.com:8443",
                "mail.example.com:8443",
                true,
            ),
            ("https://mail.example.com:8443", "mail.example.com", false),
            (
                "https://mail.example.com:8443",
                "mail.example.com:443",
                false,
            ),
            ("http://localhost:8080", "localhost:8080", true),
            ("http://localhost:8080", "localhost", false),
            ("http://localhost:8080", "127.0.0.1:8080", false),
            ("http://localhost", "localhost:80", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("https://münchen.de", "xn--mnchen-3ya.de", true),
        ] {
            let public_url: PublicUrl = url.parse().unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(public_url.is_at(host), ours, "{host:?} for {url}");
        }
    }
}
