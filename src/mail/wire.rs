//! Lines to and from a server that may send anything, for as long as it likes.

use std::io;

use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, Take,
};

/// What one session may receive, in bytes. A test of a mailbox needs a few thousand; the list of
/// 10,000 labels, Gmail's limit, fits.
const SESSION_LIMIT: u64 = 1024 * 1024;

/// A connection that speaks in lines. It has no time-out: whoever waits for an answer, of however
/// many lines, puts one around the whole.
pub(super) struct Wire<S> {
    stream: Take<BufReader<S>>,
}

/// Why there is no line.
#[derive(Debug)]
pub(super) enum WireError {
    /// The other side ended the connection.
    Closed,
    /// The other side sent more than [`SESSION_LIMIT`].
    TooMuch,
    /// The operating system's or TLS's words.
    Broken(io::Error),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        let stream = BufReader::new(stream).take(SESSION_LIMIT);
        Self { stream }
    }

    /// Sends `parts`, one after the other.
    pub(super) async fn send(&mut self, parts: &[&[u8]]) -> Result<(), WireError> {
        let stream = self.stream.get_mut();
        for part in parts {
            stream.write_all(part).await?;
        }
        Ok(stream.flush().await?)
    }

    /// The next line, without its end.
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, WireError> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        if line.pop() != Some(b'\n') {
            return Err(self.ended());
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// The next `length` bytes. Memory is taken as they come, not as they are announced.
    pub(super) async fn bytes(&mut self, length: u64) -> Result<Vec<u8>, WireError> {
        if length > self.stream.limit() {
            return Err(WireError::TooMuch);
        }
        let mut bytes = Vec::new();
        (&mut self.stream)
            .take(length)
            .read_to_end(&mut bytes)
            .await?;
        if (bytes.len() as u64) < length {
            return Err(self.ended());
        }
        Ok(bytes)
    }

    /// The first byte of what comes next, which stays there.
    pub(super) async fn peek(&mut self) -> Result<u8, WireError> {
        let waiting = self.stream.fill_buf().await?;
        match waiting.first() {
            Some(byte) => Ok(*byte),
            None => Err(self.ended()),
        }
    }

    /// The stream, if nothing has been received that was not read; for STARTTLS.
    pub(super) fn into_stream(self) -> Option<S> {
        let buffered = self.stream.into_inner();
        buffered.buffer().is_empty().then(|| buffered.into_inner())
    }

    fn ended(&self) -> WireError {
        if self.stream.limit() == 0 {
            WireError::TooMuch
        } else {
            WireError::Closed
        }
    }
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => WireError::Closed,
            _ => WireError::Broken(error),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_has_an_end() {
        let (client, mut server) = tokio::io::duplex(4096);
        let endless =
            tokio::spawn(async move { while server.write_all(&[b'x'; 4096]).await.is_ok() {} });
        let mut wire = Wire::new(client);
        assert!(matches!(wire.line().await, Err(WireError::TooMuch)));
        assert!(matches!(wire.peek().await, Err(WireError::TooMuch)));
        drop(wire);
        assert!(endless.await.is_ok());
    }

    #[tokio::test]
    async fn announcing_much_takes_no_memory() {
        let (client, mut server) = tokio::io::duplex(64);
        server.write_all(b"abc\r\nrest").await.unwrap();
        let mut wire = Wire::new(client);
        assert!(matches!(
            wire.bytes(500_000_000).await,
            Err(WireError::TooMuch)
        ));
        assert_eq!(wire.line().await.unwrap(), b"abc");
        drop(server);
        assert!(matches!(wire.bytes(5).await, Err(WireError::Closed)));
    }
}
