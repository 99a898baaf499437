use rcgen::{KeyPair, PublicKeyData, SigningKey};
use serde_json::{Value, json};

use super::super::testing::answering;
use super::*;
use crate::domain::secret::AccessToken;
use crate::google::IdToken;
use crate::net::http::scripted::Script;

const CLIENT: &str = "1-a";
const NONCE: &str = "nonce-of-this-sign-in";

/// base64url without padding (RFC 7515 section 2).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = bytes.chunks(3).flat_map(|three| {
        let bits = (0..3).fold(0, |bits, i| {
            bits << 8 | u32::from(*three.get(i).unwrap_or(&0))
        });
        (0..=three.len()).map(move |i| DIGITS[(bits >> (18 - 6 * i)) as usize & 63] as char)
    });
    digits.collect()
}

/// An ECDSA signature as JWS has it, r and s of 32 bytes each (RFC 7518 section 3.4), from DER.
fn jws(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut signature = Vec::new();
    for _ in 0..2 {
        let (number, after) = rest[2..].split_at(rest[1].into());
        let number = &number[number.len().saturating_sub(32)..];
        signature.resize(signature.len() + 32 - number.len(), 0);
        signature.extend_from_slice(number);
        rest = after;
    }
    signature
}

fn signed(key: &KeyPair, header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| base64(part.to_string().as_bytes()));
    let text = format!("{header}.{claims}");
    let signature = jws(&key.sign(text.as_bytes()).unwrap());
    format!("{text}.{}", base64(&signature))
}

fn keys(key: &KeyPair) -> Value {
    let point = key.der_bytes();
    json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k",
        "x": base64(&point[1..33]), "y": base64(&point[33..])}]})
}

fn exchanged(id_token: Option<String>) -> Exchanged {
    Exchanged {
        access_token: AccessToken::new("ya29.a"),
        expires_in: Duration::from_secs(3599),
        refresh_token: None,
        scopes: Default::default(),
        id_token: id_token.map(IdToken::from),
        refresh_token_expires_in: None,
    }
}

struct World {
    google: Google,
    key: KeyPair,
    claims: Value,
    _server: crate::net::http::scripted::Scripted,
}

impl World {
    async fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let (google, server) = answering(Script::json("200 OK", &keys(&key).to_string())).await;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let claims = json!({"iss": google.endpoints.issuer_text(), "sub": "10769150350006150715113082367",
            "aud": CLIENT, "azp": CLIENT, "iat": now, "exp": now + 3600, "nonce": NONCE,
            "email": "Ann@example.com", "email_verified": true, "hd": "example.com"});
        Self {
            google,
            key,
            claims,
            _server: server,
        }
    }

    async fn verify(&self, token: String) -> Result<Identity, IdentityError> {
        let nonce = SignInNonce::new(NONCE);
        self.google
            .verify(&exchanged(Some(token)), CLIENT, &nonce)
            .await
    }

    /// Verifies a token with one claim changed, or left out.
    async fn with(&self, claim: &str, value: Value) -> Result<Identity, IdentityError> {
        let mut claims = self.claims.clone();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
            value => claims[claim] = value,
        }
        let header = json!({"alg": "ES256", "kid": "k", "typ": "JWT"});
        self.verify(signed(&self.key, &header, &claims)).await
    }
}

#[tokio::test]
async fn an_id_token_that_holds_names_the_account() {
    let world = World::new().await;
    let identity = world.with("aud", json!([CLIENT])).await.unwrap();
    assert_eq!(identity.issuer, world.google.endpoints.issuer_text());
    assert_eq!(identity.subject, "10769150350006150715113082367");
    assert_eq!(identity.email, "Ann@example.com");
    assert_eq!(identity.hosted_domain.as_deref(), Some("example.com"));
    assert!(identity.email_verified);
    for unverified in [Value::Null, json!(false)] {
        let identity = world.with("email_verified", unverified).await.unwrap();
        assert!(!identity.email_verified);
    }
    let personal = world.with("hd", Value::Null).await.unwrap();
    assert_eq!(personal.hosted_domain, None);
}

