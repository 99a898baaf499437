//! How a refusal is known: by its codes, then by a stable part of its words. Never by a whole
//! sentence, which servers change.

use crate::api::Reason;

/// One row of a table of refusals: the codes that must all be there, in upper case and separated by
/// spaces; a part of the words, in lower case; and what it means. An empty text is always there.
pub(super) type Row = (&'static str, &'static str, Reason);

/// One refusal, taken apart.
#[derive(Debug)]
pub(super) struct Said {
    codes: Vec<String>,
    words: String,
}

impl Said {
    /// Words with codes that were told apart from them.
    pub(super) fn new(codes: Vec<String>, words: &str) -> Self {
        Self {
            codes,
            words: words.to_lowercase(),
        }
    }

    /// Words with the code in brackets that they may begin with: IMAP's (RFC 3501 section 7.1) and
    /// POP3's (RFC 2449 section 8).
    pub(super) fn bracketed(text: &str) -> Self {
        let code = text
            .trim_start()
            .strip_prefix('[')
            .and_then(|code| code.split([']', ' ']).next());
        let codes = code.map(str::to_uppercase).into_iter().collect();
        Self::new(codes, text)
    }

    fn fits(&self, (codes, words, _): &Row) -> bool {
        let mut codes = codes.split_ascii_whitespace();
        codes.all(|code| self.codes.iter().any(|said| said == code)) && self.words.contains(words)
    }

    /// Whether it says that it will pass.
    pub(super) fn is_temporary(&self) -> bool {
        let passing = ["temporar", "try again", "try later", "again later"];
        passing.iter().any(|words| self.words.contains(words))
    }
}

/// What the first row of `tables` that fits any of `said` means.
pub(super) fn meaning(tables: &[&[Row]], said: &[Said]) -> Option<Reason> {
    let mut rows = tables.iter().flat_map(|table| table.iter());
    let row = rows.find(|row| said.iter().any(|said| said.fits(row)));
    row.map(|(_, _, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_codes_and_words() {
        const TABLE: &[Row] = &[
            ("SYS/PERM", "pop access", Reason::PopDisabledByDomain),
            ("SYS/PERM", "", Reason::AdminContactRequired),
            ("535 5.7.8", "", Reason::SmtpLoginRefused),
            ("", "lookup failed", Reason::GmailServiceOff),
        ];
        let means = |said: &[Said]| meaning(&[&[], TABLE], said);
        let smtp = |codes: &[&str]| Said::new(codes.iter().map(|c| (*c).to_owned()).collect(), "");
        for (text, reason) in [
            (
                "[sys/perm] POP access is off",
                Some(Reason::PopDisabledByDomain),
            ),
            (" [SYS/PERM x] no", Some(Reason::AdminContactRequired)),
            ("[SYS/PERMX] no", None),
            ("no [SYS/PERM]", None),
            ("Lookup FAILED", Some(Reason::GmailServiceOff)),
            ("[", None),
            ("", None),
        ] {
            assert_eq!(means(&[Said::bracketed(text)]), reason, "{text}");
        }
        assert_eq!(
            means(&[smtp(&["5xx", "535", "5.7.8"])]),
            Some(Reason::SmtpLoginRefused)
        );
        assert_eq!(means(&[smtp(&["535"])]), None);
        let both = [
            Said::bracketed("lookup failed"),
            Said::bracketed("[SYS/PERM]"),
        ];
        assert_eq!(means(&both), Some(Reason::AdminContactRequired));
    }
}
