//! What must not be passed on, in any text: secrets are cut, people are replaced.
//!
//! The operator writes no secret into a log, an Event or a status. This is the last line of defence for
//! what a sidecar, a person or a mail server may have written there.

use regex::{Captures, Regex};
use serde_json::Value;

use super::stand_ins::{Addresses, Uids};
use crate::kubectl::page::safe;

/// What stands in the place of what was cut.
pub const CUT: &str = "(cut)";

/// What becomes of e-mail addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressPolicy {
    /// Each has a stand-in.
    Replace,
    /// They stay as they are.
    Keep,
}

/// Each with what it is replaced by, in the order in which they are applied.
const SECRETS: [(&str, &str); 13] = [
    // RFC 7468; one without its end may be a part of a longer text.
    (
        r"(?s)-----BEGIN ([A-Z0-9 ]{1,40})-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\z)",
        "(cut: $1)",
    ),
    // The user and password of a URL, RFC 3986 section 3.2.1.
    (r#"://[^/\s"'<>]*@"#, "://(cut)@"),
    // RFC 9110 section 11.6.2 and RFC 6265 section 4: to the end of the line or the string.
    (
        r#"(?i)(authorization|set-cookie|cookie)(\\*["']?\s*[=:]\s*\\*["']?)[^\n"]+"#,
        "$1$2(cut)",
    ),
    // SASL XOAUTH2, and RFC 6750 section 2.1.
    (
        r"(?i)(?-u:\b)(bearer)(?:\s|%20)+[A-Za-z0-9_.~+/=-]{8,}",
        "$1 (cut)",
    ),
    (r"(?i)(?-u:\b)(basic)\s+[A-Za-z0-9+/=]{16,}", "$1 (cut)"),
    // Google's forms, as they are and as they look in a URL and in JSON: access token, refresh token,
    // authorisation code, client secret, API key.
    (r"ya29\.[A-Za-z0-9_.-]+", CUT),
    (r"(?-u:\b)1(?:/|\\/|%2[Ff]){2}[A-Za-z0-9_-]{6,}", CUT),
    // Names have no capitals: crm-4/support is none.
    (r"(?-u:\b)4(?:/|\\/|%2[Ff])[01][A-Z][A-Za-z0-9_-]{8,}", CUT),
    (r"GOCSPX-[A-Za-z0-9_-]+", CUT),
    (r"AIza[A-Za-z0-9_-]{20,}", CUT),
    // JWTs, RFC 7519 section 3: both begin with {".
    (r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*", CUT),
    // What says of itself that it is one.
    (
        r#"(?i)(client_?secret|refresh_?token|access_?token|id_?token|code_?verifier|passw(?:or)?d|passphrase|api_?key|private_?key|assertion)(\\*["']?\s*[=:]\s*)(?:Some\()?(?:\\+"[^"\\]*\\*"?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'\\&,;}\]]+)"#,
        "$1$2(cut)",
    ),
    // The parameters of RFC 6749 section 4.1.2 and of OpenID Connect Core section 3.1.2.1.
    (
        r#"([?&](?:code|state|nonce|token|key|sig|signature|id_token_hint|session_state|code_challenge)=)[^&\s"'<>]+"#,
        "$1(cut)",
    ),
];

/// Long words of base64 or of its form for URLs.
const LONG_WORD: &str = r"[A-Za-z0-9_+/=-]{24,}";

/// Takes out of any text what must not be passed on.
#[derive(Debug)]
pub struct Redactor {
    secrets: Vec<(Regex, &'static str)>,
    long_word: Regex,
    addresses: Option<Addresses>,
    uids: Uids,
}

impl Redactor {
    /// Has seen nothing yet.
    ///
    /// # Errors
    /// A pattern is not one, which a test rules out.
    pub fn new(addresses: AddressPolicy) -> Result<Self, regex::Error> {
        let secrets = SECRETS.iter().map(|(pattern, instead)| {
            let pattern = Regex::new(pattern)?;
            Ok((pattern, *instead))
        });
        Ok(Self {
            secrets: secrets.collect::<Result<_, regex::Error>>()?,
            long_word: Regex::new(LONG_WORD)?,
            addresses: match addresses {
                AddressPolicy::Replace => Some(Addresses::new()?),
                AddressPolicy::Keep => None,
            },
            uids: Uids::new()?,
        })
    }

    /// `raw` without secrets, people and control characters. Its lines are kept.
    pub fn text(&mut self, raw: &str) -> String {
        // First: a control character within a token would hide it.
        let lines: Vec<String> = raw.split('\n').map(safe).collect();
        let mut text = lines.join("\n");
        for (pattern, instead) in &self.secrets {
            text = pattern.replace_all(&text, *instead).into_owned();
        }
        if let Some(addresses) = &mut self.addresses {
            text = addresses.replaced(&text);
        }
        text = self.uids.replaced(&text);
        let word = |found: &Captures<'_>| match is_random(&found[0]) {
            true => CUT.to_owned(),
            false => found[0].to_owned(),
        };
        self.long_word.replace_all(&text, word).into_owned()
    }

    /// The same for every string of `value`, the names of fields included: those of labels and of
    /// annotations are free text.
    pub fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.into_iter();
                fields
                    .map(|(name, value)| (self.text(&name), self.value(value)))
                    .collect()
            }
            other => other,
        }
    }
}

