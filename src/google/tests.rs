//! Every call against every kind of answer.

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

use super::testing::{answering, client, google};
use super::*;
use crate::domain::endpoints::MAIL_SCOPE;
use crate::domain::refusal::Refusal;
use crate::domain::secret::{
    AccessToken, AuthorizationCode, CodeVerifier, ExposeSecret, RefreshToken, SignInNonce,
};
use crate::net::http::scripted::Script;

const CODE: &str = "4/0Acode";
const TOKEN: &str = "1//0refresh-token";
const SECRETS: [&str; 4] = [CODE, TOKEN, "GOCSPX-client+secret", "verifier-verifier"];

fn redirect() -> Url {
    "https://mail.example.com/oauth2/callback".parse().unwrap()
}

async fn exchange(google: &Google) -> Result<Exchanged, OAuthError> {
    let verifier = CodeVerifier::new("verifier-verifier");
    google
        .exchange(
            &client(),
            &redirect(),
            &AuthorizationCode::new(CODE),
            &verifier,
        )
        .await
}

async fn refresh(google: &Google) -> Result<Refreshed, OAuthError> {
    google.refresh(&client(), &RefreshToken::new(TOKEN)).await
}

/// What each call makes of one answer.
async fn all(script: Script) -> [Option<OAuthError>; 4] {
    let (google, _server) = answering(script).await;
    let (client, redirect, token) = (client(), redirect(), RefreshToken::new(TOKEN));
    let (exchanged, refreshed, revoked, checked) = tokio::join!(
        exchange(&google),
        refresh(&google),
        google.revoke(&token),
        google.check_client(&client, &redirect),
    );
    let errors = [
        exchanged.err(),
        refreshed.err(),
        revoked.err(),
        checked.err(),
    ];
    for error in errors.iter().flatten() {
        let shown = format!("{error} {error:?}");
        assert!(
            !SECRETS.iter().any(|secret| shown.contains(secret)),
            "{shown}"
        );
    }
    errors
}

fn refused(error: &str, description: &str) -> Option<OAuthError> {
    Some(OAuthError::Refused(Refusal {
        error: error.into(),
        description: description.into(),
        subtype: String::new(),
    }))
}

#[test]
fn the_issuer_of_a_callback_is_required_to_the_letter() {
    let google = google();
    assert!(google.check_issuer(Some("https://accounts.google.com")));
    for iss in [
        None,
        Some(""),
        Some("https://accounts.google.com/"),
        Some("accounts.google.com"),
        Some("https://ACCOUNTS.google.com"),
    ] {
        assert!(!google.check_issuer(iss), "{iss:?}");
    }
    assert_eq!(google.issuer().as_str(), "https://accounts.google.com");
}

