//! The proxies at the start: what is logged of them, and whether the API server is behind one.

use hyper::Uri;
use secrecy::ExposeSecret;

use crate::domain::proxy::{Proxies, ProxyUrl};
use crate::domain::server::Endpoint;
use crate::net::detour::Detour;

/// Says who is reached through whom.
pub(super) fn tell(proxies: &Proxies) {
    let ways = [
        ("OAuth servers", &proxies.https),
        ("mail servers", &proxies.mail),
    ];
    for (servers, proxy) in ways {
        if let Some(proxy) = proxy {
            tracing::info!(%proxy, except = %proxies.except, "{servers} are reached through a proxy");
        }
    }
}

/// `config` without the proxy of `HTTPS_PROXY` where `NO_PROXY` names the API server: kube asks that of the
/// proxy's own name. In a pod kube uses no proxy at all, and one that a kubeconfig names stays.
pub(super) fn without_ours(mut config: kube::Config, proxies: &Proxies) -> kube::Config {
    let of_kube = config.proxy_url.as_ref().map(Uri::to_string);
    let of_kube = of_kube.and_then(|url| url.parse::<ProxyUrl>().ok());
    let is_ours = |ours: &&ProxyUrl| {
        let of_kube = of_kube.as_ref().map(ProxyUrl::expose_secret);
        of_kube == Some(ours.expose_secret())
    };
    if let Some(ours) = proxies.https.as_ref().filter(is_ours) {
        // In our spelling: kube refuses one without a scheme, and repeats it with its password.
        config.proxy_url = match is_direct(&config.cluster_url, proxies) {
            true => None,
            false => ours.expose_secret().parse().ok(),
        };
    }
    config
}

fn is_direct(server: &Uri, proxies: &Proxies) -> bool {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    let server = Endpoint::new(host, server.port_u16().unwrap_or(443));
    Detour::of_https(proxies).is_some_and(|detour| detour.toll(&server).is_none())
}
