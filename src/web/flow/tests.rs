use axum::http::HeaderValue;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::IntoResponse;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn keys(current: u8, previous: Option<u8>) -> CookieKeys {
    let key = |byte: u8| Key::from(&[byte; 64]);
    CookieKeys {
        current: key(current),
        previous: previous.map(key),
    }
}

fn flow(state: &str, now: Timestamp) -> Flow {
    let link = Link::new("crm", "support", "0b6f").unwrap();
    let binding = Binding {
        link: &link,
        client_id: "1-a",
        redirect_uri: "https://x/cb",
        issuer: "https://accounts.google.com",
        token_endpoint: "https://oauth2.googleapis.com/token",
    };
    let secrets = FlowSecrets {
        state: state.to_owned(),
        nonce: "the-nonce",
        verifier: "the-verifier",
    };
    Flow::new(&binding, secrets, now)
}

/// What the browser is told to keep, as `Set-Cookie` lines.
fn set(response: impl IntoResponse) -> Vec<String> {
    let response = response.into_response();
    let lines = response.headers().get_all(SET_COOKIE);
    lines
        .iter()
        .map(|l| l.to_str().unwrap().to_owned())
        .collect()
}

fn begin(browser: &HeaderMap, flow: &Flow, keys: &CookieKeys, https: bool) -> Vec<String> {
    let (dropped, begun) = FlowCookies::new(browser, https)
        .begin(flow, keys, now())
        .unwrap();
    set((dropped, begun))
}

/// A browser that keeps the first parts of `lines`.
fn browser<'a>(lines: impl IntoIterator<Item = &'a String>) -> HeaderMap {
    let pairs = lines.into_iter().map(|l| l.split(';').next().unwrap());
    let header = pairs.collect::<Vec<_>>().join("; ");
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&header).unwrap())])
}

fn open(browser: &HeaderMap, state: &str, keys: &CookieKeys) -> bool {
    FlowCookies::new(browser, true).open(state, keys).is_some()
}

#[test]
fn a_cookie_opens_with_its_key_alone_and_shows_nothing() {
    let begun = begin(&HeaderMap::new(), &flow("s1", now()), &keys(1, None), true);
    let [line] = begun.as_slice() else {
        panic!("{begun:?}")
    };
    for hidden in ["s1", "the-nonce", "the-verifier", "support"] {
        assert!(!line.contains(hidden), "{line}");
    }
    let back = browser(&begun);
    assert!(open(&back, "s1", &keys(1, None)));
    assert!(open(&back, "s1", &keys(2, Some(1))), "after a rotation");
    assert!(
        !open(&back, "s1", &keys(2, Some(3))),
        "another installation's"
    );
    assert!(!open(&back, "s2", &keys(1, None)), "another sign-in's");
    // The name is sealed with the value: one sign-in's cookie is not taken for another's.
    let value = line.split_once('=').unwrap().1.to_owned();
    let renamed = format!("{}={value}", FlowCookies::new(&back, true).name("s2"));
    assert!(!open(&browser(&[renamed]), "s2", &keys(1, None)));
}

#[test]
fn its_attributes_are_those_of_the_scheme() {
    let begun = begin(&HeaderMap::new(), &flow("s", now()), &keys(1, None), true);
    let (_, attributes) = begun[0].split_once("; ").unwrap();
    assert!(begun[0].starts_with("__Host-gmail-operator-signin-"));
    assert_eq!(
        attributes,
        "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"
    );
    let local = begin(&HeaderMap::new(), &flow("s", now()), &keys(1, None), false);
    assert!(local[0].starts_with("gmail-operator-signin-") && !local[0].contains("Secure"));
}

#[test]
fn it_ends_after_ten_minutes_whatever_the_browser_does() {
    let at = |seconds: i64| Timestamp::from_second(now().as_second() + seconds).unwrap();
    for (after, state, fits) in [
        (0, "s", true),
        (599, "s", true),
        (600, "s", false),
        (-1, "s", false),
        (0, "S", false),
        (0, "", false),
        (0, "ss", false),
    ] {
        assert_eq!(
            flow("s", now()).fits(state, at(after)),
            fits,
            "{after} {state}"
        );
    }
}

#[test]
fn the_oldest_gives_way() {
    let keys = keys(1, None);
    let mut kept: Vec<String> = Vec::new();
    for n in 0..5 {
        let began = Timestamp::from_second(now().as_second() + n).unwrap();
        kept.extend(begin(
            &browser(&kept),
            &flow(&n.to_string(), began),
            &keys,
            true,
        ));
    }
    assert_eq!(kept.len(), 5, "two tabs and more: none dropped");
    let sixth = begin(&browser(&kept), &flow("5", now()), &keys, true);
    assert_eq!(sixth.len(), 2, "{sixth:?}");
    let first = kept[0].split('=').next().unwrap();
    let dropped = sixth.iter().find(|line| line.starts_with(first)).unwrap();
    assert!(
        dropped.starts_with(&format!("{first}=;")) && dropped.contains("Max-Age=0"),
        "{dropped}"
    );
    assert!(
        dropped.contains("Secure") && dropped.contains("Path=/"),
        "else browsers ignore it"
    );
}

#[test]
fn what_cannot_be_opened_is_dropped() {
    let old = begin(&HeaderMap::new(), &flow("old", now()), &keys(9, None), true);
    let lines = begin(&browser(&old), &flow("new", now()), &keys(1, None), true);
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn an_ended_sign_in_leaves_the_browser() {
    let begun = begin(&HeaderMap::new(), &flow("s", now()), &keys(1, None), true);
    let ended = set(FlowCookies::new(&browser(&begun), true).end("s"));
    assert!(
        ended.len() == 1 && ended[0].contains("Max-Age=0"),
        "{ended:?}"
    );
}
