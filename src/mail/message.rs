use std::time::SystemTime;

use lettre::address::AddressError;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};

use crate::domain::address::EmailAddress;

/// A message that could not be put together; no address and text that the API server lets through
/// should lead to it.
#[derive(Debug, thiserror::Error)]
pub enum NotComposed {
    /// The mail library is stricter about addresses than [`EmailAddress`].
    #[error("the message's address is refused: {0}")]
    Address(#[from] AddressError),
    /// Another refusal of the mail library.
    #[error("the message could not be put together: {0}")]
    Message(#[from] lettre::error::Error),
}

/// A message in the format of RFC 5322, with a plain text in UTF-8, in lines of ASCII. `message_id`
/// may have its angle brackets or not. No header can be smuggled in through any of the texts.
///
/// # Errors
/// [`NotComposed`].
pub fn compose(
    from: &EmailAddress,
    to: &EmailAddress,
    message_id: &str,
    subject: &str,
    body: &str,
    date: jiff::Timestamp,
) -> Result<Vec<u8>, NotComposed> {
    let mailbox = |address: &EmailAddress| -> Result<Mailbox, AddressError> {
        Ok(Mailbox::new(None, address.as_str().parse()?))
    };
    let id = message_id.trim_start_matches('<').trim_end_matches('>');
    let message = Message::builder()
        .from(mailbox(from)?)
        .to(mailbox(to)?)
        .message_id(Some(format!("<{id}>")))
        .date(SystemTime::from(date))
        .subject(subject)
        .header(AutoSubmitted)
        // The library ends the text with a line end of its own.
        .singlepart(SinglePart::plain(body.trim_end().to_owned()))?;
    Ok(message.formatted())
}

/// Keeps out-of-office replies from answering (RFC 3834 section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn composed(message_id: &str, subject: &str, body: &str) -> String {
        let ann: EmailAddress = "ann+x'y@example.com".parse().unwrap();
        let date = "2026-11-20T08:09:10Z".parse().unwrap();
        let message = compose(&ann, &ann, message_id, subject, body, date).unwrap();
        assert!(message.is_ascii());
        String::from_utf8(message).unwrap()
    }

    #[test]
    fn is_a_plain_message() {
        let message = composed("<t1@gmail-operator.dev>", "It works", "Hello.\nGoodbye.\n");
        for header in [
            "From: ann+x'y@example.com\r\n",
            "To: ann+x'y@example.com\r\n",
            "Message-ID: <t1@gmail-operator.dev>\r\n",
            "Date: Fri, 20 Nov 2026 08:09:10 +0000\r\n",
            "Subject: It works\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "MIME-Version: 1.0\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
        ] {
            assert!(message.contains(header), "{header} in {message}");
        }
        assert!(message.ends_with("\r\n\r\nHello.\r\nGoodbye.\r\n"));
    }

    #[test]
    fn no_text_becomes_a_header() {
        let evil = "x\r\nBcc: eve@example.com\r\n\r\nhi\nBcc: eve@example.com";
        let message = composed(evil, evil, "Grüße\r\n.\r\n");
        let head = message.split("\r\n\r\n").next().unwrap();
        // A long header goes on in the next line, behind a space.
        let headers: Vec<&str> = head.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(headers.len(), 9, "{head}");
        assert!(
            !headers.iter().any(|line| line.starts_with("Bcc")),
            "{head}"
        );
    }
}
