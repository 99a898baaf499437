use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes are kept, which is enough for a greeting that a person recognises.
const KEPT: usize = 120;

/// TLS records have these types (RFC 8446 section 5.1, RFC 6520 section 3). None is a printable
/// character.
const RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=24;

/// A connection that keeps the first bytes of the other side: what is not TLS is known by them, and
/// the TLS library does not tell them.
#[derive(Debug)]
pub struct Opening<S> {
    stream: S,
    first: Vec<u8>,
}

/// What the first bytes are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Began {
    /// There are none.
    Silent,
    /// As TLS begins.
    AsTls,
    /// The first line of a text.
    InPlainText(String),
    /// Neither.
    Otherwise,
}

impl<S> Opening<S> {
    pub(super) fn new(stream: S) -> Self {
        let first = Vec::new();
        Self { stream, first }
    }

    pub(super) fn began(&self) -> Began {
        began(&self.first)
    }
}

fn began(first: &[u8]) -> Began {
    match first.first() {
        None => return Began::Silent,
        Some(byte) if RECORD_TYPES.contains(byte) => return Began::AsTls,
        Some(_) => {}
    }
    let line = first.split(|byte| b"\r\n".contains(byte)).next();
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    if line.chars().any(char::is_control) || line.contains(char::REPLACEMENT_CHARACTER) {
        Began::Otherwise
    } else {
        Began::InPlainText(line.into_owned())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let came = buffer.filled().get(before..).unwrap_or_default();
        let room = KEPT.saturating_sub(self.first.len());
        self.first.extend(came.iter().take(room));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_begins_with() {
        let text = |line: &str| Began::InPlainText(line.to_owned());
        for (first, is) in [
            (&b""[..], Began::Silent),
            (b"\x16\x03\x03\x00", Began::AsTls),
            (b"\x15\x03\x01\x00\x02\x02F", Began::AsTls),
            (
                b"220 smtp.example.com ESMTP\r\n",
                text("220 smtp.example.com ESMTP"),
            ),
            (
                b"HTTP/1.1 400 Bad Request\r\nServer",
                text("HTTP/1.1 400 Bad Request"),
            ),
            (b"\r\n", text("")),
            (b"J\x00\x00\x00\n8.0.36", Began::Otherwise),
            (b"\xff\xfe\xfd", Began::Otherwise),
        ] {
            assert_eq!(began(first), is, "{first:?}");
        }
    }
}
