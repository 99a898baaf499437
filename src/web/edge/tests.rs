use axum::body::Body;

use super::*;

fn request(target: &str, hosts: &[&str]) -> Request {
    let mut request = Request::builder().uri(target);
    for host in hosts {
        request = request.header(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
    }
    request.body(Body::empty()).unwrap()
}

#[test]
fn a_request_means_one_host_which_is_ours() {
    let public_url: PublicUrl = "https://mail.example.com/gmail".parse().unwrap();
    for (target, hosts, addressed_to) in [
        ("/", vec!["mail.example.com"], Addressed::Us),
        ("/", vec!["MAIL.example.com:443"], Addressed::Us),
        ("/", vec!["evil.example"], Addressed::Other("evil.example")),
        (
            "/",
            vec!["10.1.2.3:8080"],
            Addressed::Other("10.1.2.3:8080"),
        ),
        (
            "/",
            vec!["mail.example.com:8443"],
            Addressed::Other("mail.example.com:8443"),
        ),
        ("/", vec![], Addressed::Nobody),
        ("/", vec![""], Addressed::Nobody),
        (
            "/",
            vec!["mail.example.com", "mail.example.com"],
            Addressed::Nobody,
        ),
        (
            "/",
            vec!["mail.example.com", "evil.example"],
            Addressed::Nobody,
        ),
        ("/", vec!["ann@mail.example.com"], Addressed::Nobody),
        ("/", vec!["mail.example.com/x"], Addressed::Nobody),
        ("/", vec!["mail example.com"], Addressed::Nobody),
        ("/", vec!["mäil.example.com"], Addressed::Nobody),
        (
            "https://mail.example.com/",
            vec!["mail.example.com"],
            Addressed::Us,
        ),
        (
            "https://evil.example/",
            vec!["mail.example.com"],
            Addressed::Other("evil.example"),
        ),
        (
            "https://mail.example.com/",
            vec!["evil.example"],
            Addressed::Other("evil.example"),
        ),
        ("https://mail.example.com/", vec![], Addressed::Nobody),
    ] {
        let request = request(target, &hosts);
        let got = addressed(&public_url, &request);
        assert_eq!(got, addressed_to, "{target} {hosts:?}");
    }
}

/// How many requests of `caller` are answered before the first 429.
fn answered(edge: &Edge, method: &str, target: &str, caller: &str) -> usize {
    let peer = edge.peer("10.1.2.3".parse().unwrap());
    (0..)
        .take_while(|_| {
            let mut request = request(target, &["mail.example.com"]);
            *request.method_mut() = method.parse().unwrap();
            request
                .headers_mut()
                .insert(FORWARDED_FOR, caller.parse().unwrap());
            request.extensions_mut().insert(peer);
            match edge.turns_away(&request) {
                None => true,
                Some(response) => {
                    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
                    let wait = response.headers()[RETRY_AFTER].to_str().unwrap();
                    assert!((1..=3).contains(&wait.parse().unwrap()), "{wait}");
                    false
                }
            }
        })
        .count()
}

#[test]
fn what_costs_more_is_given_less_often() {
    let proxies = TrustedProxies::new(vec!["10.1.0.0/16".parse().unwrap()]);
    let edge = Edge::new("https://mail.example.com/gmail".parse().unwrap(), proxies);
    let link = "/gmail/signin/crm/support/0b6f";
    for (method, target, caller, at_once) in [
        ("GET", link, "203.0.113.1", 50..60),
        ("GET", "/nothing", "203.0.113.2", 50..60),
        ("POST", link, "203.0.113.3", 20..22),
        (
            "GET",
            "/gmail/oauth2/callback?state=s&code=c",
            "203.0.113.4",
            20..22,
        ),
        // Of one browser's several requests each counts by itself.
        ("POST", link, "203.0.113.1", 20..22),
        ("POST", link, "junk", 200..220),
    ] {
        let got = answered(&edge, method, target, caller);
        assert!(at_once.contains(&got), "{method} {target} {caller}: {got}");
    }
}
