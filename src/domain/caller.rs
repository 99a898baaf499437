//! Who asks, by address: whose requests are counted together, and whose word about others is taken.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};

/// The most entries of `X-Forwarded-For` that are looked at, from its right end. Longer chains of
/// proxies are nobody's.
const MAX_HOPS: usize = 16;

/// An IPv6 customer has a /64 at least (RFC 6177), and may take any address of it.
const IPV6_PREFIX: u8 = 64;

/// The proxies that may say for whom they ask.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A network that cannot be one of proxies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadProxies {
    /// Not a network.
    #[error("give it as ADDRESS/LENGTH, such as 10.1.2.0/24")]
    NotANetwork,
    /// Every address is in it.
    #[error(
        "it contains every address, so everybody could say to be anybody: name the proxies' own network"
    )]
    Everybody,
}

/// What the other end of a connection is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Peer {
    /// A trusted proxy: it says for whom it asks, and keeps connections of its own for all of them.
    Proxy(IpAddr),
    /// A private address where no proxy is trusted: very likely a proxy that the admin has not named,
    /// or a node that hides addresses. Many people may be behind it.
    Crowd(IpAddr),
    /// Somebody's own address.
    Single(IpAddr),
}

/// Those whose requests are counted together.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Caller {
    /// One address, or one /64 of IPv6.
    Single(IpAddr),
    /// An address that many people share, as far as can be seen.
    Crowd(IpAddr),
}

impl TrustedProxies {
    /// Those whose address is in one of `networks`.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Reads one network.
    ///
    /// # Errors
    /// [`BadProxies`].
    pub fn network(text: &str) -> Result<IpNet, BadProxies> {
        let network: IpNet = text.parse().map_err(|_| BadProxies::NotANetwork)?;
        match network.prefix_len() {
            0 => Err(BadProxies::Everybody),
            _ => Ok(network),
        }
    }

    /// What is at the other end of a connection from `address`.
    pub fn peer(&self, address: IpAddr) -> Peer {
        let address = address.to_canonical();
        match () {
            () if self.trusts(address) => Peer::Proxy(address),
            () if self.0.is_empty() && is_private(address) => Peer::Crowd(address),
            () => Peer::Single(address),
        }
    }

    /// For whom `peer` asks. `forwarded_for` are the lines of `X-Forwarded-For`: each proxy adds on
    /// the right whom it was asked by, so that of all entries only those that trusted proxies have
    /// added are believed. `Forwarded` (RFC 7239) is not read: a proxy that keeps one of the two
    /// right lets the other through from anybody.
    pub fn caller<'a>(
        &self,
        peer: Peer,
        forwarded_for: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Caller {
        match peer {
            Peer::Proxy(_) => self.said(forwarded_for).map(Caller::single),
            Peer::Crowd(_) | Peer::Single(_) => None,
        }
        .unwrap_or(peer.itself())
    }

    /// The rightmost address that is not a trusted proxy's; the leftmost where all are. `None` where
    /// what is read on the way there is not an address.
    fn said<'a>(&self, lines: impl DoubleEndedIterator<Item = &'a [u8]>) -> Option<IpAddr> {
        let entries = lines.rev().flat_map(|line| line.rsplit(|b| *b == b','));
        let mut farthest = None;
        for entry in entries.take(MAX_HOPS) {
            let address = address(entry)?;
            farthest = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        farthest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl Peer {
    /// The caller where nobody says for whom it asks.
    pub fn itself(self) -> Caller {
        match self {
            Self::Single(address) => Caller::single(address),
            // A proxy that says nothing may ask for many.
            Self::Crowd(address) | Self::Proxy(address) => Caller::Crowd(address),
        }
    }
}

impl Caller {
    fn single(address: IpAddr) -> Self {
        Self::Single(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => Ipv6Net::new(v6, IPV6_PREFIX)
                .map_or(address, |network| IpAddr::V6(network.network())),
        })
    }
}

/// Some proxies add the port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse().ok();
    let address = address.or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Addresses of a cluster's or company's own network: RFC 1918, RFC 6598, RFC 4193, loopback and
/// link-local.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
