//! Redirect URIs: which ones Google's console takes, and how a registered one misses ours.

use strum::EnumIter;
use url::{Host, Url};

/// Google's rules for redirect URIs (support.google.com/cloud/answer/15549257, "URI validation
/// rules"), as far as a URL alone can break them. That plain http is for localhost alone, another of
/// them, is the operator's own rule, too: it starts with no other
/// ([`super::console::BadPublicUrl::PlainHttp`]).
#[derive(Clone, Copy, Debug, EnumIter, Eq, PartialEq)]
pub enum RedirectRule {
    /// A user name or password before the host.
    UserInfo,
    /// A part after `#`.
    Fragment,
    /// A control character, or white space.
    Characters,
    /// A `%` without two hexadecimal digits after it.
    PercentEncoding,
    /// A path that goes up or stays: `/../`.
    PathTraversal,
    /// A `*`.
    Wildcard,
    /// An IP address that is not a loopback address.
    Address,
    /// A name that only the cluster or a local network knows.
    LocalName,
    /// The host ends in nothing that is on the public suffix list.
    PublicSuffix,
    /// The host is a public suffix itself.
    WholeSuffix,
    /// Google's own domain for its users' content.
    GoogleUserContent,
}

/// Ends of names that no public name server knows: Kubernetes' own, mDNS (RFC 6762), and ICANN's
/// for private use.
const LOCAL_ENDS: [&str; 4] = [".local", ".internal", ".svc", ".localdomain"];

impl RedirectRule {
    /// The first rule that the URL `text`, parsed as `url`, breaks. Both are needed: parsing takes
    /// `/../` away.
    pub fn broken_by(text: &str, url: &Url) -> Option<Self> {
        let host = url.host()?;
        let broken = [
            (Self::UserInfo, has_user_info(url)),
            (Self::Fragment, url.fragment().is_some()),
            (
                Self::Characters,
                text.contains(|c: char| c.is_control() || c.is_whitespace()),
            ),
            (Self::PercentEncoding, has_bad_percent(text)),
            (Self::PathTraversal, goes_up(text)),
            (Self::Wildcard, text.contains('*')),
        ];
        broken
            .into_iter()
            .find_map(|(rule, broken)| broken.then_some(rule))
            .or_else(|| match host {
                _ if is_local(url) => None,
                Host::Ipv4(_) | Host::Ipv6(_) => Some(Self::Address),
                Host::Domain(name) => Self::broken_by_name(name.trim_end_matches('.')),
            })
    }

    fn broken_by_name(name: &str) -> Option<Self> {
        if LOCAL_ENDS.iter().any(|end| name.ends_with(end)) {
            return Some(Self::LocalName);
        }
        if name == "googleusercontent.com" || name.ends_with(".googleusercontent.com") {
            return Some(Self::GoogleUserContent);
        }
        match psl::suffix(name.as_bytes()).filter(psl::Suffix::is_known) {
            None => Some(Self::PublicSuffix),
            Some(suffix) if suffix.as_bytes() == name.as_bytes() => Some(Self::WholeSuffix),
            Some(_) => None,
        }
    }

    /// The rule in words, and what would keep it.
    pub fn words(self) -> &'static str {
        match self {
            Self::UserInfo => "it has a user name before the host: leave it out",
            Self::Fragment => "it has a part after '#': leave it out",
            Self::Characters => "it has white space or control characters in it: leave them out",
            Self::PercentEncoding => "it has a '%' without two hexadecimal digits after it",
            Self::PathTraversal => "its path has '..' or '.' as a part: write the path it leads to",
            Self::Wildcard => {
                "it has a '*', and Google compares redirect URIs whole: name one host"
            }
            Self::Address => {
                "its host is an IP address, and Google takes only loopback addresses: use a name"
            }
            Self::LocalName => {
                "its host is a name that only the cluster or the local network knows \
                 (.svc, .local, .internal): use a public domain name, which may resolve inside your network only"
            }
            Self::PublicSuffix => {
                "its host does not end in a public top-level domain such as .com: use a public \
                 domain name, which may resolve inside your network only"
            }
            Self::WholeSuffix => {
                "its host is a public suffix, under which anybody may have a name: use a name of your own under it"
            }
            Self::GoogleUserContent => {
                "its host belongs to googleusercontent.com: use your own domain"
            }
        }
    }
}