/// Whether a word looks as if it was drawn by lot: it has capitals, small letters and digits, and goes
/// from one to the other at every third character at least. Digests and names have no capitals.
fn is_random(word: &str) -> bool {
    let kinds: Vec<u8> = word.bytes().map(kind).collect();
    let has = |kind| kinds.contains(&kind);
    let changes = kinds.windows(2).filter(|pair| pair.first() != pair.last());
    has(0) && has(1) && has(2) && changes.count() * 3 >= kinds.len()
}

fn kind(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor(addresses: AddressPolicy) -> Redactor {
        Redactor::new(addresses).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What stands in `⟦ ⟧` must not be there afterwards, wherever the text is put.
    const HOSTILE: [&str; 36] = [
        "⟦ya29.a0AfH6SMBx-y_z⟧",
        "⟦1//0gdXyz-abc_DEF⟧",
        r"1\/\/⟦0gdXyz-abcDEF⟧",
        "1%2F%2F⟦0gdXyz-abcDEF⟧",
        "⟦1/fFAGRNJru1FTz70BzhT3Zg⟧",
        "⟦4/0AX4XfWjYl_longer⟧",
        "code=4%2F⟦0AX4XfWjYl_longer⟧",
        "⟦GOCSPX-abcdefgh-1234⟧",
        "GOCSPX-⟦abc\u{1}def⟧",
        "ya29\u{200e}.⟦a0AfH6SMB⟧",
        "⟦AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe⟧",
        "Authorization: Basic ⟦YW5uOnNlY3JldA==⟧",
        "authorization: ⟦abc def⟧",
        r#""Authorization": "Bearer ⟦abc⟧""#,
        "Cookie: __Host-flow=⟦abc; other=def⟧",
        "set-cookie: session=⟦short⟧; Secure",
        "Bearer ⟦abcdefgh⟧",
        "user=x auth=Bearer ⟦abc-def.ghi⟧",
        "⟦eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl⟧",
        "client_secret=⟦plain-words⟧&x=1",
        r#"{"client_secret":"⟦two words⟧","x":1}"#,
        r#"{\"client_secret\":\"⟦two words⟧\",\"x\":1}"#,
        r#"refresh_token: Some("⟦abc def⟧")"#,
        "accessToken = '⟦abc def⟧'",
        "password: ⟦hunter2⟧",
        "PASSWD=⟦hunter2⟧",
        "https://x.example/oauth2/callback?state=⟦abc⟧&code=⟦def⟧",
        "https://x.example/?a=1&token=⟦abc⟧",
        "http://⟦ann:pa@ss⟧@proxy.example:3128/",
        "-----BEGIN PRIVATE KEY-----\n⟦MIIE\nabc⟧\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\n⟦MIIE\nabc⟧",
        "⟦dXNlcj1hbm5AZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgeWEyOS5hYmM=⟧",
        "⟦q1W2e3R4t5Y6u7I8o9P0a1S2⟧",
        "⟦ann.smith⟧@example.com",
        "a sign-in: https://x.example/signin/crm/support/⟦0f8fad5b-d9cb-469f-a165-70867728950e⟧",
        "grant-⟦0f8fad5b-d9cb-469f-a165-70867728950e⟧",
    ];

    /// The text, and what must not be left of it.
    fn hostile(marked: &str) -> (String, Vec<String>) {
        let secrets = marked.split('⟦').skip(1);
        let secrets = secrets.filter_map(|part| part.split('⟧').next());
        let secrets = secrets.flat_map(str::lines).map(str::to_owned).collect();
        (marked.replace(['⟦', '⟧'], ""), secrets)
    }

    #[test]
    fn nothing_survives_that_must_not() {
        let mut redactor = redactor(AddressPolicy::Replace);
        for (prefix, suffix) in [
            ("", ""),
            ("said \"", "\"."),
            ("{\"message\":\"x ", " y\"}"),
            ("a=1 ", "\nnext line"),
        ] {
            for marked in HOSTILE {
                let (text, secrets) = hostile(marked);
                assert!(!secrets.is_empty(), "{marked}");
                let said = redactor.text(&format!("{prefix}{text}{suffix}"));
                for secret in secrets {
                    assert!(!said.contains(&secret), "{secret} is in {said}");
                }
            }
        }
    }

    #[test]
    fn what_support_needs_stays() {
        let mut redactor = redactor(AddressPolicy::Replace);
        for text in [
            "2026-11-26T19:13:23.123456Z DEBUG gmail_operator::controller: mailbox=crm/support reason=AuthenticationRefused until=2026-11-26T20:13:23Z",
            "sha256:4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
            "registry.example.com/gmail-operator:0.1.0",
            "123456789012-abcdefghijklmnopqrstuvwxyz012345.apps.googleusercontent.com",
            "535-5.7.8 Username and Password not accepted. For more information, go to (URL)",
            "connecting to imap.gmail.com:993: the connection was refused (os error 111)",
            "the Secret mail/google-oauth-client has no key client_secret.json",
            "op-1/gmail-operator-7d9c8b6f5d-x2x4z and crm-4/support-mailboxes",
            "10.0.0.4/24 and 2001:db8::1/64",
            "/apis/gmail-operator.dev/v1alpha1/namespaces/crm/mailboxes/support",
            "kubectl.kubernetes.io/last-applied-configuration",
            "Google refused the client secret: invalid_client",
            "the access token could not be renewed now; it is tried again",
        ] {
            assert_eq!(redactor.text(text), text);
        }
    }

    #[test]
    fn one_person_is_one_stand_in_over_fields_and_texts() {
        let mut redactor = redactor(AddressPolicy::Replace);
        let status = json!({
            "account": "ann@example.com",
            "conditions": [{ "message": "bob@example.com signed in, not Ann@example.com" }],
        });
        assert_eq!(
            redactor.value(status),
            json!({
                "account": "user-1@example.com",
                "conditions": [{ "message": "user-2@example.com signed in, not user-1@example.com" }],
            })
        );
        assert_eq!(
            redactor.text("INFO account=bob@example.com"),
            "INFO account=user-2@example.com"
        );
        let labels = redactor.value(json!({ "bob@example.com": true }));
        assert_eq!(labels, json!({ "user-2@example.com": true }));
    }

    #[test]
    fn addresses_can_be_kept_and_secrets_cannot() {
        let mut redactor = redactor(AddressPolicy::Keep);
        assert_eq!(
            redactor.text("ann@example.com has GOCSPX-abc"),
            "ann@example.com has (cut)"
        );
    }
}
