//! Stand-ins: the same thing is the same word everywhere in a report, and nobody reads back what it was.

use std::collections::HashMap;

use regex::{Captures, Regex};

/// Numbers in the order in which things were first seen, from 1.
#[derive(Debug, Default)]
struct Numbers(HashMap<String, usize>);

impl Numbers {
    fn of(&mut self, thing: &str) -> usize {
        let next = self.0.len() + 1;
        *self.0.entry(thing.to_lowercase()).or_insert(next)
    }
}

/// Stand-ins for e-mail addresses: `ann@example.com` is `user-1@example.com`. The domain tells which
/// organisation and which of its rules; who in it is nobody else's business.
#[derive(Debug)]
pub struct Addresses {
    pattern: Regex,
    numbers: Numbers,
}

/// Wider than RFC 5322 section 3.4.1: a server, or whoever wrote a text, may have been careless. U+FF20
/// and U+FE6B are the other signs that look like `@`.
const ADDRESS: &str = concat!(
    r#"(?P<local>"[^"\n]+"|[^\s@＠﹫<>()\[\]{},;:"\\]+)"#,
    r"(?P<at>(?:[@＠﹫]|%40)+)",
    r"(?P<domain>\[[^\]\s]+\]|[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?)",
);

/// Words before a `=` that are a field's name and not a part of the address.
const FIELDS: [&str; 13] = [
    "account",
    "address",
    "contact",
    "email",
    "from",
    "login",
    "login_hint",
    "mail",
    "mailbox",
    "recipient",
    "sender",
    "to",
    "user",
];

impl Addresses {
    /// None seen yet.
    ///
    /// # Errors
    /// The pattern is not one, which a test rules out.
    pub fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            pattern: Regex::new(ADDRESS)?,
            numbers: Numbers::default(),
        })
    }

    /// `text` with a stand-in for each address.
    pub fn replaced(&mut self, text: &str) -> String {
        let numbers = &mut self.numbers;
        let replaced = self
            .pattern
            .replace_all(text, |found: &Captures<'_>| stand_in(numbers, found));
        replaced.into_owned()
    }
}

fn stand_in(numbers: &mut Numbers, found: &Captures<'_>) -> String {
    let (before, local) = split(&found["local"]);
    let domain = found["domain"].to_lowercase();
    // `*@example.com` is nobody, and `image@sha256:…` no address.
    if local == "*" || ["sha256", "sha512"].contains(&domain.as_str()) {
        return found[0].to_owned();
    }
    let number = numbers.of(&format!("{local}@{domain}"));
    format!("{before}user-{number}{}{domain}", &found["at"])
}

/// What stands before an address without a gap, and the local part.
fn split(text: &str) -> (&str, &str) {
    if text.starts_with('"') {
        return ("", text);
    }
    let is_edge = |c: char| "/?&|`".contains(c);
    let mut at = text.rfind(is_edge).map_or(0, |edge| edge + 1);
    let rest = text.get(at..).unwrap_or_default();
    if let Some((field, _)) = rest.split_once('=')
        && (field.is_empty() || FIELDS.contains(&field.to_lowercase().as_str()))
    {
        at += field.len() + 1;
    }
    let rest = text.get(at..).unwrap_or_default();
    at += rest.len() - rest.trim_start_matches('\'').len();
    text.split_at(at)
}

/// Stand-ins for UUIDs: a Mailbox's is the last part of its sign-in link and of its grant's name.
#[derive(Debug)]
pub struct Uids {
    pattern: Regex,
    numbers: Numbers,
}

impl Uids {
    /// None seen yet.
    ///
    /// # Errors
    /// As [`Addresses::new`].
    pub fn new() -> Result<Self, regex::Error> {
        // RFC 9562 section 4.
        let pattern = Regex::new(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")?;
        Ok(Self {
            pattern,
            numbers: Numbers::default(),
        })
    }

    /// `text` with a stand-in for each UUID.
    pub fn replaced(&mut self, text: &str) -> String {
        let numbers = &mut self.numbers;
        let replaced = self.pattern.replace_all(text, |found: &Captures<'_>| {
            format!("uid-{}", numbers.of(&found[0]))
        });
        replaced.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_stand_in_everywhere() {
        let mut addresses = Addresses::new().unwrap_or_else(|error| panic!("{error}"));
        for (text, replaced) in [
            ("ann@example.com", "user-1@example.com"),
            ("Ann <ANN@Example.COM>.", "Ann <user-1@example.com>."),
            (
                "email=ann@example.com to=bob@example.com",
                "email=user-1@example.com to=user-2@example.com",
            ),
            (
                r#"{"account":"ann@example.com"}"#,
                r#"{"account":"user-1@example.com"}"#,
            ),
            ("'ann@example.com'", "'user-1@example.com'"),
            ("mailto:ann@example.com,", "mailto:user-1@example.com,"),
            (
                "https://a.example/x?login_hint=ann%40example.com&y=1",
                "https://a.example/x?login_hint=user-1%40example.com&y=1",
            ),
            // Somebody is really called so.
            ("user-1@example.com", "user-3@example.com"),
            ("o'brien@example.com", "user-4@example.com"),
            (r#""ann b"@example.com"#, "user-5@example.com"),
            ("bounce+ann=example.com@relay.test", "user-6@relay.test"),
            ("änn@exämple.com", "user-7@exämple.com"),
            ("ann@@localhost", "user-8@@localhost"),
            ("ann＠[192.0.2.1]", "user-9＠[192.0.2.1]"),
            ("*@example.com", "*@example.com"),
            (
                "r.example/gmail-operator@sha256:00ff",
                "r.example/gmail-operator@sha256:00ff",
            ),
            ("nobody @ home", "nobody @ home"),
        ] {
            assert_eq!(addresses.replaced(text), replaced);
        }
    }

    #[test]
    fn a_uid_is_the_same_stand_in_everywhere() {
        let mut uids = Uids::new().unwrap_or_else(|error| panic!("{error}"));
        let one = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let text = format!("signin/crm/a/{one} grant-{one} {}", one.to_uppercase());
        assert_eq!(uids.replaced(&text), "signin/crm/a/uid-1 grant-uid-1 uid-1");
    }
}
