//! What a POP3 server says, taken apart.

/// The first line of an answer (RFC 1939 section 3, RFC 5034 section 4), with what follows the word.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Ok(String),
    Err(String),
    /// The server waits for more of a login. It begins as `+OK` does, and is none.
    GoOn(String),
}

impl Answer {
    /// None where it is not POP3.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        let (word, text) = line.split_once(' ').unwrap_or((&line, ""));
        let text = text.to_owned();
        match word {
            "+" => Some(Self::GoOn(text)),
            _ if word.eq_ignore_ascii_case("+OK") => Some(Self::Ok(text)),
            _ if word.eq_ignore_ascii_case("-ERR") => Some(Self::Err(text)),
            _ => None,
        }
    }
}

/// Whether it is the answer to STAT: how many messages, and of how many bytes (RFC 1939 section 5).
pub(super) fn is_mail_drop(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let mut number = || words.next().is_some_and(|word| word.parse::<u64>().is_ok());
    number() && number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_no_success() {
        let ok = |text: &str| Some(Answer::Ok(text.to_owned()));
        let go_on = |text: &str| Some(Answer::GoOn(text.to_owned()));
        for (line, answer) in [
            ("+OK Welcome.", ok("Welcome.")),
            ("+ok", ok("")),
            (
                "+ eyJzdGF0dXMiOiI0MDAifQ==",
                go_on("eyJzdGF0dXMiOiI0MDAifQ=="),
            ),
            ("+ ", go_on("")),
            ("+", go_on("")),
            ("-ERR [AUTH] no", Some(Answer::Err("[AUTH] no".to_owned()))),
            ("+OKAY", None),
            ("+eyJz", None),
            ("* OK IMAP", None),
            ("", None),
        ] {
            assert_eq!(Answer::read(line.as_bytes()), answer, "{line}");
        }
    }

    #[test]
    fn a_mail_drop_has_two_numbers() {
        for (text, is) in [
            ("3 221409", true),
            ("0 0 and more", true),
            ("3", false),
            ("Welcome.", false),
            ("-1 0", false),
            ("", false),
        ] {
            assert_eq!(is_mail_drop(text), is, "{text}");
        }
    }
}
