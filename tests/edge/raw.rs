//! HTTP as bytes, for what no HTTP client sends.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::lab::operator::PATIENCE;

/// An answer, without its date.
#[derive(Debug, Eq, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// A connection.
pub struct Raw {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Raw {
    pub async fn connect(port: u16) -> Result<Raw> {
        Ok(Raw {
            stream: TcpStream::connect(("127.0.0.1", port)).await?,
            unread: Vec::new(),
        })
    }

    /// Sends bytes; where the other side has enough of them it may close before all are sent.
    pub async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Reads an answer with a `Content-Length`; `None` where the connection is closed instead.
    pub async fn read(&mut self) -> Result<Option<Answer>> {
        loop {
            if let Some((answer, length)) = parse(&self.unread)? {
                self.unread.drain(..length);
                return Ok(Some(answer));
            }
            let mut buffer = [0; 16 * 1024];
            match timeout(PATIENCE, self.stream.read(&mut buffer)).await? {
                Ok(0) if self.unread.is_empty() => return Ok(None),
                Ok(0) => bail!(
                    "half an answer: {:?}",
                    String::from_utf8_lossy(&self.unread)
                ),
                Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
                // It was closed with bytes of ours still unread there.
                Err(_) => return Ok(None),
            }
        }
    }

    /// Asks for a page and keeps the connection.
    pub async fn keep_open(&mut self, host: &str, path: &str) -> Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        self.write(request.as_bytes()).await?;
        self.read().await?.context("closed")
    }

    /// Waits until the other side closes.
    pub async fn is_closed(&mut self) -> Result<bool> {
        Ok(self.read().await?.is_none())
    }
}

/// The first answer in `bytes` and its length, if all of it is there.
fn parse(bytes: &[u8]) -> Result<Option<(Answer, usize)>> {
    let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..at])?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let lines = head.lines().filter(|line| !line.starts_with("date:"));
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .context("no length")?;
    let (start, end) = (at + 4, at + 4 + length.parse::<usize>()?);
    let Some(body) = bytes.get(start..end) else {
        return Ok(None);
    };
    let answer = Answer {
        status,
        head: lines.collect::<Vec<_>>().join("\n"),
        body: String::from_utf8(body.to_vec())?,
    };
    Ok(Some((answer, end)))
}

/// One request, as it is given.
pub async fn ask(port: u16, request: &str) -> Result<Answer> {
    let mut raw = Raw::connect(port).await?;
    raw.write(request.as_bytes()).await?;
    raw.read().await?.context("closed without an answer")
}

/// One request with these headers beside the usual ones, each with its end of line.
pub async fn send(port: u16, host: &str, method: &str, path: &str, more: &str) -> Result<Answer> {
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n");
    ask(port, &request).await
}

/// The same for a page.
pub async fn get(port: u16, host: &str, path: &str, more: &str) -> Result<Answer> {
    send(port, host, "GET", path, more).await
}
