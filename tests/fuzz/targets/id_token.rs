//! ID tokens: who has not been named by the server for this sign-in is nobody.
#![no_main]

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use arbitrary::Arbitrary;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use gmail_operator::domain::address::EmailAddress;
use gmail_operator::google::fuzzing::SignIn;
use gmail_operator_fuzz::{assert_safe_to_show, bounded};
use libfuzzer_sys::fuzz_target;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

const CLIENT: &str = "1-a";
const NONCE: &str = "nonce-of-this-sign-in";
/// A person, who is named in no error.
const EMAIL: &str = "ann.of.the.secret.service@example.com";

struct World {
    sign_in: SignIn,
    key: EcdsaKeyPair,
    stranger: EcdsaKeyPair,
    keys: Vec<u8>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (key, stranger) = (new_key(), new_key());
    let point = key.public_key().as_ref();
    let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k",
        "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])}]});
    World {
        sign_in: SignIn::new(CLIENT, "GOCSPX-client-secret", "code").unwrap(),
        key,
        stranger,
        keys: keys.to_string().into_bytes(),
    }
});

/// What comes as an ID token.
#[derive(Arbitrary, Debug)]
enum Sent<'a> {
    /// Any text.
    Raw(&'a str),
    /// Claims of the server's own, some of them changed.
    Signed(Vec<Claim<'a>>),
    /// Claims in any form, in any header, but signed.
    Bare { header: &'a str, claims: &'a str },
    /// All that is right, signed by somebody else.
    Stranger { header: &'a str },
    /// A right token, with one byte changed.
    Changed(u16, u8),
    /// A right token, and other keys.
    Keys(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Claim<'a> {
    Text(u8, &'a str),
    Number(u8, i64),
    List(u8, Vec<&'a str>),
    Without(u8),
}

const CLAIMS: [&str; 10] = [
    "iss",
    "aud",
    "nonce",
    "exp",
    "iat",
    "sub",
    "email",
    "email_verified",
    "hd",
    "azp",
];

fuzz_target!(|sent: Sent<'_>| {
    let World {
        key,
        stranger,
        keys,
        ..
    } = &*WORLD;
    let good = || signed(key, HEADER, &claims().to_string());
    match sent {
        Sent::Raw(text) => assert!(verified(text, keys).is_none()),
        Sent::Signed(changes) => {
            let is_right = changes.is_empty();
            let claims = changed(changes).to_string();
            let token = signed(key, HEADER, &claims);
            assert!(!is_right || verified(&token, keys).is_some(), "{claims}");
            let_in_only_if_right(&token, &claims);
        }
        Sent::Bare { header, claims } => {
            let_in_only_if_right(&signed(key, header, claims), claims);
        }
        Sent::Stranger { header } => {
            let header = if header.is_empty() { HEADER } else { header };
            let token = signed(stranger, header, &claims().to_string());
            assert!(verified(&token, keys).is_none(), "{header}");
        }
        Sent::Changed(at, with) => {
            let mut token = good().into_bytes();
            let at = usize::from(at) % token.len();
            // The last letter of a part has bits that are none of its bytes.
            let is_inside = token.get(at + 1).is_some_and(|next| *next != b'.');
            if token[at] != with && is_inside && token[at] != b'.' {
                token[at] = with;
                let token = String::from_utf8_lossy(&token);
                assert!(verified(&token, keys).is_none(), "{token}");
            }
        }
        Sent::Keys(other) => drop(verified(&good(), other)),
    }
});

const HEADER: &str = r#"{"alg":"ES256","kid":"k"}"#;

fn let_in_only_if_right(token: &str, claims: &str) {
    let Some(sub) = verified(token, &WORLD.keys) else {
        return;
    };
    let claims: Value = serde_json::from_str(claims).unwrap();
    let of_client = claims["aud"] == CLIENT || claims["aud"] == json!([CLIENT]);
    assert!(of_client, "{claims}");
    assert_eq!(claims["iss"], WORLD.sign_in.issuer());
    assert_eq!(claims["nonce"], NONCE);
    assert_eq!(claims["sub"], sub.as_str());
    let (exp, iat) = (
        claims["exp"].as_f64().unwrap(),
        claims["iat"].as_f64().unwrap(),
    );
    assert!(
        exp > now() as f64 - 2.0 && (iat - now() as f64).abs() < 610.0,
        "{claims}"
    );
}

/// Who is named.
fn verified(token: &str, keys: &[u8]) -> Option<String> {
    let read = || WORLD.sign_in.verified(token, keys, NONCE);
    match bounded(token.len() + keys.len(), read)? {
        Ok(identity) => {
            assert!((1..=255).contains(&identity.subject.len()));
            assert!(identity.email.parse::<EmailAddress>().is_ok());
            assert!(
                identity
                    .hosted_domain
                    .is_none_or(|domain| domain.len() <= 253)
            );
            Some(identity.subject)
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert_safe_to_show(&shown);
            assert!(!shown.contains(EMAIL), "{shown}");
            None
        }
    }
}

fn claims() -> Value {
    json!({"iss": WORLD.sign_in.issuer(), "sub": "10769150350006150715113082367", "aud": CLIENT,
        "azp": CLIENT, "iat": now(), "exp": now() + 3600, "nonce": NONCE, "email": EMAIL,
        "email_verified": true, "hd": "example.com"})
}

fn changed(changes: Vec<Claim<'_>>) -> Value {
    let mut claims = claims();
    let name = |n: u8| CLAIMS[usize::from(n) % CLAIMS.len()];
    for change in changes {
        match change {
            Claim::Text(n, text) => claims[name(n)] = json!(text),
            Claim::Number(n, by) => claims[name(n)] = json!((now() as i64).saturating_add(by)),
            Claim::List(n, texts) => claims[name(n)] = json!(texts),
            Claim::Without(n) => drop(claims.as_object_mut().unwrap().remove(name(n))),
        }
    }
    claims
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

fn signed(key: &EcdsaKeyPair, header: &str, claims: &str) -> String {
    let text = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", BASE64.encode(signature.as_ref()))
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ES256, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ES256, document.as_ref(), &random).unwrap()
}
