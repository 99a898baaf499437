//! Lines to and from a server that may send anything, for as long as it likes.

use std::io;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, Take,
};
use tokio::time::{Instant, timeout_at};

/// What an answer may have, in bytes. A test of a mailbox needs a few thousand; the list of 10,000
/// labels, Gmail's limit, fits. It is read as it comes and not kept.
const ANSWER_LIMIT: u64 = 1024 * 1024;

/// How many lines an answer may have: short ones would take long to read.
const LINES_LIMIT: u32 = 16 * 1024;

/// What a line may have, in bytes, together with the literals in it: it is kept until it is read.
pub(super) const LINE_LIMIT: u64 = 16 * 1024;

/// What a conversation is held over: TLS, and in the clear only what comes before it.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection that speaks in lines. Each sending begins a step, which is to be over in time, its
/// answer included, of however many lines.
pub(super) struct Wire<S> {
    stream: Take<BufReader<S>>,
    timeout: Duration,
    deadline: Instant,
    /// How many lines of the answer have been read.
    lines: u32,
}

/// Why there is no line.
#[derive(Debug)]
pub(super) enum WireError {
    /// The other side ended the connection.
    Closed,
    /// It sent more than [`ANSWER_LIMIT`] or [`LINES_LIMIT`], or a line of more than
    /// [`LINE_LIMIT`].
    TooMuch,
    /// Nothing of an answer came in time.
    Silent,
    /// Some of it came, and not all in time.
    TooSlow,
    /// The operating system's or TLS's words.
    Broken(io::Error),
}

impl<S: Stream> Wire<S> {
    /// The first step, to which the other side's greeting is the answer, begins now.
    pub(super) fn new(stream: S, timeout: Duration) -> Self {
        Self {
            stream: BufReader::new(stream).take(ANSWER_LIMIT),
            timeout,
            deadline: Instant::now() + timeout,
            lines: 0,
        }
    }

    /// No step takes longer than that from now on.
    pub(super) fn hurry(&mut self, timeout: Duration) {
        self.timeout = self.timeout.min(timeout);
    }

    /// Begins a step: sends `parts`, one after the other.
    pub(super) async fn send(&mut self, parts: &[&[u8]]) -> Result<(), WireError> {
        self.stream.set_limit(ANSWER_LIMIT);
        self.lines = 0;
        self.deadline = Instant::now() + self.timeout;
        let stream = self.stream.get_mut();
        let sending = async {
            for part in parts {
                stream.write_all(part).await?;
            }
            stream.flush().await
        };
        match timeout_at(self.deadline, sending).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(WireError::Silent),
        }
    }

    /// The next line, without its end.
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, WireError> {
        if self.lines == LINES_LIMIT {
            return Err(WireError::TooMuch);
        }
        self.lines += 1;
        let mut line = Vec::new();
        let reading = async {
            let mut bounded = (&mut self.stream).take(LINE_LIMIT);
            bounded.read_until(b'\n', &mut line).await
        };
        match timeout_at(self.deadline, reading).await {
            Ok(read) => read?,
            Err(_) => return Err(self.late()),
        };
        if line.pop() != Some(b'\n') {
            return Err(self.ended(line.len() as u64 + 1));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// The next `length` bytes, which a line announced.
    pub(super) async fn bytes(&mut self, length: u64) -> Result<Vec<u8>, WireError> {
        if length > LINE_LIMIT {
            return Err(WireError::TooMuch);
        }
        let mut bytes = Vec::new();
        let reading = async {
            let mut announced = (&mut self.stream).take(length);
            announced.read_to_end(&mut bytes).await
        };
        match timeout_at(self.deadline, reading).await {
            Ok(read) => read?,
            Err(_) => return Err(self.late()),
        };
        if (bytes.len() as u64) < length {
            return Err(self.ended(bytes.len() as u64));
        }
        Ok(bytes)
    }

    /// Whether anything of the answer has been read.
    pub(super) fn heard_anything(&self) -> bool {
        self.stream.limit() < ANSWER_LIMIT
    }

    /// The stream, if nothing has been received that was not read; for STARTTLS.
    pub(super) fn into_stream(self) -> Option<S> {
        let buffered = self.stream.into_inner();
        buffered.buffer().is_empty().then(|| buffered.into_inner())
    }

    fn late(&self) -> WireError {
        match self.heard_anything() {
            true => WireError::TooSlow,
            false => WireError::Silent,
        }
    }

    /// Why what should have more than `length` bytes has no more.
    fn ended(&self, length: u64) -> WireError {
        match self.stream.limit() == 0 || length >= LINE_LIMIT {
            true => WireError::TooMuch,
            false => WireError::Closed,
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

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_line_and_an_answer_have_an_end() {
        for said in ["x", "x\r\n"] {
            let (client, mut server) = tokio::io::duplex(4096);
            let much = said.repeat(4096);
            let endless =
                tokio::spawn(
                    async move { while server.write_all(much.as_bytes()).await.is_ok() {} },
                );
            let mut wire = Wire::new(client, PATIENCE);
            let error = loop {
                match wire.line().await {
                    Ok(line) => assert_eq!(line, b"x"),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, WireError::TooMuch), "{error:?}");
            drop(wire);
            assert!(endless.await.is_ok());
        }
    }

    #[tokio::test]
    async fn announcing_much_takes_no_memory() {
        let (client, mut server) = tokio::io::duplex(64);
        server.write_all(b"abc\r\nrest").await.unwrap();
        let mut wire = Wire::new(client, PATIENCE);
        assert!(matches!(
            wire.bytes(500_000_000).await,
            Err(WireError::TooMuch)
        ));
        assert_eq!(wire.line().await.unwrap(), b"abc");
        drop(server);
        assert!(matches!(wire.bytes(5).await, Err(WireError::Closed)));
    }

    #[tokio::test]
    async fn silence_and_slowness_are_told_apart() {
        let (client, mut server) = tokio::io::duplex(64);
        let mut wire = Wire::new(client, Duration::from_millis(30));
        assert!(matches!(wire.line().await, Err(WireError::Silent)));
        wire.send(&[b"NOOP\r\n"]).await.unwrap();
        assert!(matches!(wire.line().await, Err(WireError::Silent)));
        wire.send(&[b"NOOP\r\n"]).await.unwrap();
        server.write_all(b"250-a\r\n250 ").await.unwrap();
        assert_eq!(wire.line().await.unwrap(), b"250-a");
        assert!(matches!(wire.line().await, Err(WireError::TooSlow)));
        // Nobody reads.
        let much = [b'x'; 256];
        assert!(matches!(wire.send(&[&much]).await, Err(WireError::Silent)));
    }
}
