//! How a report begins: what is in it, what was left out, and what could not be read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::document::Document;
use super::redact::{AddressPolicy, Redactor};
use crate::kubectl::page::safe;
use crate::kubectl::time::date;

/// Wide enough for sentences, in columns.
const WIDTH: usize = 100;

/// What a report is about.
#[derive(Debug)]
pub struct Preface<'a> {
    /// When it was made.
    pub now: Timestamp,
    /// The namespace of the Mailboxes; `None`: all of them.
    pub namespace: Option<&'a str>,
    /// The namespace of the operator.
    pub operator_namespace: &'a str,
    /// What was done with addresses.
    pub addresses: AddressPolicy,
    /// What could not be read, and why.
    pub unread: &'a [String],
}

impl Preface<'_> {
    /// As comments of YAML.
    pub fn render(&self, documents: &[Document], redactor: &mut Redactor) -> String {
        let place = match self.namespace {
            Some(namespace) => format!("the namespace {namespace}"),
            None => "all namespaces".to_owned(),
        };
        let mut text = comment(
            "",
            &format!(
                "Report of gmail-operator for support, made {} by kubectl-gmail {}: {place}, and the operator in the namespace {}.",
                date(self.now),
                env!("CARGO_PKG_VERSION"),
                self.operator_namespace
            ),
        );
        text.push_str("#\n");
        text.push_str(&comment(
            "",
            "Read it through before you send it. It is YAML; each document has a title.",
        ));
        let contents = in_numbers(documents);
        let addresses = match self.addresses {
            AddressPolicy::Replace => {
                "E-mail addresses have stand-ins, the same one everywhere: user-1@example.com. Their domains are kept."
            }
            AddressPolicy::Keep => "E-mail addresses are kept, as --with-addresses asked.",
        };
        for line in [
            contents.as_str(),
            "No contents of Secrets: they were not asked for.",
            addresses,
            "UUIDs have stand-ins, the same one everywhere: uid-1. So no sign-in link in here leads anywhere.",
            "Cut are certificates, the contact and the purpose, annotations of other programs, values of environment variables, and whatever looks like a token, a code, a password or a key.",
            "Kept are the names of namespaces and objects, hosts, IP addresses, client IDs, and what mail servers answered.",
        ] {
            text.push_str(&comment("- ", line));
        }
        if !self.unread.is_empty() {
            text.push_str("#\n");
            text.push_str(&comment("", "Not in it, since it could not be read:"));
            for line in self.unread {
                text.push_str(&comment("- ", &redactor.text(line)));
            }
        }
        text
    }
}

/// "2 Mailboxes" and so on, by kind.
fn in_numbers(documents: &[Document]) -> String {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for document in documents {
        *numbers
            .entry(document.kind().unwrap_or("others"))
            .or_default() += 1;
    }
    let numbers: Vec<String> = numbers
        .into_iter()
        .map(|(kind, number)| format!("{kind} {number}"))
        .collect();
    format!("Documents by kind: {}.", numbers.join(", "))
}

fn comment(bullet: &str, text: &str) -> String {
    let first = format!("# {bullet}");
    let next = format!("# {}", " ".repeat(bullet.len()));
    let options = textwrap::Options::new(WIDTH)
        .break_words(false)
        .initial_indent(&first)
        .subsequent_indent(&next);
    textwrap::fill(&safe(text), options) + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_says_what_is_in_it_and_what_is_not_in_comments_only() {
        let documents = [
            Document::object(json!({ "kind": "Mailbox" })),
            Document::object(json!({ "kind": "Mailbox" })),
            Document::log("x", ""),
        ];
        let redactor = Redactor::new(AddressPolicy::Replace);
        let mut redactor = redactor.unwrap_or_else(|error| panic!("{error}"));
        let unread = ["User \"ann@example.com\" cannot list\nresource \"pods\"".to_owned()];
        let preface = Preface {
            now: Timestamp::UNIX_EPOCH,
            namespace: None,
            operator_namespace: "op",
            addresses: AddressPolicy::Replace,
            unread: &unread,
        };
        let text = preface.render(&documents, &mut redactor);
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
        let flat = text.replace("\n#  ", "").replace("\n#", "");
        for words in [
            "1970-01-01 00:00 UTC",
            "all namespaces",
            "Mailbox 2, others 1.",
            "- User \"user-1@example.com\" cannot list resource \"pods\"",
        ] {
            assert!(flat.contains(words), "{words:?} is not in\n{text}");
        }
    }
}