#[tokio::test]
async fn each_claim_is_checked() {
    let world = World::new().await;
    let now = world.claims["iat"].as_u64().unwrap();
    for (claim, value, why) in [
        (
            "iss",
            json!("https://accounts.google.com"),
            "another server",
        ),
        (
            "iss",
            json!(format!("{}/", world.google.endpoints.issuer_text())),
            "another server",
        ),
        ("iss", Value::Null, "cannot be read"),
        ("aud", json!("2-b"), "another client"),
        ("aud", json!([CLIENT, "2-b"]), "another client"),
        ("exp", json!(now - 1), "not of now"),
        ("iat", json!(now - 3600), "not of now"),
        ("iat", json!(now + 3600), "not of now"),
        ("nonce", json!("another"), "another sign-in"),
        ("nonce", Value::Null, "another sign-in"),
        ("sub", json!(""), "no account"),
        ("sub", json!("x".repeat(256)), "no account"),
        ("sub", json!("a\nb"), "no account"),
        ("email", Value::Null, "no e-mail address"),
        (
            "email",
            json!("ann@example.com\r\nX: y"),
            "no e-mail address",
        ),
    ] {
        match world.with(claim, value.clone()).await {
            Err(IdentityError::NotProved(words)) => assert!(words.contains(why), "{claim} {words}"),
            other => panic!("{claim} {value} {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_signature_is_checked() {
    let world = World::new().await;
    let good = json!({"alg": "ES256", "kid": "k"});
    let stranger = KeyPair::generate().unwrap();
    let token = signed(&world.key, &good, &world.claims);
    let (text, signature) = token.rsplit_once('.').unwrap();
    let other = json!({"sub": "other"});
    let [_, claims, _] = Vec::from_iter(token.split('.'))[..] else {
        panic!()
    };
    for (forged, why) in [
        (signed(&stranger, &good, &world.claims), "not signed"),
        (
            signed(
                &world.key,
                &json!({"alg": "ES256", "kid": "x"}),
                &world.claims,
            ),
            "not signed",
        ),
        (
            format!("{}.{claims}.", base64(br#"{"alg":"none"}"#)),
            "not signed",
        ),
        (
            format!(
                "{}.{claims}.{signature}",
                base64(br#"{"alg":"HS256","kid":"k"}"#)
            ),
            "not signed",
        ),
        (
            format!(
                "{}.{claims}.{signature}",
                base64(br#"{"alg":"RS256","kid":"k"}"#)
            ),
            "not signed",
        ),
        (format!("{text}."), "not signed"),
        (text.to_owned(), "cannot be read"),
        (String::new(), "cannot be read"),
        (signed(&world.key, &good, &other), "cannot be read"),
    ] {
        match world.verify(forged.clone()).await {
            Err(IdentityError::NotProved(words)) => {
                assert!(words.contains(why), "{forged} {words}")
            }
            other => panic!("{forged} {other:?}"),
        }
    }
}

#[tokio::test]
async fn no_token_and_no_keys_are_told_apart() {
    let nonce = SignInNonce::new(NONCE);
    let world = World::new().await;
    let missing = world.google.verify(&exchanged(None), CLIENT, &nonce).await;
    assert_eq!(missing, Err(IdentityError::Missing));

    let token = signed(
        &world.key,
        &json!({"alg": "ES256", "kid": "k"}),
        &world.claims,
    );
    for script in [
        Script::json("503 Service Unavailable", "{}"),
        Script::json("404 Not Found", r#"{"error":"invalid_request"}"#),
        Script::answer("200 OK", "text/html", "<html>"),
        Script::json("200 OK", "{}"),
    ] {
        let (google, _server) = answering(script).await;
        let exchanged = exchanged(Some(token.clone()));
        let outcome = google.verify(&exchanged, CLIENT, &nonce).await;
        let Err(IdentityError::Unavailable(OAuthError::Unavailable { .. })) = outcome else {
            panic!("{outcome:?}");
        };
    }
}
