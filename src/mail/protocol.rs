//! Which protocol a server speaks, by how it greets.

use super::peer::Peer;
use crate::api::Reason;
use crate::domain::failure::Failure;

/// What may listen at a port that a profile names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    Imap,
    Pop3,
    /// FTP greets in the same way.
    Smtp,
    Http,
    Ssh,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Protocol::Imap => "an IMAP server",
            Protocol::Pop3 => "a POP3 server",
            Protocol::Smtp => "an SMTP server",
            Protocol::Http => "a web server",
            Protocol::Ssh => "an SSH server",
        }
    }

    /// By the first line.
    fn of(greeting: &[u8]) -> Option<Self> {
        let begins = |starts: &[&str]| {
            (starts.iter()).any(|start| {
                let begin = greeting.get(..start.len());
                begin.is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
            })
        };
        match greeting {
            _ if begins(&["* OK", "* BYE", "* PREAUTH"]) => Some(Protocol::Imap),
            _ if begins(&["+OK", "-ERR"]) => Some(Protocol::Pop3),
            _ if begins(&["HTTP/"]) => Some(Protocol::Http),
            _ if begins(&["SSH-"]) => Some(Protocol::Ssh),
            [b'2' | b'4' | b'5', a, b, b' ' | b'-', ..]
                if a.is_ascii_digit() && b.is_ascii_digit() =>
            {
                Some(Protocol::Smtp)
            }
            _ => None,
        }
    }
}

/// The failure that `greeting` is where `expected` was awaited.
pub(super) fn not_greeted(peer: &Peer, step: &str, expected: Protocol, greeting: &[u8]) -> Failure {
    let said = String::from_utf8_lossy(greeting);
    match Protocol::of(greeting) {
        Some(other) if other != expected => {
            let detail = format!("{} answers", other.name());
            Failure {
                detail,
                ..peer.said(Reason::WrongProtocol, step, &said)
            }
        }
        _ => peer.said(Reason::UnexpectedReply, step, &said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_their_greetings() {
        for (greeting, protocol) in [
            ("* OK Gimap ready for requests", Some(Protocol::Imap)),
            ("* bye", Some(Protocol::Imap)),
            ("+OK Gpop ready", Some(Protocol::Pop3)),
            ("-ERR [SYS/TEMP] later", Some(Protocol::Pop3)),
            ("220-smtp.example.com ESMTP", Some(Protocol::Smtp)),
            ("554 no SMTP service here", Some(Protocol::Smtp)),
            ("HTTP/1.1 400 Bad Request", Some(Protocol::Http)),
            ("SSH-2.0-OpenSSH_9.6", Some(Protocol::Ssh)),
            ("* LIST", None),
            ("220", None),
            ("hello", None),
            ("", None),
        ] {
            assert_eq!(Protocol::of(greeting.as_bytes()), protocol, "{greeting}");
        }
    }
}
