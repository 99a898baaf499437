use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn proxies(networks: &[&str]) -> TrustedProxies {
    let networks = networks.iter().map(|text| TrustedProxies::network(text));
    TrustedProxies::new(
        networks
            .map(|n| n.unwrap_or_else(|e| panic!("{e}")))
            .collect(),
    )
}

#[test]
fn a_network_of_proxies_is_not_everybody() {
    for (text, wrong) in [
        ("", BadProxies::NotANetwork),
        ("10.1.2.3", BadProxies::NotANetwork),
        ("10.1.2.3/33", BadProxies::NotANetwork),
        ("ingress", BadProxies::NotANetwork),
        ("0.0.0.0/0", BadProxies::Everybody),
        ("::/0", BadProxies::Everybody),
    ] {
        assert_eq!(TrustedProxies::network(text), Err(wrong), "{text}");
    }
    assert!(TrustedProxies::network("10.1.2.3/32").is_ok());
    assert!(TrustedProxies::network("fd00::/8").is_ok());
}

#[test]
fn what_the_other_end_is() {
    let none = proxies(&[]);
    let some = proxies(&["10.1.0.0/16", "fd00:1::/64"]);
    for (address, without, with) in [
        ("10.1.2.3", "crowd", "proxy"),
        ("10.2.2.3", "crowd", "single"),
        ("127.0.0.1", "crowd", "single"),
        ("169.254.1.1", "crowd", "single"),
        ("100.64.0.1", "crowd", "single"),
        ("192.168.0.1", "crowd", "single"),
        ("::1", "crowd", "single"),
        ("fd00:1::7", "crowd", "proxy"),
        ("fe80::1", "crowd", "single"),
        // A socket for both kinds shows IPv4 like this.
        ("::ffff:10.1.2.3", "crowd", "proxy"),
        ("::ffff:203.0.113.7", "single", "single"),
        ("203.0.113.7", "single", "single"),
        ("100.128.0.1", "single", "single"),
        ("2001:db8::1", "single", "single"),
    ] {
        let name = |peer| match peer {
            Peer::Proxy(_) => "proxy",
            Peer::Crowd(_) => "crowd",
            Peer::Single(_) => "single",
        };
        let got = (name(none.peer(ip(address))), name(some.peer(ip(address))));
        assert_eq!(got, (without, with), "{address}");
    }
}

#[test]
fn only_what_trusted_proxies_have_added_is_believed() {
    let proxies = proxies(&["10.1.0.0/16", "203.0.113.0/24"]);
    let proxy = proxies.peer(ip("10.1.2.3"));
    let long = format!("{}8.8.8.8", "10.1.0.1,".repeat(MAX_HOPS));
    let longer = format!("198.51.100.1{}", ",10.1.0.1".repeat(MAX_HOPS));
    let own = Caller::Crowd(ip("10.1.2.3"));
    let of = |text| Caller::Single(ip(text));
    for (lines, caller) in [
        (vec![], own),
        (vec![""], own),
        (vec!["198.51.100.1"], of("198.51.100.1")),
        // What the browser itself sent stands on the left.
        (vec!["8.8.8.8, 198.51.100.1"], of("198.51.100.1")),
        (vec!["8.8.8.8", "198.51.100.1"], of("198.51.100.1")),
        (vec!["junk, 198.51.100.1"], of("198.51.100.1")),
        // A proxy before the proxy.
        (
            vec!["8.8.8.8, 198.51.100.1, 203.0.113.9"],
            of("198.51.100.1"),
        ),
        (
            vec!["8.8.8.8, 198.51.100.1", "203.0.113.9"],
            of("198.51.100.1"),
        ),
        (
            vec!["198.51.100.1,10.1.9.9,203.0.113.9"],
            of("198.51.100.1"),
        ),
        (vec!["10.1.7.7, 203.0.113.9"], of("10.1.7.7")),
        // With a port, in brackets, and IPv6 by its network.
        (vec!["198.51.100.1:4711"], of("198.51.100.1")),
        (vec!["2001:db8:1:2:3:4:5:6"], of("2001:db8:1:2::")),
        (vec!["[2001:db8:1:2:3:4:5:6]"], of("2001:db8:1:2::")),
        (vec!["[2001:db8:1:2::9]:443"], of("2001:db8:1:2::")),
        (vec!["::ffff:198.51.100.1"], of("198.51.100.1")),
        // Junk where an address has to be.
        (vec!["198.51.100.1, junk"], own),
        (vec!["198.51.100.1,"], own),
        (vec!["unknown"], own),
        (vec!["198.51.100.1 8.8.8.8"], own),
        (vec!["\u{202e}198.51.100.1"], own),
        (vec!["198.51.100.1, junk, 203.0.113.9"], own),
        (vec![long.as_str()], of("8.8.8.8")),
        (vec![longer.as_str()], of("10.1.0.1")),
    ] {
        let got = proxies.caller(proxy, lines.iter().map(|line| line.as_bytes()));
        assert_eq!(got, caller, "{lines:?}");
    }
    let not_text: &[u8] = b"198.51.100.1, \xff";
    assert_eq!(proxies.caller(proxy, [not_text].into_iter()), own);
}

#[test]
fn nobody_else_is_believed() {
    let header: &[u8] = b"8.8.8.8";
    let none = proxies(&[]);
    for (address, caller) in [
        ("203.0.113.7", Caller::Single(ip("203.0.113.7"))),
        ("2001:db8:1:2:3:4:5:6", Caller::Single(ip("2001:db8:1:2::"))),
        ("10.1.2.3", Caller::Crowd(ip("10.1.2.3"))),
    ] {
        let peer = none.peer(ip(address));
        assert_eq!(none.caller(peer, [header].into_iter()), caller);
    }
    let others = proxies(&["10.9.0.0/16"]);
    let peer = others.peer(ip("10.1.2.3"));
    assert_eq!(
        others.caller(peer, [header].into_iter()),
        Caller::Single(ip("10.1.2.3"))
    );
}
