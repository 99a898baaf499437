//! What an admin pastes into Google's console for this installation.

use url::Url;

/// The path of the redirect URI, under the public URL.
const CALLBACK_PATH: &str = "oauth2/callback";

/// Where the operator is reached from a browser: https, or http on localhost; without query and
/// fragment. Google refuses other redirect URIs (support.google.com/cloud/answer/15549257).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicUrl(Url);

/// Why a URL cannot be the public URL.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadPublicUrl {
    /// Not a URL.
    #[error("it is not a URL")]
    NotAUrl,
    /// Not https, and not http on localhost.
    #[error("it must be https, or http on localhost: Google accepts no other redirect URI")]
    NotSecure,
    /// It has a query, a fragment or a user name.
    #[error("it must have no user name, query or fragment")]
    TooMuch,
}

impl std::str::FromStr for PublicUrl {
    type Err = BadPublicUrl;

    fn from_str(text: &str) -> Result<Self, BadPublicUrl> {
        let mut url = Url::parse(text).map_err(|_| BadPublicUrl::NotAUrl)?;
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme() {
            "https" if url.has_host() => {}
            "http" if local => {}
            _ => return Err(BadPublicUrl::NotSecure),
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(BadPublicUrl::TooMuch);
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl PublicUrl {
    fn join(&self, path: &str) -> Url {
        self.0.join(path).unwrap_or_else(|_| self.0.clone())
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
        self.0.origin().ascii_serialization()
    }

    /// For "Authorised domains": the host's registrable domain, by the public suffix list. `None`
    /// for localhost and addresses.
    pub fn authorized_domain(&self) -> Option<String> {
        let host = self.0.domain()?;
        psl::domain_str(host)
            .filter(|domain| domain.contains('.'))
            .map(str::to_owned)
    }

    /// Where it is served: `/`, or a prefix that begins and ends with a slash.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Whether cookies can be `Secure` and `__Host-`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
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
    fn what_google_refuses_is_refused() {
        for text in [
            "",
            "x",
            "http://mail.example.com",
            "ftp://localhost",
            "https://a@b.com",
            "https://b.com?x",
            "https://b.com#x",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }
}
