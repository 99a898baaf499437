//! What an IMAP server says, taken apart.

use imap_proto::{self, MailboxDatum, NameAttribute};

use super::{Folder, Uid};
use crate::mail::sasl::Offer;

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
    /// `+`: the server waits for more of the command. With its text.
    Continue(String),
    /// A status that belongs to no command, with its text.
    Untagged(Status, String),
    /// Something else that begins with `*`.
    Data,
    /// The end of a command: its tag, status and text.
    Tagged(String, Status, String),
}

/// The end of a command, and what came before it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: Status,
    /// The status's text, with its code in brackets.
    pub(super) text: String,
    pub(super) notes: Notes,
}

/// What is kept of the untagged responses of one command: they may be many, and each is looked at
/// when it comes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// How the server takes logins.
    pub(super) offer: Offer,
    /// MOVE (RFC 6851).
    pub(super) can_move: bool,
    /// The greatest number of `* SEARCH`.
    pub(super) found: Option<Uid>,
    /// The special folders.
    pub(super) folders: Folders,
    /// The texts of NO and BYE, of which Gmail puts the cause of a refusal into the first.
    pub(super) warnings: Vec<String>,
}

/// Names of folders by their special use (RFC 6154), quoted. None as well where a name has
/// characters that would need more than quotes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Folders {
    pub(super) trash: Option<String>,
    pub(super) spam: Option<String>,
}

/// How many warnings are kept, and how many characters of each.
const WARNINGS: (usize, usize) = (4, 1000);

impl Response {
    /// None where it is not IMAP.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        if tag == "+" {
            return Some(Self::Continue(rest.to_owned()));
        }
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

impl Notes {
    /// Looks at a response that begins with `*` and is no status.
    pub(super) fn data(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let mut words = text.split_ascii_whitespace().skip(1);
        match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("SEARCH") => {
                let newest = words.filter_map(|word| word.parse().ok()).max();
                self.found = self.found.max(newest);
            }
            Some("CAPABILITY") => words.for_each(|word| self.capability(word)),
            // Nothing else is given to the parser: bodies of messages nest, and it goes as deep.
            Some("LIST") => self.folder(line),
            _ => {}
        }
    }

    /// Looks at the text of a status that belongs to no command, or to the one that ends.
    pub(super) fn status(&mut self, status: Status, text: &str) {
        match status {
            Status::No | Status::Bad | Status::Bye => {
                let (most, length) = WARNINGS;
                // The last, which is the server's answer, is always kept.
                self.warnings.truncate(most - 1);
                self.warnings.push(text.chars().take(length).collect());
            }
            Status::Ok | Status::PreAuth => {
                let code = text
                    .strip_prefix('[')
                    .and_then(|code| code.split(']').next());
                let mut words = code.unwrap_or_default().split_ascii_whitespace();
                if words
                    .next()
                    .is_some_and(|word| word.eq_ignore_ascii_case("CAPABILITY"))
                {
                    words.for_each(|word| self.capability(word));
                }
            }
        }
    }

    fn capability(&mut self, word: &str) {
        let word = word.to_ascii_uppercase();
        self.can_move |= word == "MOVE";
        if let Some(mechanism) = word.strip_prefix("AUTH=") {
            self.offer.add(mechanism);
        }
    }

    fn folder(&mut self, line: &[u8]) {
        let line = [line, b"\r\n"].concat();
        let Ok((_, imap_proto::Response::MailboxData(MailboxDatum::List(mailbox)))) =
            imap_proto::Response::parse(&line)
        else {
            return;
        };
        let name = quoted(&mailbox.name);
        if name.len() != mailbox.name.len() + 2 {
            return;
        }
        for (attribute, folder) in [
            (NameAttribute::Trash, &mut self.folders.trash),
            (NameAttribute::Junk, &mut self.folders.spam),
        ] {
            if folder.is_none() && mailbox.name_attributes.contains(&attribute) {
                *folder = Some(name.clone());
            }
        }
    }
}

impl Folders {
    /// As it is named in a command.
    pub(super) fn name(&self, folder: Folder) -> Option<&str> {
        match folder {
            Folder::Inbox => Some("INBOX"),
            Folder::Spam => self.spam.as_deref(),
        }
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
    use crate::mail::sasl::Mechanism;

    fn notes(data: &[&str]) -> Notes {
        let mut notes = Notes::default();
        data.iter().for_each(|line| notes.data(line.as_bytes()));
        notes
    }

    #[test]
    fn responses_are_told_apart() {
        let tagged = |text: &str| Response::Tagged("a1".to_owned(), Status::No, text.to_owned());
        let untagged = |status, text: &str| Some(Response::Untagged(status, text.to_owned()));
        let go_on = |text: &str| Some(Response::Continue(text.to_owned()));
        for (line, response) in [
            ("+ idling", go_on("idling")),
            ("+", go_on("")),
            ("* bye", untagged(Status::Bye, "")),
            ("* OK [ALERT]é", untagged(Status::Ok, "[ALERT]é")),
            ("* 1 FETCH (INTERNALDATE NIL)", Some(Response::Data)),
            (
                "a1 NO [ALERT] off (Failure)",
                Some(tagged("[ALERT] off (Failure)")),
            ),
            ("220 smtp.example.com ESMTP", None),
            ("+OK POP3", None),
            ("", None),
        ] {
            assert_eq!(Response::read(line.as_bytes()), response, "{line}");
        }
    }

    #[test]
    fn only_a_special_use_makes_a_folder_special() {
        let gmail = [
            r#"* LIST (\HasChildren \Noselect) "/" "[Gmail]""#,
            r#"* LIST (\HasNoChildren) "/" "Trash""#,
            r#"* LIST (\HasNoChildren \Trash) "/" "[Gmail]/Papierkorb""#,
            r#"* LIST (\HasNoChildren \Junk) "/" "[Gmail]/Spam""#,
        ];
        let folders = notes(&gmail).folders;
        assert_eq!(folders.trash.as_deref(), Some("\"[Gmail]/Papierkorb\""));
        assert_eq!(folders.name(Folder::Spam), Some("\"[Gmail]/Spam\""));
        assert_eq!(notes(&gmail[..2]).folders, Folders::default());
        let literal = "* LIST (\\Trash) \"/\" {3}\r\nBin";
        assert_eq!(notes(&[literal]).folders.trash.as_deref(), Some("\"Bin\""));
        for odd in [
            r#"* LIST (\Trash) "/" "a\"b""#,
            "* LIST (\\Trash) \"/\" {4}\r\na\r\nb",
        ] {
            assert_eq!(notes(&[odd]).folders.trash, None, "{odd}");
        }
    }

    #[test]
    fn what_matters_is_kept() {
        let mut notes = notes(&[
            "* search 4 17 x",
            "* CAPABILITY IMAP4rev1 Move",
            "* SEARCH 9",
            "*",
        ]);
        assert_eq!(notes.found, Some(17));
        assert!(notes.can_move && !notes.offer.told);
        notes.status(Status::Ok, "[CAPABILITY IMAP4rev1 auth=oauthbearer] hi");
        assert_eq!(notes.offer.choice(), Some(Mechanism::OauthBearer));
        for _ in 0..100 {
            notes.status(Status::No, &"é".repeat(2000));
        }
        let (most, length) = WARNINGS;
        assert_eq!(notes.warnings.len(), most);
        assert!(
            notes
                .warnings
                .iter()
                .all(|text| text.chars().count() == length)
        );
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
