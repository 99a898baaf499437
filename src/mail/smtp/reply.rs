//! What an SMTP server says, taken apart, and how a message is put for it.

use crate::mail::sasl::Offer;

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
    size: usize,
}

/// Why a line is not taken.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum NotAReply {
    /// It is not of a reply, or of another one.
    Otherwise,
    /// The reply has more than [`REPLY_LIMIT`].
    TooLong,
}

/// What a reply may have, in bytes, with so many for each line beside its text: it is kept until it
/// is read. The answer to EHLO has a few hundred.
const REPLY_LIMIT: usize = 64 * 1024;
const LINE_COST: usize = 64;

impl ReplyReader {
    /// Takes the next line, without its end; gives the reply with the last one.
    pub(super) fn line(&mut self, line: &str) -> Result<Option<Reply>, NotAReply> {
        let (digits, rest) = line.split_at_checked(3).ok_or(NotAReply::Otherwise)?;
        let (is_last, text) = match rest.split_at_checked(1) {
            None => (true, ""),
            Some((" ", text)) => (true, text),
            Some(("-", text)) => (false, text),
            Some(_) => return Err(NotAReply::Otherwise),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAReply::Otherwise);
        }
        let code: u16 = digits.parse().map_err(|_| NotAReply::Otherwise)?;
        if !(200..600).contains(&code) || self.code.is_some_and(|first| first != code) {
            return Err(NotAReply::Otherwise);
        }
        self.size += LINE_COST + text.len();
        if self.size > REPLY_LIMIT {
            return Err(NotAReply::TooLong);
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
        self.extensions().any(|line| {
            let mut words = line.split(' ');
            words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case(keyword))
        })
    }

    /// The mechanisms of AUTH in the reply to EHLO (RFC 4954 section 3). One without AUTH offers
    /// none.
    pub(super) fn mechanisms(&self) -> Offer {
        let mut offer = Offer::default();
        offer.told = true;
        for line in self.extensions() {
            // The second form is that of servers before the RFC.
            let mut words = line.split([' ', '=']);
            if words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case("AUTH"))
            {
                words.for_each(|word| offer.add(word));
            }
        }
        offer
    }

    fn extensions(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().skip(1).map(String::as_str)
    }

    /// The code, its class as `4xx`, and the enhanced code (RFC 2034) where there is one.
    pub(super) fn codes(&self) -> Vec<String> {
        let mut codes = vec![self.code.to_string(), format!("{}xx", self.code / 100)];
        codes.extend(self.enhanced().map(str::to_owned));
        codes
    }

    fn enhanced(&self) -> Option<&str> {
        let word = self.lines.first()?.split(' ').next()?;
        let mut parts = word.split('.');
        let mut number = || {
            let part = parts.next().unwrap_or_default();
            (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        let is_one = number() && number() && number() && parts.next().is_none();
        is_one.then_some(word)
    }

    /// The text of the first line.
    pub(super) fn text(&self) -> String {
        self.lines.first().cloned().unwrap_or_default()
    }

    /// The code and the text in one line. The enhanced code (RFC 2034), which each line repeats,
    /// is in it once. What follows on a URL at the end of a line may be more of it, as in Gmail's
    /// sign-in links, and is joined to it.
    pub(super) fn words(&self) -> String {
        let first = self.lines.first().map_or("", String::as_str);
        let enhanced = self.enhanced();
        let mut words = format!("{} {first}", self.code);
        for line in self.lines.iter().skip(1) {
            let line = enhanced.map_or(line.as_str(), |code| {
                line.strip_prefix(code).unwrap_or(line)
            });
            let last = words.rsplit(' ').next().unwrap_or_default();
            if !last.contains("://") || last.ends_with('>') {
                words.push(' ');
            }
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
    use crate::mail::sasl::Mechanism;

    fn read(lines: &[&str]) -> Result<Option<Reply>, NotAReply> {
        let mut reader = ReplyReader::default();
        let mut reply = None;
        for line in lines {
            reply = reader.line(line)?;
        }
        Ok(reply)
    }

    impl Reply {
        /// The reply of these lines, if it is one.
        pub(in super::super) fn of(lines: &[&str]) -> Option<Self> {
            read(lines).ok().flatten()
        }
    }

    #[test]
    fn codes_are_told_from_words() {
        for (line, codes) in [
            ("535 5.7.8 no", &["535", "5xx", "5.7.8"][..]),
            ("421 4.7.28", &["421", "4xx", "4.7.28"]),
            ("550 5.7 no", &["550", "5xx"]),
            ("550 203.0.113.7 no", &["550", "5xx"]),
            ("550 www.example.com", &["550", "5xx"]),
            ("550", &["550", "5xx"]),
        ] {
            assert_eq!(Reply::of(&[line]).unwrap().codes(), codes, "{line}");
        }
    }

    #[test]
    fn mechanisms_are_read() {
        let choice = |lines: &[&str]| Reply::of(lines).unwrap().mechanisms().choice();
        let gmail = [
            "250-smtp.gmail.com",
            "250-AUTH LOGIN PLAIN XOAUTH2 OAUTHBEARER",
            "250 SIZE",
        ];
        assert_eq!(choice(&gmail), Some(Mechanism::Xoauth2));
        assert_eq!(
            choice(&["250-me", "250 auth=OAUTHBEARER"]),
            Some(Mechanism::OauthBearer)
        );
        assert_eq!(choice(&["250-AUTH XOAUTH2", "250 AUTH PLAIN"]), None);
        assert_eq!(choice(&["250 me"]), None);
    }

    #[test]
    fn a_reply_has_an_end() {
        let mut reader = ReplyReader::default();
        let lines = (0..)
            .map(|_| reader.line("250-"))
            .take_while(Result::is_ok)
            .count();
        assert_eq!(lines, REPLY_LIMIT / LINE_COST);
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
        let link = read(&[
            "534-5.7.14 <https://accounts.google.com/continue?plt=AKgn",
            "534-5.7.14 ZGVm",
            "534-5.7.14 Z2hpams> Please log in at",
            "534 5.7.14 https://accounts.google.com/",
        ]);
        assert_eq!(
            link.unwrap().unwrap().words(),
            "534 5.7.14 <https://accounts.google.com/continue?plt=AKgnZGVmZ2hpams> Please log in at https://accounts.google.com/"
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
            assert_eq!(read(lines), Err(NotAReply::Otherwise), "{lines:?}");
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
