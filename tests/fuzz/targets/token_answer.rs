//! What a token endpoint, or whoever answers in its place, may say to a code. The first byte chooses
//! the status; some others stand for what was sent, which a hostile server can repeat.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use gmail_operator::domain::secret::ExposeSecret;
use gmail_operator::google::fuzzing::SignIn;
use gmail_operator_fuzz::{assert_safe_to_show, bounded};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "GOCSPX-client+secret";
const CODE: &str = "4/0Acode+of+this";
const STATUS: [u16; 8] = [200, 400, 401, 403, 404, 429, 500, 302];

static SIGN_IN: LazyLock<SignIn> = LazyLock::new(|| SignIn::new("1-a", SECRET, CODE).unwrap());

fuzz_target!(|data: &[u8]| {
    let Some((status, rest)) = data.split_first() else {
        return;
    };
    let mut body = Vec::with_capacity(rest.len());
    for byte in rest {
        match byte {
            1 => body.extend_from_slice(SECRET.as_bytes()),
            2 => body.extend_from_slice(CODE.as_bytes()),
            3 => body
                .extend(url::form_urlencoded::byte_serialize(CODE.as_bytes()).flat_map(str::bytes)),
            other => body.push(*other),
        }
    }
    let status = STATUS[usize::from(*status) % STATUS.len()];
    // Made before, since what it takes is not for this answer.
    let sign_in = &*SIGN_IN;
    let exchanged = bounded(body.len(), || sign_in.exchanged(status, &body));
    match exchanged {
        Ok(mut exchanged) => {
            assert_eq!(status, 200);
            let refresh = exchanged.refresh_token.as_ref();
            let tokens = [
                Some(exchanged.access_token.expose_secret()),
                refresh.map(|t| t.expose_secret()),
            ];
            for token in tokens.into_iter().flatten() {
                assert!(!token.is_empty() && token.len() <= body.len());
                assert!(token.bytes().all(|b| b.is_ascii_graphic()), "{token:?}");
            }
            let life = exchanged.expires_in.as_secs();
            assert!((1..=86400).contains(&life), "{life}");
            let refresh_life = exchanged.refresh_token_expires_in.unwrap_or_default();
            assert!(refresh_life <= Duration::from_secs(10 * 365 * 86400));
            for scope in &exchanged.scopes {
                assert!(!scope.is_empty() && scope.bytes().all(|b| b.is_ascii_graphic()));
            }
            let token = exchanged.access_token.expose_secret().to_owned();
            exchanged.scopes.clear();
            let shown = format!("{exchanged:?}");
            assert!(token.len() < 16 || !shown.contains(&token), "{shown}");
        }
        Err(error) => {
            let shown = error.to_string();
            assert_safe_to_show(&shown);
            let in_a_form: String = url::form_urlencoded::byte_serialize(CODE.as_bytes()).collect();
            for secret in [SECRET, CODE, &in_a_form] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
});
