//! Sessions that are cut or garbled at any byte of what the server says.

use super::played::{self, Found, Outcome, Script, TOKEN, Then};

const IMAP: &str = "* OK Gimap ready for requests from 203.0.113.7 a640c23a62f3amb\r\n\
    * CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\na1 OK Thats all she wrote!\r\n\
    + \r\n\
    * CAPABILITY IMAP4rev1 MOVE\r\na2 OK ann@example.com authenticated (Success)\r\n\
    * 3 EXISTS\r\na3 OK [READ-ONLY] INBOX selected. (Success)\r\n\
    a4 OK Success\r\n\
    * SEARCH\r\na5 OK SEARCH completed (Success)\r\n\
    * LIST (\\HasNoChildren \\Junk) \"/\" \"[Gmail]/Spam\"\r\n\
    * LIST (\\HasNoChildren \\Trash) \"/\" {11}\r\n[Gmail]/Bin\r\na6 OK Success\r\n\
    a7 OK [READ-ONLY] selected. (Success)\r\n\
    a8 OK Success\r\n\
    * SEARCH 17\r\na9 OK SEARCH completed (Success)\r\n\
    a10 OK [READ-WRITE] selected. (Success)\r\n\
    a11 OK Success\r\n\
    * SEARCH 17\r\na12 OK SEARCH completed (Success)\r\n\
    * CAPABILITY IMAP4rev1 MOVE\r\na13 OK Success\r\n\
    * 1 EXPUNGE\r\na14 OK [COPYUID 1 17 1] (Success)\r\n";

const IMAP_REFUSED: &str = "* OK Gimap ready\r\n\
    * CAPABILITY IMAP4rev1 AUTH=OAUTHBEARER\r\na1 OK done\r\n\
    + \r\n\
    + eyJzdGF0dXMiOiJpbnZhbGlkX3JlcXVlc3QifQ==\r\n\
    * NO [WEBALERT https://accounts.google.com/x] Web login required.\r\na2 NO no (Failure)\r\n";

const POP3: &str = "+OK Gpop ready for requests from 203.0.113.7 n6mb44155743ywl\r\n\
    +OK Capability list follows\r\nUIDL\r\nSASL PLAIN XOAUTH2 OAUTHBEARER\r\n.\r\n\
    + \r\n\
    +OK Welcome.\r\n\
    +OK 3 221409\r\n";

const POP3_REFUSED: &str = "+OK Gpop ready\r\n+OK\r\nSASL XOAUTH2\r\n.\r\n+ \r\n\
    + eyJzdGF0dXMiOiI0MDAifQ==\r\n-ERR [AUTH] Invalid credentials.\r\n";

const SMTP: &str = "220 smtp.gmail.com ESMTP d9443c01a7336 - gsmtp\r\n\
    250-smtp.gmail.com at your service, [203.0.113.7]\r\n250-SIZE 35882577\r\n250 AUTH LOGIN XOAUTH2\r\n\
    235 2.7.0 Accepted\r\n\
    250 2.0.0 OK\r\n\
    250 2.1.0 OK\r\n\
    250 2.1.5 OK\r\n\
    354 Go ahead\r\n\
    250 2.0.0 OK 1700000000\r\n";

const SMTP_REFUSED: &str = "220 smtp.gmail.com ESMTP\r\n250-hi\r\n250 AUTH OAUTHBEARER\r\n\
    334 eyJzdGF0dXMiOiI0MDAifQ==\r\n535-5.7.8 Username and Password not accepted\r\n535 5.7.8  no\r\n";

const SMTP_IN_CLEAR: &str =
    "220 smtp.gmail.com ESMTP\r\n250-hi\r\n250 STARTTLS\r\n220 2.0.0 Ready\r\n";

/// What a byte becomes.
const GARBLED: [u8; 6] = [0, b'\n', b' ', b'+', b'9', 0xff];

/// Runs `session` on every damaged form of `words`. What is cut is a failure; what is garbled may
/// still be understood.
async fn damaged<T: std::fmt::Debug>(words: &str, session: impl AsyncFn(Script) -> Outcome<T>) {
    let script = |words: Vec<u8>, at_once| Script {
        words,
        at_once,
        then: Then::Closes,
    };
    for length in 0..words.len() {
        let cut = words.as_bytes().get(..length).unwrap_or_default().to_vec();
        let outcome = session(script(cut, 7)).await;
        assert!(outcome.result.is_err(), "{length}: {outcome:?}");
        harmless(&outcome);
    }
    for at in 0..words.len() {
        for garble in GARBLED {
            let mut garbled = words.as_bytes().to_vec();
            garbled[at] = garble;
            harmless(&session(script(garbled, usize::MAX)).await);
        }
    }
}

fn harmless<T: std::fmt::Debug>(outcome: &Outcome<T>) {
    let lines = outcome.heard.split(|byte| *byte == b'\n');
    for line in lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        assert!(played::is_harmless(line), "{outcome:?}");
    }
    let told = format!("{:?}", outcome.result);
    assert!(!told.contains(TOKEN), "{told}");
}

async fn whole<T>(words: &str, session: impl AsyncFn(Script) -> Outcome<T>) -> Outcome<T> {
    let script = Script {
        words: words.into(),
        at_once: usize::MAX,
        then: Then::Closes,
    };
    session(script).await
}

#[tokio::test]
async fn imap_at_any_byte() {
    let found = Found {
        inbox: None,
        spam: Some(Some(17)),
        moved: true,
    };
    assert_eq!(whole(IMAP, played::imap).await.result, Ok(found));
    damaged(IMAP, played::imap).await;
    damaged(IMAP_REFUSED, played::imap).await;
}

#[tokio::test]
async fn pop3_at_any_byte() {
    assert_eq!(whole(POP3, played::pop3).await.result, Ok(()));
    damaged(POP3, played::pop3).await;
    damaged(POP3_REFUSED, played::pop3).await;
}

#[tokio::test]
async fn smtp_at_any_byte() {
    assert_eq!(whole(SMTP, played::smtp).await.result, Ok(()));
    damaged(SMTP, played::smtp).await;
    damaged(SMTP_REFUSED, played::smtp).await;
    let in_clear = whole(SMTP_IN_CLEAR, played::smtp_in_clear).await;
    assert_eq!(in_clear.result, Ok(()));
    assert!(!String::from_utf8_lossy(&in_clear.heard).contains("AUTH"));
    damaged(SMTP_IN_CLEAR, played::smtp_in_clear).await;
}
