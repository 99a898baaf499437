//! What went wrong with a mail server: a row of the failure table, which is [`Reason`], and the words
//! for it.

use std::collections::HashSet;

use crate::api::Reason;

/// One failure, with what is needed to say it to a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What went wrong, who must act, and when it is tried again.
    pub reason: Reason,
    /// What was being done, with which server: "connecting to imap.gmail.com:993".
    pub doing: String,
    /// Our side's detail, such as the operating system's words; empty where there is none.
    pub detail: String,
    /// The server's own words, made safe by [`server_reply`].
    pub reply: Option<String>,
}

/// The longest reply that is kept, in characters.
const MAX_REPLY: usize = 300;

/// What is read of a reply, in characters: more than is kept, since URLs become shorter.
const MAX_READ: usize = 8192;

/// How many bytes of a secret must stand together to be taken out of a reply.
const TRACE: usize = 16;

/// A server's words made safe to keep and to print: bounded, one line, no control characters, no
/// URL (Gmail's may be sign-in links), no session id (it would make every status differ), and none
/// of `secrets`.
pub fn server_reply(raw: &str, secrets: &[&str]) -> Option<String> {
    let raw: String = raw.chars().take(MAX_READ).collect();
    let text = without_bracketed_urls(&without(&raw, secrets));
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| if word.contains("://") { "(URL)" } else { word })
        .filter(|word| !is_session_id(word));
    let mut clean = String::new();
    for word in words {
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(word);
    }
    let clean = clean.trim_end_matches(" - gsmtp").to_owned();
    let mut bounded: String = clean.chars().take(MAX_REPLY).collect();
    if bounded.len() < clean.len() {
        bounded.push('…');
    }
    (!bounded.is_empty()).then_some(bounded)
}

/// `text` with each pair of brackets cut from where a URL begins in it. A server may break one over
/// lines, as Gmail does with a sign-in link, and its later parts do not look like one.
fn without_bracketed_urls(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '[']) {
        let (before, bracketed) = rest.split_at(at);
        let (open, inside) = bracketed.split_at(1);
        let close = if open == "<" { '>' } else { ']' };
        // One that is not closed may have lost its end.
        let end = inside.find(close).unwrap_or(inside.len());
        let (inside, after) = inside.split_at(end);
        kept.push_str(before);
        kept.push_str(open);
        let words = || inside.split_whitespace();
        match words().collect::<String>().contains("://") {
            true => {
                for word in words().take_while(|word| !word.contains([':', '/'])) {
                    kept.push_str(word);
                    kept.push(' ');
                }
                kept.push_str("(URL)");
            }
            false => kept.push_str(inside),
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// `text` without any [`TRACE`] bytes of a secret, or all of a shorter one, in a row: a server may
/// repeat a part of what it was told.
fn without(text: &str, secrets: &[&str]) -> String {
    let mut hidden = vec![false; text.len()];
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let length = secret.len().min(TRACE);
        let traces: HashSet<&[u8]> = secret.as_bytes().windows(length).collect();
        for (at, window) in text.as_bytes().windows(length).enumerate() {
            if traces.contains(window) {
                hidden
                    .iter_mut()
                    .skip(at)
                    .take(length)
                    .for_each(|byte| *byte = true);
            }
        }
    }
    let mut kept = String::new();
    let mut was_hidden = false;
    for (at, c) in text.char_indices() {
        let is_hidden = hidden.get(at).copied().unwrap_or_default();
        match is_hidden {
            true if !was_hidden => kept.push('…'),
            true => {}
            false => kept.push(c),
        }
        was_hidden = is_hidden;
    }
    kept
}

/// Gmail repeats a session's id in its answers: long words of hexadecimal digits and dashes with a
/// suffix such as `mb123456ejc` or `.71`.
fn is_session_id(word: &str) -> bool {
    // POP3's are the shortest: n6mb44155743ywl. An IP address may be as long and has no letters.
    word.len() >= 15
        && word.bytes().any(|b| b.is_ascii_lowercase())
        && word
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && word.bytes().filter(u8::is_ascii_digit).count() >= 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_safe_to_keep() {
        for (raw, kept) in [
            (
                "[AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n",
                Some("[AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
            ),
            (
                "[WEBALERT https://accounts.google.com/signin/continue?x=y] Web login required.",
                Some("[WEBALERT (URL)] Web login required."),
            ),
            (
                "[WEBALERT https://accounts.google.com/x?plt=AKgn\r\n ZGVmZ2 hpams] Web login required.",
                Some("[WEBALERT (URL)] Web login required."),
            ),
            (
                "<https:/ /accounts.google.com/x?plt=AKgn ZGVmZ2hpams> Please log in",
                Some("<(URL)> Please log in"),
            ),
            (
                "Log in [ALERT] at <https://accounts.google.com/x?plt=AKgn ZGVmZ2hpams",
                Some("Log in [ALERT] at <(URL)"),
            ),
            (
                "[ALERT] <ann@example.com> 1 < 2",
                Some("[ALERT] <ann@example.com> 1 < 2"),
            ),
            (
                "2.0.0 OK d9443c01a7336-29daeaab9e6sm1723845ad.71 - gsmtp",
                Some("2.0.0 OK"),
            ),
            (
                "Lookup failed a640c23a62f3amb123456ejc",
                Some("Lookup failed"),
            ),
            ("Gpop ready n6mb44155743ywl", Some("Gpop ready")),
            ("not from 192.168.100.100", Some("not from 192.168.100.100")),
            ("bad token ya29.SECRET here", Some("bad token … here")),
            ("ya29.SECRETya29.SECRET", Some("…")),
            ("xa-much-longer-secrx", Some("x…x")),
            ("-much-longer-s", Some("-much-longer-s")),
            ("\u{1b}[31mred\u{0}", Some("[31mred")),
            ("\r\n", None),
        ] {
            assert_eq!(
                server_reply(raw, &["ya29.SECRET", "a-much-longer-secret"]).as_deref(),
                kept,
                "{raw:?}"
            );
        }
        assert_eq!(
            server_reply(&"x ".repeat(4000), &[]).map(|reply| reply.chars().count()),
            Some(301)
        );
    }
}