fn has_user_info(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether the host is this machine itself, which Google takes without https.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        None => false,
    }
}

fn has_bad_percent(text: &str) -> bool {
    text.split('%').skip(1).any(|after| {
        let mut digits = after.bytes();
        !(0..2).all(|_| digits.next().is_some_and(|b| b.is_ascii_hexdigit()))
    })
}

fn goes_up(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    path.split(['/', '\\']).any(|part| {
        matches!(
            part.to_ascii_lowercase().replace("%2e", ".").as_str(),
            "." | ".."
        )
    })
}

/// How a registered redirect URI misses the one that is wanted, from the likeliest slip on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum NearMiss {
    /// White space around it.
    WhiteSpace,
    /// A slash at the end, here or there.
    TrailingSlash,
    /// Upper case.
    Case,
    /// http and https.
    Scheme,
    /// The port.
    Port,
    /// The path.
    Path,
    /// The host.
    Host,
}

impl NearMiss {
    /// For "which differs only …".
    pub fn words(self) -> &'static str {
        match self {
            Self::WhiteSpace => "by white space around it",
            Self::TrailingSlash => "by a slash at its end",
            Self::Case => "in upper and lower case",
            Self::Scheme => "in http and https",
            Self::Port => "in its port",
            Self::Path => "in its path",
            Self::Host => "in its host",
        }
    }

    fn between(listed: &str, wanted: &Url) -> Option<Self> {
        let (text, trimmed) = (wanted.as_str(), listed.trim());
        if trimmed == text {
            return Some(Self::WhiteSpace);
        }
        if trimmed.trim_end_matches('/') == text.trim_end_matches('/') {
            return Some(Self::TrailingSlash);
        }
        if trimmed.eq_ignore_ascii_case(text) {
            return Some(Self::Case);
        }
        let listed = Url::parse(trimmed).ok()?;
        if listed.query().is_some() || listed.fragment().is_some() {
            return None;
        }
        let differs = [
            (Self::Scheme, listed.scheme() != wanted.scheme()),
            (Self::Port, listed.port() != wanted.port()),
            (Self::Path, listed.path() != wanted.path()),
            (Self::Host, listed.host() != wanted.host()),
        ];
        let mut found = differs.into_iter().filter(|(_, differs)| *differs);
        match (found.next(), found.next()) {
            (Some((only, _)), None) => Some(only),
            _ => None,
        }
    }
}