#[tokio::test]
async fn an_exchange_sends_and_gives_all() {
    let (google, server) = answering(Script::json("200 OK", r#"{"access_token":"ya29.a","expires_in":3599,"refresh_token":"1//0r","scope":"https://mail.google.com/ openid https://www.googleapis.com/auth/userinfo.email","token_type":"Bearer","id_token":"x.y.z","refresh_token_expires_in":604799}"#)).await;
    let exchanged = exchange(&google).await.unwrap();
    assert_eq!(exchanged.access_token.expose_secret(), "ya29.a");
    assert_eq!(exchanged.refresh_token, Some(RefreshToken::new("1//0r")));
    assert_eq!(exchanged.expires_in.as_secs(), 3599);
    assert!(exchanged.scopes.contains(MAIL_SCOPE) && exchanged.scopes.len() == 3);
    let life = exchanged.refresh_token_expires_in.map(|d| d.as_secs());
    assert_eq!(life, Some(604_799));
    let shown = format!("{exchanged:?}");
    assert!(
        !shown.contains("x.y.z") && !shown.contains("ya29"),
        "{shown}"
    );

    let request = &server.requests()[0];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /token HTTP/1.1") && !head.contains("authorization:"));
    let sent: BTreeSet<&str> = body.split('&').collect();
    let expected = [
        "grant_type=authorization_code",
        "code=4%2F0Acode",
        "client_id=1-a",
        "client_secret=GOCSPX-client%2Bsecret",
        "code_verifier=verifier-verifier",
        "redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth2%2Fcallback",
    ];
    assert_eq!(sent, expected.into());
}

#[tokio::test]
async fn a_renewal_sends_no_scope() {
    let answer = r#"{"access_token":"ya29.b","token_type":"Bearer","id_token":5}"#;
    let (google, server) = answering(Script::json("200 OK", answer)).await;
    let refreshed = refresh(&google).await.unwrap();
    assert_eq!(refreshed.expires_in.as_secs(), 3599);
    assert_eq!((refreshed.refresh_token, refreshed.scopes), (None, None));
    let request = &server.requests()[0];
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let sent: BTreeSet<&str> = body.split('&').collect();
    let expected = [
        "grant_type=refresh_token",
        "refresh_token=1%2F%2F0refresh-token",
        "client_id=1-a",
        "client_secret=GOCSPX-client%2Bsecret",
    ];
    assert_eq!(sent, expected.into());
}

#[tokio::test]
async fn a_revocation_carries_the_token_in_its_body() {
    let (google, server) = answering(Script::json("200 OK", "{}")).await;
    assert_eq!(google.revoke(&RefreshToken::new(TOKEN)).await, Ok(()));
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /revoke HTTP/1.1"));
    assert!(request.ends_with("\r\n\r\ntoken=1%2F%2F0refresh-token&token_type_hint=refresh_token"));
}

#[tokio::test]
async fn oauth_words_are_refusals_without_what_was_sent() {
    let refusal = |words: &str| refused("invalid_client", words);
    let said = |words: &str| {
        let body = format!(r#"{{"error":"invalid_client","error_description":"{words}"}}"#);
        Script::json("401 Unauthorized", &body)
    };
    let errors = all(said("Bad client")).await;
    assert_eq!(errors, [(); 4].map(|()| refusal("Bad client")));

    // A server can repeat only what it was sent.
    let (google, _server) =
        answering(said("GOCSPX-client+secret 4/0Acode verifier-verifier")).await;
    assert_eq!(exchange(&google).await.err(), refusal("… … …"));
    let (google, _server) = answering(said("GOCSPX-client%2Bsecret 1//0refresh-token")).await;
    assert_eq!(refresh(&google).await.err(), refusal("… …"));
    let (google, _server) = answering(said("no 1%2F%2F0refresh-token")).await;
    let revoked = google.revoke(&RefreshToken::new(TOKEN)).await;
    assert_eq!(revoked.err(), refusal("no …"));
}

#[tokio::test]
async fn a_used_code_and_a_dead_token_prove_the_client() {
    let said = r#"{"error":"invalid_grant","error_description":"Bad Request"}"#;
    let dead = refused("invalid_grant", "Bad Request");
    let errors = all(Script::json("400 Bad Request", said)).await;
    assert_eq!(errors, [dead.clone(), dead.clone(), dead, None]);

    let said = r#"{"error":"redirect_uri_mismatch"}"#;
    let [.., check] = all(Script::json("400 Bad Request", said)).await;
    assert_eq!(check, None);
    for (said, answer) in [
        ("invalid_grant", ClientAnswer::Good),
        ("redirect_uri_mismatch", ClientAnswer::RedirectMismatch),
    ] {
        let said = format!(r#"{{"error":"{said}"}}"#);
        let (google, _server) = answering(Script::json("400 Bad Request", &said)).await;
        let checked = google.check_client(&client(), &redirect()).await;
        assert_eq!(checked, Ok(answer));
    }

    let said = r#"{"error":"invalid_token","error_description":"Token expired or revoked"}"#;
    let [_, _, revoke, _] = all(Script::json("400 Bad Request", said)).await;
    assert_eq!(revoke, None);
}

#[tokio::test]
async fn anything_else_is_unavailable() {
    let oauth = r#"{"error":"invalid_grant"}"#;
    let html = "<html>Sign in to the hotel's network</html>";
    let redirect = "HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n";
    let chunked = "HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n";
    let (down, busy, foreign) = (Trouble::Down, Trouble::Busy, Trouble::NotOAuth);
    for (script, words, wanted) in [
        (
            Script::json("500 Internal Server Error", oauth),
            "HTTP 500",
            down,
        ),
        (
            Script::json("503 Service Unavailable", oauth),
            "HTTP 503",
            down,
        ),
        (
            Script::json("429 Too Many Requests", oauth),
            "HTTP 429",
            busy,
        ),
        (Script::json("408 Request Timeout", oauth), "HTTP 408", busy),
        (Script::json("404 Not Found", oauth), "HTTP 404", foreign),
        (
            Script::json("405 Method Not Allowed", oauth),
            "HTTP 405",
            foreign,
        ),
        (
            Script::json("407 Proxy Authentication Required", oauth),
            "HTTP 407",
            foreign,
        ),
        (Script::json("204 No Content", ""), "HTTP 204", foreign),
        (
            Script::answer("400 Bad Request", "text/html; charset=utf-8", html),
            "HTTP 400 with a web page, not as an OAuth server does",
            foreign,
        ),
        (
            Script::json("403 Forbidden", r#"{"error":{"code":403}}"#),
            "HTTP 403, not as an OAuth server does",
            foreign,
        ),
        (
            Script::json("403 Forbidden", r#"{"error":"rate_limit_exceeded"}"#),
            "rate_limit_exceeded",
            busy,
        ),
        (
            Script::json("400 Bad Request", r#"{"error":"internal_failure"}"#),
            "internal_failure",
            busy,
        ),
        (
            Script::Say(redirect.into()),
            "HTTP 302 with a redirect, which is not followed",
            foreign,
        ),
        (Script::Say("garbage\r\n\r\n".into()), "broke off", down),
        (Script::Say(Vec::new()), "broke off", down),
        (
            Script::Endless(chunked.into()),
            "more than 65536 bytes",
            down,
        ),
        (Script::Silent, "did not answer in time", down),
    ] {
        for (call, error) in all(script).await.into_iter().enumerate() {
            let Some(OAuthError::Unavailable { detail, kind, .. }) = &error else {
                panic!("{words} {call} {error:?}");
            };
            assert!(detail.contains(words), "{words} {call} {detail}");
            assert_eq!(*kind, wanted, "{words} {call}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_from_a_blip() {
    let (google, server) = answering(Script::Silent).await;
    let (_, other) = answering(Script::Silent).await;
    let endpoints = OAuthEndpoints {
        token: format!("https://localhost:{}/token", other.port)
            .parse()
            .unwrap(),
        ..google.endpoints.as_ref().clone()
    };
    // The client of one server trusts that one alone, and may reach both.
    let google = Google::new(endpoints, server.client_for(&[other.port]));
    match google.check_client(&client(), &redirect()).await {
        Err(OAuthError::Unavailable { kind, detail, .. }) => {
            assert_eq!(kind, Trouble::NotTrusted, "{detail}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_unavailable() {
    for script in [
        Script::answer("200 OK", "text/html", "<html>Sign in to the hotel</html>"),
        Script::json("200 OK", ""),
        Script::json("200 OK", r#"{"access_token":"ya29.secret-token"}"#),
        Script::json(
            "200 OK",
            r#"{"access_token":"a","token_type":"Bearer","expires_in":"ya29.secret-token"}"#,
        ),
        Script::json("200 OK", r#"{"error":"invalid_grant"}"#),
    ] {
        let [exchange, refresh, _, check] = all(script).await;
        for error in [exchange, refresh, check] {
            assert!(
                matches!(error, Some(OAuthError::Unavailable { .. })),
                "{error:?}"
            );
            assert!(!format!("{error:?}").contains("secret-token"));
        }
    }
}

#[tokio::test]
async fn what_is_not_allowed_is_not_sent() {
    let (google, server) = answering(Script::Silent).await;
    let endpoints = OAuthEndpoints {
        token: "https://evil.example.com/token".parse().unwrap(),
        ..google.endpoints.as_ref().clone()
    };
    let google = Google::new(endpoints, server.client());
    let outcome = exchange(&google).await;
    assert!(matches!(outcome, Err(OAuthError::NotAllowed(_))));
}

#[tokio::test]
async fn every_call_may_move_between_threads() {
    fn movable<T: Send>(future: T) -> T {
        future
    }
    let google = google();
    let (client, redirect, token) = (client(), redirect(), RefreshToken::new(TOKEN));
    let (code, verifier) = (AuthorizationCode::new(CODE), CodeVerifier::new("v"));
    drop(movable(
        google.exchange(&client, &redirect, &code, &verifier),
    ));
    drop(movable(google.refresh(&client, &token)));
    drop(movable(google.revoke(&token)));
    drop(movable(google.check_client(&client, &redirect)));
    let exchanged = Exchanged {
        access_token: AccessToken::new("a"),
        expires_in: Duration::from_secs(1),
        refresh_token: None,
        scopes: BTreeSet::new(),
        id_token: None,
        refresh_token_expires_in: None,
    };
    let nonce = SignInNonce::new("n");
    drop(movable(google.verify(&exchanged, "1-a", &nonce)));
}
