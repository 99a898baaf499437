use axum::http::HeaderValue;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::IntoResponse;
use axum_extra::extract::cookie::Key;

use super::super::flow::{Binding, Flow, FlowSecrets, Purpose};
use super::super::link::Link;
use super::super::session::Session;
use super::*;
use crate::domain::grant::Account;

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
        purpose: Purpose::Consent,
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

fn url(https: bool) -> PublicUrl {
    let text = match https {
        true => "https://mail.example.com/gmail",
        false => "http://localhost:8080",
    };
    text.parse().unwrap()
}

fn begin(browser: &HeaderMap, flow: &Flow, keys: &CookieKeys, https: bool) -> Vec<String> {
    let cookies = Cookies::new(browser, &url(https)).keep(flow, keys, now());
    set((cookies.unwrap(), ()))
}

/// A browser that keeps the first parts of `lines`.
fn browser<'a>(lines: impl IntoIterator<Item = &'a String>) -> HeaderMap {
    let pairs = lines.into_iter().map(|l| l.split(';').next().unwrap());
    let header = pairs.collect::<Vec<_>>().join("; ");
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&header).unwrap())])
}

fn open(browser: &HeaderMap, state: &str, keys: &CookieKeys) -> bool {
    let cookies = Cookies::new(browser, &url(true));
    cookies.open::<Flow>(state, keys).is_some()
}

#[test]
fn a_cookie_opens_with_its_key_alone_and_shows_nothing() {
    let begun = begin(
        &HeaderMap::new(),
        &flow("state-1", now()),
        &keys(1, None),
        true,
    );
    let [line] = begun.as_slice() else {
        panic!("{begun:?}")
    };
    for hidden in ["state-1", "the-nonce", "the-verifier", "support"] {
        assert!(!line.contains(hidden), "{line}");
    }
    let back = browser(&begun);
    assert!(open(&back, "state-1", &keys(1, None)));
    assert!(
        open(&back, "state-1", &keys(2, Some(1))),
        "after a rotation"
    );
    assert!(
        !open(&back, "state-1", &keys(2, Some(3))),
        "another installation's"
    );
    assert!(!open(&back, "state-2", &keys(1, None)), "another sign-in's");
    // The name is sealed with the value: one sign-in's cookie is not taken for another's.
    let value = line.split_once('=').unwrap().1.to_owned();
    let name = Cookies::new(&back, &url(true)).names.of::<Flow>("state-2");
    let renamed = format!("{name}={value}");
    assert!(!open(&browser(&[renamed]), "state-2", &keys(1, None)));
}

#[test]
fn its_attributes_are_those_of_the_scheme() {
    let begun = begin(&HeaderMap::new(), &flow("s", now()), &keys(1, None), true);
    let (_, attributes) = begun[0].split_once("; ").unwrap();
    assert!(begun[0].starts_with("__Host-gmail-operator-") && begun[0].contains("-signin-"));
    assert_eq!(
        attributes,
        "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1200"
    );
    let local = begin(&HeaderMap::new(), &flow("s", now()), &keys(1, None), false);
    assert!(local[0].starts_with("gmail-operator-") && !local[0].contains("Secure"));
}

#[test]
fn it_ends_after_ten_minutes_whatever_the_browser_does() {
    let at = |seconds: i64| Timestamp::from_second(now().as_second() + seconds).unwrap();
    for (after, in_time) in [(0, true), (599, true), (600, false), (-1, false)] {
        assert_eq!(flow("s", now()).is_in_time(at(after)), in_time, "{after}");
    }
}

#[test]
fn installations_on_one_host_keep_theirs_apart() {
    let begun = begin(&HeaderMap::new(), &flow("s", now()), &keys(1, None), true);
    let back = browser(&begun);
    for (other, has) in [
        ("https://mail.example.com/gmail", true),
        ("https://mail.example.com/other", false),
        ("https://mail.example.com", false),
    ] {
        let cookies = Cookies::new(&back, &other.parse().unwrap());
        assert_eq!(cookies.has::<Flow>("s"), has, "{other}");
        assert_eq!(cookies.has_any::<Flow>(), has, "{other}");
    }
}

#[test]
fn a_session_is_of_one_account_and_one_hour() {
    let account = |issuer: &str, subject: &str| Account {
        issuer: issuer.into(),
        subject: subject.into(),
        email: "ann@example.com".parse().unwrap(),
    };
    let identity = crate::google::Identity {
        issuer: "i".into(),
        subject: "s".into(),
        email: "ann@example.com".into(),
        email_verified: true,
        hosted_domain: None,
    };
    let session = Session::new("0b6f", &identity, now());
    let at = |seconds: i64| Timestamp::from_second(now().as_second() + seconds).unwrap();
    for (account, after, yes) in [
        (account("i", "s"), 0, true),
        (account("i", "s"), 3599, true),
        (account("i", "s"), 3600, false),
        (account("i", "s"), -1, false),
        (account("j", "s"), 0, false),
        (account("i", "t"), 0, false),
    ] {
        assert_eq!(
            session.is_of(&account, at(after)),
            yes,
            "{account:?} {after}"
        );
    }
    // Of another Mailbox it is not asked for, and its seal covers its name.
    let kept = Cookies::new(&HeaderMap::new(), &url(true)).keep(&session, &keys(1, None), now());
    let back = browser(&set((kept.unwrap(), ())));
    let cookies = Cookies::new(&back, &url(true));
    assert!(cookies.open::<Session>("0b6f", &keys(1, None)).is_some());
    assert!(cookies.open::<Session>("ffff", &keys(1, None)).is_none());
    assert!(cookies.open::<Flow>("0b6f", &keys(1, None)).is_none());
}

#[test]
fn the_oldest_gives_way() {
    let keys = keys(1, None);
    let mut kept: Vec<String> = Vec::new();
    for n in 0..4 {
        let began = Timestamp::from_second(now().as_second() + n).unwrap();
        kept.extend(begin(
            &browser(&kept),
            &flow(&n.to_string(), began),
            &keys,
            true,
        ));
    }
    assert_eq!(kept.len(), 4, "two tabs and more: none dropped");
    let fifth = begin(&browser(&kept), &flow("4", now()), &keys, true);
    assert_eq!(fifth.len(), 2, "{fifth:?}");
    let first = kept[0].split('=').next().unwrap();
    let dropped = fifth.iter().find(|line| line.starts_with(first)).unwrap();
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
    let ended = set((
        Cookies::new(&browser(&begun), &url(true)).drop::<Flow>("s"),
        (),
    ));
    assert!(
        ended.len() == 1 && ended[0].contains("Max-Age=0"),
        "{ended:?}"
    );
}