/// The registered redirect URI that misses `wanted` by the least, and how; none where each differs
/// in more than one way.
pub fn near_miss<'a>(listed: &'a [String], wanted: &Url) -> Option<(&'a str, NearMiss)> {
    listed
        .iter()
        .filter_map(|uri| Some((uri.as_str(), NearMiss::between(uri, wanted)?)))
        .min_by_key(|(_, miss)| *miss)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn googles_rules_for_redirect_hosts() {
        let rules = [
            ("https://mail.example.com", None),
            ("https://mail.example.com:8443/gmail", None),
            ("https://example.co.uk", None),
            ("https://mail.example.com.", None),
            ("https://team.github.io", None),
            ("https://münchen.de", None),
            ("https://xn--80aswg.xn--p1ai", None),
            ("https://localhost", None),
            ("http://localhost:8080", None),
            ("http://127.0.0.1:8080", None),
            ("http://[::1]", None),
            ("https://ann@example.com", Some(RedirectRule::UserInfo)),
            ("https://:pw@example.com", Some(RedirectRule::UserInfo)),
            ("https://example.com/#top", Some(RedirectRule::Fragment)),
            ("https://example.com/a\tb", Some(RedirectRule::Characters)),
            (
                "https://example.com/a%2",
                Some(RedirectRule::PercentEncoding),
            ),
            (
                "https://example.com/a/../b",
                Some(RedirectRule::PathTraversal),
            ),
            (
                "https://example.com/a/%2E%2e",
                Some(RedirectRule::PathTraversal),
            ),
            (
                "https://example.com\\..\\b",
                Some(RedirectRule::PathTraversal),
            ),
            ("https://*.example.com", Some(RedirectRule::Wildcard)),
            ("https://192.168.1.7", Some(RedirectRule::Address)),
            ("https://8.8.8.8", Some(RedirectRule::Address)),
            ("https://[2001:db8::1]", Some(RedirectRule::Address)),
            (
                "https://gmail-operator.mail.svc.cluster.local",
                Some(RedirectRule::LocalName),
            ),
            (
                "https://gmail-operator.mail.svc",
                Some(RedirectRule::LocalName),
            ),
            ("https://gmail.corp.internal", Some(RedirectRule::LocalName)),
            ("https://printer.local", Some(RedirectRule::LocalName)),
            ("https://gmail-operator", Some(RedirectRule::PublicSuffix)),
            ("https://mail.corp", Some(RedirectRule::PublicSuffix)),
            ("https://mail.localhost", Some(RedirectRule::PublicSuffix)),
            ("https://co.uk", Some(RedirectRule::WholeSuffix)),
            ("https://github.io", Some(RedirectRule::WholeSuffix)),
            (
                "https://x.googleusercontent.com",
                Some(RedirectRule::GoogleUserContent),
            ),
        ];
        for (text, rule) in rules {
            let url = Url::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(RedirectRule::broken_by(text, &url), rule, "{text}");
        }
        let seen: Vec<_> = rules.iter().filter_map(|(_, rule)| *rule).collect();
        assert!(RedirectRule::iter().all(|rule| seen.contains(&rule)));
        let words: BTreeSet<_> = RedirectRule::iter().map(RedirectRule::words).collect();
        assert_eq!(words.len(), RedirectRule::iter().count());
    }

    #[test]
    fn the_nearest_miss_is_named() {
        let wanted: Url = "https://mail.example.com/oauth2/callback"
            .parse()
            .unwrap_or_else(|e| panic!("{e}"));
        for (listed, miss) in [
            (vec![], None),
            (vec!["https://other.org/cb"], None),
            (vec!["not a url"], None),
            (
                vec![" https://mail.example.com/oauth2/callback\n"],
                Some((0, NearMiss::WhiteSpace)),
            ),
            (
                vec!["https://mail.example.com/oauth2/callback/"],
                Some((0, NearMiss::TrailingSlash)),
            ),
            (
                vec!["https://Mail.example.com/OAuth2/callback"],
                Some((0, NearMiss::Case)),
            ),
            (
                vec!["http://mail.example.com/oauth2/callback"],
                Some((0, NearMiss::Scheme)),
            ),
            (
                vec!["https://mail.example.com:8443/oauth2/callback"],
                Some((0, NearMiss::Port)),
            ),
            (
                vec!["https://mail.example.com/callback"],
                Some((0, NearMiss::Path)),
            ),
            (vec!["https://mail.example.com"], Some((0, NearMiss::Path))),
            (
                vec!["https://gmail.example.com/oauth2/callback"],
                Some((0, NearMiss::Host)),
            ),
            (
                vec![
                    "https://other.org/oauth2/callback",
                    "http://mail.example.com/oauth2/callback",
                ],
                Some((1, NearMiss::Scheme)),
            ),
            (vec!["http://mail.example.com:80/callback"], None),
        ] {
            let listed: Vec<String> = listed.into_iter().map(str::to_owned).collect();
            let expected = miss.map(|(at, miss): (usize, _)| (listed[at].as_str(), miss));
            assert_eq!(near_miss(&listed, &wanted), expected, "{listed:?}");
        }
    }
}
