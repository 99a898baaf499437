//! What an IMAP server says, taken apart.

use imap_proto::{self, MailboxDatum, NameAttribute};

/// What a status response says (RFC 3501 section 7.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    Ok,
    No,
    Bad,
    PreAuth,
    Bye,
}

/// One response (RFC 3501 section 7).
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Response {
    /// `+`: the server waits for more of the command.
    Continue,
    /// A status that belongs to no command, with its text.
    Untagged(Status, String),
    /// Something else that begins with `*`.
    Data,
    /// The end of a command: its tag, status and text.
    Tagged(String, Status, String),
}

/// All that came for one command.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: Status,
    /// The status's text, with its code in brackets.
    pub(super) text: String,
    /// The untagged responses that are no status.
    pub(super) data: Vec<Vec<u8>>,
}

/// What a refusal holds that will pass without anybody's help: codes of RFC 5530 and what Gmail is
/// known to say (gmail-protocol.md section c), in lower case.
const TRANSIENT: [&str; 8] = [
    "[unavailable",
    "[limit",
    "[throttled",
    "[inuse",
    "[serverbug",
    "[overquota",
    "too many simultaneous connections",
    "bandwidth limits",
];

impl Response {
    /// None where it is not IMAP.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        if line.starts_with('+') {
            return Some(Self::Continue);
        }
        let (tag, rest) = line.split_once(' ')?;
        let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = match word.to_ascii_uppercase().as_str() {
            "OK" => Some(Status::Ok),
            "NO" => Some(Status::No),
            "BAD" => Some(Status::Bad),
            "PREAUTH" => Some(Status::PreAuth),
            "BYE" => Some(Status::Bye),
            _ => None,
        };
        match (tag, status) {
            ("*", Some(status)) => Some(Self::Untagged(status, text.to_owned())),
            ("*", None) => Some(Self::Data),
            (tag, Some(status)) => Some(Self::Tagged(tag.to_owned(), status, text.to_owned())),
            (_, None) => None,
        }
    }
}

impl Answer {
    /// Whether a refusal will pass.
    pub(super) fn is_transient(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        TRANSIENT.iter().any(|words| text.contains(words))
    }

    /// The numbers of `* SEARCH`.
    pub(super) fn found(&self) -> Vec<u32> {
        self.words("SEARCH")
            .filter_map(|word| word.parse().ok())
            .collect()
    }

    /// Whether `* CAPABILITY` names `capability`.
    pub(super) fn has_capability(&self, capability: &str) -> bool {
        self.words("CAPABILITY")
            .any(|word| word.eq_ignore_ascii_case(capability))
    }

    /// The mailbox with the special use `\Trash`, quoted. None as well where its name has
    /// characters that would need more than quotes.
    pub(super) fn trash(&self) -> Option<String> {
        self.data.iter().find_map(|line| {
            let mut line = line.clone();
            line.extend(b"\r\n");
            match imap_proto::Response::parse(&line) {
                Ok((_, imap_proto::Response::MailboxData(MailboxDatum::List(mailbox))))
                    if mailbox.name_attributes.contains(&NameAttribute::Trash) =>
                {
                    let quoted = quoted(&mailbox.name);
                    (quoted.len() == mailbox.name.len() + 2).then_some(quoted)
                }
                _ => None,
            }
        })
    }

    fn words<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.data
            .iter()
            .filter_map(|line| std::str::from_utf8(line).ok())
            .map(|line| line.split_ascii_whitespace().skip(1))
            .filter_map(move |mut words| {
                let is_kind = words.next()?.eq_ignore_ascii_case(kind);
                is_kind.then_some(words)
            })
            .flatten()
    }
}

/// The length of the literal that a line ends in announcing. Only names of mailboxes may be
/// literals in what is asked for here, and status texts may end in any way.
pub(super) fn announced_literal(response: &[u8]) -> Option<u64> {
    let is_list = response
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"* LIST "));
    let line = std::str::from_utf8(response).ok()?.lines().last()?;
    let (_, length) = line.strip_suffix('}')?.rsplit_once('{')?;
    if is_list { length.parse().ok() } else { None }
}

/// `text` as a quoted string (RFC 3501 section 9), without the characters that cannot be in one;
/// no Message-ID has them (RFC 5322 section 3.6.4).
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars().filter(|c| matches!(c, ' '..='~')) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(data: &[&str]) -> Answer {
        Answer {
            status: Status::Ok,
            text: String::new(),
            data: data.iter().map(|line| line.as_bytes().to_vec()).collect(),
        }
    }

    #[test]
    fn responses_are_told_apart() {
        let tagged = |text: &str| Response::Tagged("a1".to_owned(), Status::No, text.to_owned());
        for (line, response) in [
            ("+ idling", Some(Response::Continue)),
            ("+", Some(Response::Continue)),
            (
                "* bye",
                Some(Response::Untagged(Status::Bye, String::new())),
            ),
            (
                "* OK [ALERT]é",
                Some(Response::Untagged(Status::Ok, "[ALERT]é".to_owned())),
            ),
            ("* 1 FETCH (INTERNALDATE NIL)", Some(Response::Data)),
            (
                "a1 NO [ALERT] off (Failure)",
                Some(tagged("[ALERT] off (Failure)")),
            ),
            ("220 smtp.example.com ESMTP", None),
            ("+OK POP3", Some(Response::Continue)),
            ("", None),
        ] {
            assert_eq!(Response::read(line.as_bytes()), response, "{line}");
        }
    }

    #[test]
    fn only_a_special_use_makes_a_trash() {
        let gmail = [
            r#"* LIST (\HasChildren \Noselect) "/" "[Gmail]""#,
            r#"* LIST (\HasNoChildren) "/" "Trash""#,
            r#"* LIST (\HasNoChildren \Trash) "/" "[Gmail]/Papierkorb""#,
        ];
        assert_eq!(
            answer(&gmail).trash().as_deref(),
            Some("\"[Gmail]/Papierkorb\"")
        );
        assert_eq!(answer(&gmail[..2]).trash(), None);
        let literal = "* LIST (\\Trash) \"/\" {3}\r\nBin";
        assert_eq!(answer(&[literal]).trash().as_deref(), Some("\"Bin\""));
        for odd in [
            r#"* LIST (\Trash) "/" "a\"b""#,
            "* LIST (\\Trash) \"/\" {4}\r\na\r\nb",
        ] {
            assert_eq!(answer(&[odd]).trash(), None, "{odd}");
        }
    }

    #[test]
    fn words_of_an_answer() {
        let answer = answer(&[
            "* search 4 17 x",
            "* CAPABILITY IMAP4rev1 Move",
            "* SEARCH 9",
            "*",
        ]);
        assert_eq!(answer.found(), [4, 17, 9]);
        assert!(answer.has_capability("MOVE") && !answer.has_capability("IDLE"));
    }

    #[test]
    fn literals_are_awaited_where_they_can_be() {
        for (line, length) in [
            ("* LIST () \"/\" {12}", Some(12)),
            ("* list () NIL {3}\r\nBin {4}", Some(4)),
            ("* LIST () \"/\" {-1}", None),
            ("* LIST () \"/\" INBOX", None),
            ("a1 NO ask me {12}", None),
        ] {
            assert_eq!(announced_literal(line.as_bytes()), length, "{line}");
        }
    }

    #[test]
    fn quotes_end_where_we_end_them() {
        assert_eq!(quoted("<a@b>"), "\"<a@b>\"");
        assert_eq!(quoted("a\"\r\nA1 DELETE \\é"), "\"a\\\"A1 DELETE \\\\\"");
    }
}
