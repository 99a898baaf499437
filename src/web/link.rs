//! Which Mailbox a sign-in link names.

use crate::domain::name::ObjectName;

/// The longest name of a Mailbox or of a namespace.
const MAX_NAME: usize = 63;
/// The longest uid; the API server's have 36 characters.
const MAX_UID: usize = 64;

/// A Mailbox by name and uid: the uid makes the link one that cannot be guessed, and that ends with
/// the Mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Link {
    /// The Mailbox.
    pub mailbox: ObjectName,
    /// Its uid.
    pub uid: String,
}

impl Link {
    /// `None` for what no Mailbox can be called. The names become part of a path at the API server,
    /// so that nothing else may be in them.
    pub fn new(namespace: &str, name: &str, uid: &str) -> Option<Self> {
        let is_uid = !uid.is_empty()
            && uid.len() <= MAX_UID
            && uid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (is_name(namespace) && is_name(name) && is_uid).then(|| Self {
            mailbox: ObjectName::new(namespace, name),
            uid: uid.to_owned(),
        })
    }
}

/// RFC 1123, as the API server has it.
fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= MAX_NAME
        && text.bytes().next().is_some_and(inner)
        && text.bytes().next_back().is_some_and(inner)
        && text.bytes().all(|b| inner(b) || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_reach_the_api_server() {
        let uid = "0b6f2d6e-4f0e-4b0a-9f57-2b8f3c1d9e10";
        assert!(Link::new("crm", "support.eu-1", uid).is_some());
        let long = "a".repeat(64);
        for bad in [
            "", "..", ".a", "a/", "a/b", "a%2fb", "a?x", "A", "ä", " a", "a\n", &long,
        ] {
            assert!(Link::new(bad, "support", uid).is_none(), "{bad:?}");
            assert!(Link::new("crm", bad, uid).is_none(), "{bad:?}");
        }
        for bad in ["", "a/b", "a_b", "*", &"a".repeat(65)] {
            assert!(Link::new("crm", "support", bad).is_none(), "{bad:?}");
        }
    }
}
