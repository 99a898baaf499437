use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection to a server, or to a proxy that passes everything on to it. Servers that speak
/// first may have done so in the packet in which the proxy said yes.
#[derive(Debug)]
pub struct Link {
    early: Bytes,
    tcp: TcpStream,
}

impl Link {
    /// `early` came before what is still in `tcp`.
    pub(super) fn new(early: Bytes, tcp: TcpStream) -> Self {
        Self { early, tcp }
    }

    /// The first byte that has not been read, once there is one; none at the end.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn peek(&self) -> io::Result<Option<u8>> {
        if let Some(first) = self.early.first() {
            return Ok(Some(*first));
        }
        let mut first = [0];
        let came = self.tcp.peek(&mut first).await?;
        Ok((came > 0).then_some(first[0]))
    }
}

impl From<TcpStream> for Link {
    fn from(tcp: TcpStream) -> Self {
        Self::new(Bytes::new(), tcp)
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.tcp).poll_read(context, buffer);
        }
        let fits = self.early.len().min(buffer.remaining());
        buffer.put_slice(&self.early.split_to(fits));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
