//! What an SMTP server says, taken apart, and how a message is put for it.

/// A whole reply (RFC 5321 section 4.2).
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Reply {
    /// 200 to 599.
    pub(super) code: u16,
    lines: Vec<String>,
}

/// Puts the lines of a reply together.
#[derive(Default)]
pub(super) struct ReplyReader {
    code: Option<u16>,
    lines: Vec<String>,
}

/// A line that is not of a reply, or of another one.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct NotAReply;

impl ReplyReader {
    /// Takes the next line, without its end; gives the reply with the last one.
    pub(super) fn line(&mut self, line: &str) -> Result<Option<Reply>, NotAReply> {
        let (digits, rest) = line.split_at_checked(3).ok_or(NotAReply)?;
        let (is_last, text) = match rest.split_at_checked(1) {
            None => (true, ""),
            Some((" ", text)) => (true, text),
            Some(("-", text)) => (false, text),
            Some(_) => return Err(NotAReply),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAReply);
        }
        let code: u16 = digits.parse().map_err(|_| NotAReply)?;
        if !(200..600).contains(&code) || self.code.is_some_and(|first| first != code) {
            return Err(NotAReply);
        }
        self.code = Some(code);
        self.lines.push(text.to_owned());
        Ok(is_last.then(|| Reply {
            code,
            lines: std::mem::take(&mut self.lines),
        }))
    }
}

impl Reply {
    /// Whether a line of the reply to EHLO is `keyword` (RFC 5321 section 4.1.1.1).
    pub(super) fn offers(&self, keyword: &str) -> bool {
        self.lines.iter().skip(1).any(|line| {
            line.split(' ')
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case(keyword))
        })
    }

    /// The code and the text in one line. The enhanced code (RFC 2034), which each line repeats,
    /// is in it once.
    pub(super) fn words(&self) -> String {
        let first = self.lines.first().map_or("", String::as_str);
        let enhanced = first.split(' ').next().filter(|word| word.contains('.'));
        let mut words = format!("{} {first}", self.code);
        for line in self.lines.iter().skip(1) {
            let line = enhanced.map_or(line.as_str(), |code| {
                line.strip_prefix(code).unwrap_or(line)
            });
            words.push(' ');
            words.push_str(line.trim_start());
        }
        words
    }
}

/// `message` with lines that end in CRLF, dots doubled at their beginning, and the dot that ends
/// DATA (RFC 5321 section 4.5.2). Every line end is made one, so that no server can see another
/// end than we do.
pub(super) fn as_data(message: &[u8]) -> Vec<u8> {
    let message = message.strip_suffix(b"\n").unwrap_or(message);
    let mut data = Vec::with_capacity(message.len() + 8);
    for line in message.split(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            data.push(b'.');
        }
        data.extend(line.strip_suffix(b"\r").unwrap_or(line));
        data.extend(b"\r\n");
    }
    data.extend(b".\r\n");
    data
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Reply>, NotAReply> {
        let mut reader = ReplyReader::default();
        let mut reply = None;
        for line in lines {
            reply = reader.line(line)?;
        }
        Ok(reply)
    }

    #[test]
    fn replies_of_many_lines() {
        let refused = read(&[
            "535-5.7.8 Username and Password not accepted. For more information, go to",
            "535 5.7.8  https://support.google.com/mail/?p=BadCredentials 6a - gsmtp",
        ]);
        let refused = refused.unwrap().unwrap();
        assert_eq!(refused.code, 535);
        assert_eq!(
            refused.words(),
            "535 5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials 6a - gsmtp"
        );
        let hello = read(&["250-me STARTTLS", "250-SIZE 1", "250 starttls"]);
        assert!(hello.unwrap().unwrap().offers("STARTTLS"));
        let hello = read(&["250-STARTTLS", "250 SIZE 1"]);
        assert!(!hello.unwrap().unwrap().offers("STARTTLS"));
        assert_eq!(read(&["250"]).unwrap().unwrap().words(), "250 ");
        assert_eq!(read(&["250-a"]), Ok(None));
    }

    #[test]
    fn what_is_no_reply() {
        for lines in [
            &["* OK IMAP"][..],
            &["25"],
            &["+25 x"],
            &["999 x"],
            &["2505 x"],
            &["250-a", "251 b"],
            &["25é x"],
            &[""],
        ] {
            assert_eq!(read(lines), Err(NotAReply), "{lines:?}");
        }
    }

    #[test]
    fn a_message_ends_where_we_end_it() {
        for (message, data) in [
            ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            ("", "\r\n.\r\n"),
        ] {
            assert_eq!(as_data(message.as_bytes()), data.as_bytes(), "{message:?}");
        }
    }
}
