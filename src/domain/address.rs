//! E-mail addresses, and which of them name the same Google account.

use std::fmt;
use std::str::FromStr;

/// The longest address (RFC 5321 section 4.5.3.1.3, less the angle brackets).
const MAX_ADDRESS: usize = 254;
/// The longest local part (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// An e-mail address: one `@`, ASCII, a dot-string before it and a domain with at least one dot
/// after it. Kept as written.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EmailAddress {
    text: String,
    at: usize,
}

/// Why a text is not an address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "not one e-mail address such as ann@example.com, in ASCII (an international domain as xn--)"
)]
pub struct NotAnAddress;

impl FromStr for EmailAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let (local, domain) = text.split_once('@').ok_or(NotAnAddress)?;
        let local_ok = !local.is_empty()
            && local.len() <= MAX_LOCAL_PART
            && local
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
        let label_ok = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let domain_ok = domain.contains('.') && domain.split('.').all(label_ok);
        if text.len() > MAX_ADDRESS || !local_ok || !domain_ok {
            return Err(NotAnAddress);
        }
        Ok(Self {
            text: text.to_owned(),
            at: local.len(),
        })
    }
}

impl EmailAddress {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// Whether both name the same Google account: without case, and without dots in the local part
    /// at gmail.com and googlemail.com, which are one domain. A `+tag` is another address.
    pub fn is_same_account(&self, other: &EmailAddress) -> bool {
        self.account_key() == other.account_key()
    }

    /// A text that is equal for addresses of the same Google account.
    pub fn account_key(&self) -> String {
        let local = self.local_part().to_ascii_lowercase();
        match self.domain().to_ascii_lowercase().as_str() {
            "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
            domain => format!("{local}@{domain}"),
        }
    }

    /// Whether it is of a personal Google account: at gmail.com or googlemail.com.
    pub fn is_personal(&self) -> bool {
        self.account_key().ends_with("@gmail.com")
    }

    /// Whether it fits a pattern such as `*@example.com`: `*` in the local part stands for any
    /// text, the domain is compared whole, both without case.
    pub fn matches(&self, pattern: &str) -> bool {
        let Some((local, domain)) = pattern.rsplit_once('@') else {
            return false;
        };
        domain.eq_ignore_ascii_case(self.domain())
            && glob(
                &local.to_ascii_lowercase(),
                &self.local_part().to_ascii_lowercase(),
            )
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut middle: Vec<&str> = parts.collect();
    let Some(last) = middle.pop() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> EmailAddress {
        text.parse()
            .unwrap_or_else(|_| panic!("{text} is an address"))
    }

    #[test]
    fn refuses_what_is_not_one_address() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "a@b@example.com",
            "an n@example.com",
            "ann@example",
            "ann@-x.com",
            "ann@exa mple.com",
            "änn@example.com",
            "ann@exämple.com",
            "ann@example.com\r\n",
            "<ann@example.com>",
            long.as_str(),
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn one_account_under_several_spellings() {
        for (a, b, same) in [
            ("Ann@Example.com", "ann@example.COM", true),
            ("a.n.n@gmail.com", "ann@googlemail.com", true),
            ("a.nn@example.com", "ann@example.com", false),
            ("ann+x@gmail.com", "ann@gmail.com", false),
        ] {
            assert_eq!(address(a).is_same_account(&address(b)), same, "{a} {b}");
        }
    }

    #[test]
    fn patterns_match_the_local_part_only() {
        for (pattern, fits) in [
            ("*@example.com", true),
            ("ann@example.com", true),
            ("a*@example.com", true),
            ("*n*n@Example.com", true),
            ("b*@example.com", false),
            ("*@other.com", false),
            ("*@*", false),
            ("*", false),
            ("an@example.com", false),
            ("*ann*b@example.com", false),
        ] {
            assert_eq!(
                address("ann@example.com").matches(pattern),
                fits,
                "{pattern}"
            );
        }
    }
}
