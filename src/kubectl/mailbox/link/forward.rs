//! A port of localhost that leads elsewhere.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, FuturesUnordered};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::kubectl::error::CommandError;

/// At most so many connections at once; a browser opens six to a host.
const CONNECTIONS: usize = 32;
/// Before a port that gives no connection is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// The port of localhost, for IPv4 and, where this machine has it, IPv6: a browser may try either.
pub struct LocalPort(Vec<TcpListener>);

impl LocalPort {
    /// Takes it. It is the one that is registered at Google, so no other will do.
    ///
    /// # Errors
    /// Another program has it.
    pub async fn take(port: u16) -> Result<Self, CommandError> {
        let taken = |error: io::Error| {
            CommandError::Failed(format!(
                "port {port} of this machine cannot be used: {error}. Google sends the browser back to exactly this port, so end the program that has it (perhaps another `kubectl gmail link --port-forward`) and try again"
            ))
        };
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let mut listeners = vec![four.map_err(taken)?];
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(six) => listeners.push(six),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(taken(error)),
            // No IPv6 here.
            Err(_) => {}
        }
        Ok(Self(listeners))
    }

    /// Joins every connection with one that `dial` opens, until it is dropped; `trouble` hears of
    /// those that could not be opened.
    pub async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        dial: impl AsyncFn() -> Result<S, CommandError>,
        trouble: impl Fn(&CommandError),
    ) {
        let accepted = self.0.into_iter().map(|listener| {
            Box::pin(stream::unfold(listener, async |listener| {
                let browser = accept(&listener).await;
                Some((browser, listener))
            }))
        });
        let mut accepted = stream::select_all(accepted);
        let mut going = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(browser) = accepted.next(), if going.len() < CONNECTIONS => {
                    going.push(join(browser, &dial));
                }
                Some(done) = going.next(), if !going.is_empty() => {
                    if let Err(error) = done {
                        trouble(&error);
                    }
                }
            }
        }
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        let accepted: io::Result<(TcpStream, SocketAddr)> = listener.accept().await;
        match accepted {
            Ok((browser, _)) => return browser,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn join<S: AsyncRead + AsyncWrite + Unpin>(
    mut browser: TcpStream,
    dial: &impl AsyncFn() -> Result<S, CommandError>,
) -> Result<(), CommandError> {
    let mut page = dial().await?;
    // Either side may end whenever it likes; the browser tells its user.
    drop(copy_bidirectional(&mut browser, &mut page).await);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// A page that says what it was asked, in the place of the operator's.
    fn page() -> DuplexStream {
        let (ours, mut theirs) = duplex(64);
        tokio::spawn(async move {
            let mut asked = [0; 4];
            theirs.read_exact(&mut asked).await.unwrap_or(0);
            theirs.write_all(b"you said ").await.ok();
            theirs.write_all(&asked).await.ok();
        });
        ours
    }

    async fn free_port() -> (LocalPort, u16) {
        // Port 0 is any for one of the two, so the other takes the same afterwards.
        let found = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let found = found.unwrap_or_else(|e| panic!("{e}"));
        let port = found.local_addr().unwrap_or_else(|e| panic!("{e}")).port();
        drop(found);
        let taken = LocalPort::take(port).await;
        (taken.unwrap_or_else(|e| panic!("{e}")), port)
    }

    async fn ask(host: &str, port: u16, word: &[u8]) -> io::Result<String> {
        let mut browser = TcpStream::connect((host, port)).await?;
        browser.write_all(word).await?;
        let mut answer = String::new();
        browser.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn each_connection_reaches_the_page_and_ends_with_it() {
        let (local, port) = free_port().await;
        let carried = local.carry(async || Ok(page()), |error| panic!("{error}"));
        let browsers = async {
            let words: Vec<[u8; 4]> = (0..40_u8).map(|n| [b'a', b'b', b'c', n]).collect();
            let asked = words.iter().map(|word| ask("localhost", port, word));
            let answers = futures::future::join_all(asked).await;
            for (word, answer) in words.iter().zip(answers) {
                let wanted = [b"you said ".as_slice(), word.as_slice()].concat();
                let answer = answer.unwrap_or_else(|e| panic!("{e}"));
                assert_eq!(answer.as_bytes(), wanted);
            }
        };
        tokio::select! {
            () = carried => panic!("it ended by itself"),
            () = browsers => {}
        }
    }

    #[tokio::test]
    async fn a_page_that_cannot_be_reached_is_told_and_tried_again() {
        let (local, port) = free_port().await;
        let told = RefCell::new(Vec::new());
        let tries = RefCell::new(0);
        let dial = async || {
            *tries.borrow_mut() += 1;
            match *tries.borrow() {
                1 => Err(CommandError::failed("the Pod has gone")),
                _ => Ok(page()),
            }
        };
        let carried = local.carry(dial, |error| told.borrow_mut().push(error.to_string()));
        let browser = async {
            // Closed by us, with or without a reset.
            let first = ask("127.0.0.1", port, b"word").await.unwrap_or_default();
            assert_eq!(first, "");
            let second = ask("127.0.0.1", port, b"word").await;
            assert_eq!(second.unwrap_or_default(), "you said word");
        };
        tokio::select! {
            () = carried => panic!("it ended by itself"),
            () = browser => {}
        }
        assert_eq!(*told.borrow(), ["the Pod has gone"]);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let (local, port) = free_port().await;
        let second = LocalPort::take(port).await.err();
        let said = second.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            said.starts_with(&format!("port {port} of this machine cannot be used")),
            "{said}"
        );
        drop(local);
        assert!(LocalPort::take(port).await.is_ok());
    }
}
