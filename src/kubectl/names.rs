//! Names of Mailboxes and profiles.

/// A name that a Mailbox or a GmailServerProfile can have: an RFC 1123 subdomain of at most 63 characters.
///
/// # Errors
/// What a name is made of.
pub fn object_name(text: &str) -> Result<String, String> {
    let good = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if text.len() <= 63 && text.split('.').all(good) {
        Ok(text.to_owned())
    } else {
        Err("a name has at most 63 lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_the_kind_allows_are_asked_for() {
        for (name, good) in [
            ("google", true),
            ("g.1-a", true),
            ("Google", false),
            ("", false),
            ("-a", false),
            ("a..b", false),
        ] {
            assert_eq!(object_name(name).is_ok(), good, "{name}");
        }
        assert!(object_name(&"a".repeat(64)).is_err());
    }
}
