//! Where the operator may connect to: Google's own hosts at public addresses, and what the cluster
//! admin allows on the command line. A profile's author is not the cluster admin; without this a
//! profile could send tokens to any host, or reach into the cluster's network.

use std::net::IpAddr;

use ipnet::IpNet;

use super::server::Endpoint;

/// Google's mail and OAuth hosts (developers.google.com/workspace/gmail/imap/imap-smtp and
/// accounts.google.com/.well-known/openid-configuration).
const GOOGLE: [(&str, u16); 8] = [
    ("imap.gmail.com", 993),
    ("pop.gmail.com", 995),
    ("smtp.gmail.com", 465),
    ("smtp.gmail.com", 587),
    ("accounts.google.com", 443),
    ("oauth2.googleapis.com", 443),
    ("openidconnect.googleapis.com", 443),
    ("www.googleapis.com", 443),
];

/// What the cluster admin allows beside Google.
#[derive(Clone, Debug, Default)]
pub struct EgressPolicy {
    endpoints: Vec<Endpoint>,
    networks: Vec<IpNet>,
}

/// A connection that is not allowed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAllowed {
    /// The host is not Google's and `--allow-endpoint` does not name it.
    #[error(
        "{0} is not one of Google's servers and the operator's --allow-endpoint does not name it"
    )]
    Endpoint(Endpoint),
    /// The address is not public and `--allow-cidr` does not contain it.
    #[error(
        "{endpoint} has the address {address}, which is not public, and the operator's --allow-cidr does not contain it"
    )]
    Address {
        /// The host that was asked for.
        endpoint: Endpoint,
        /// What it resolved to.
        address: IpAddr,
    },
}

impl EgressPolicy {
    /// Google, `endpoints`, and `networks` for addresses that are not public.
    pub fn new(endpoints: Vec<Endpoint>, networks: Vec<IpNet>) -> Self {
        Self {
            endpoints,
            networks,
        }
    }

    /// Whether `endpoint` may be connected to at all, before its name is resolved.
    ///
    /// # Errors
    /// [`NotAllowed::Endpoint`].
    pub fn permits(&self, endpoint: &Endpoint) -> Result<(), NotAllowed> {
        let google = GOOGLE
            .iter()
            .any(|(host, port)| endpoint.host == *host && endpoint.port == *port);
        if google || self.endpoints.contains(endpoint) {
            Ok(())
        } else {
            Err(NotAllowed::Endpoint(endpoint.clone()))
        }
    }

    /// Whether a connection for `endpoint` may be made to `address`: to be asked of the very
    /// address that is connected to, since names may resolve differently each time.
    ///
    /// # Errors
    /// [`NotAllowed::Address`].
    pub fn permits_address(&self, endpoint: &Endpoint, address: IpAddr) -> Result<(), NotAllowed> {
        let canonical = address.to_canonical();
        if is_public(canonical) || self.networks.iter().any(|net| net.contains(&canonical)) {
            Ok(())
        } else {
            Err(NotAllowed::Address {
                endpoint: endpoint.clone(),
                address,
            })
        }
    }
}

/// Public as the IANA special-purpose address registries have it; when in doubt, not.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(a == 0
                || a == 10
                || a == 127
                || a >= 224
                || (a == 100 && (64..128).contains(&b))
                || (a == 169 && b == 254)
                || (a == 172 && (16..32).contains(&b))
                || (a == 192 && b == 168)
                || (a == 192 && b == 0 && (c == 0 || c == 2))
                || (a == 198 && (b == 18 || b == 19 || (b == 51 && c == 100)))
                || (a == 203 && b == 0 && c == 113)
                // Alibaba Cloud's metadata service.
                || v4.octets() == [100, 100, 100, 200])
        }
        // Only global unicast, without its documentation, 6to4, Teredo and NAT64-local parts.
        IpAddr::V6(v6) => {
            let s = v6.segments();
            (s[0] & 0xe000) == 0x2000
                && s[0] != 0x2002
                && s[0] != 0x3fff
                && !(s[0] == 0x2001 && (s[1] == 0xdb8 || s[1] < 0x200))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_and_what_is_named_is_permitted() {
        let policy = EgressPolicy::new(vec![Endpoint::new("Mail.Lab", 993)], vec![]);
        for (host, port, ok) in [
            ("imap.gmail.com", 993, true),
            ("IMAP.gmail.com.", 993, true),
            ("imap.gmail.com", 143, false),
            ("mail.lab", 993, true),
            ("mail.lab", 994, false),
            ("evil.com", 993, false),
            ("imap.gmail.com.evil.com", 993, false),
            ("169.254.169.254", 80, false),
        ] {
            assert_eq!(
                policy.permits(&Endpoint::new(host, port)).is_ok(),
                ok,
                "{host}:{port}"
            );
        }
    }

    #[test]
    fn addresses_that_are_not_public_need_a_network() {
        let endpoint = Endpoint::new("x", 1);
        let allowed = EgressPolicy::new(
            vec![],
            vec!["10.1.0.0/16".parse().unwrap_or_else(|_| unreachable!())],
        );
        for (address, ok) in [
            ("142.250.1.1", true),
            ("2607:f8b0::1", true),
            ("127.0.0.1", false),
            ("::1", false),
            ("10.2.0.1", false),
            ("10.1.9.9", true),
            ("::ffff:10.1.9.9", true),
            ("::ffff:169.254.169.254", false),
            ("169.254.169.254", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("100.100.100.200", false),
            ("192.168.1.1", false),
            ("172.20.0.1", false),
            ("0.0.0.0", false),
            ("::", false),
            ("224.0.0.1", false),
            ("2001:db8::1", false),
            // NAT64 (RFC 6052, RFC 8215) leads to the IPv4 address in its end: here a private one,
            // the metadata service, and the same under the local prefix.
            ("64:ff9b::a01:909", false),
            ("64:ff9b::10.2.0.1", false),
            ("64:ff9b::169.254.169.254", false),
            ("64:ff9b:1::169.254.169.254", false),
            ("::169.254.169.254", false),
            ("::ffff:0:169.254.169.254", false),
            ("2002:a01:909::1", false),
        ] {
            let address: IpAddr = address.parse().unwrap_or_else(|_| panic!("{address}"));
            assert_eq!(
                allowed.permits_address(&endpoint, address).is_ok(),
                ok,
                "{address}"
            );
        }
    }
}
