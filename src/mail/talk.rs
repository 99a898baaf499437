use std::time::Duration;

use super::peer::Peer;
use super::wire::{Stream, Wire, WireError};
use crate::api::Reason;
use crate::domain::failure::Failure;

/// How long the end of a session may take: nothing depends on it.
const GOODBYE: Duration = Duration::from_secs(2);

/// A conversation with one server: what is said, and what it means when nothing comes back. A
/// `step` names what is done in the protocol's terms.
pub(super) struct Talk<S> {
    pub(super) peer: Peer,
    wire: Wire<S>,
}

impl<S: Stream> Talk<S> {
    /// The server may take as long as the peer's time-out for each step. The first, its greeting,
    /// begins now.
    pub(super) fn new(peer: Peer, stream: S) -> Self {
        let wire = Wire::new(stream, peer.timeout);
        Self { peer, wire }
    }

    /// The first line that the server says.
    pub(super) async fn greeting(&mut self, step: &str) -> Result<Vec<u8>, Failure> {
        let error = match self.wire.line().await {
            Ok(line) => return Ok(line),
            Err(error) => error,
        };
        let (reason, detail) = match error {
            WireError::Closed if !self.wire.heard_anything() => (
                Reason::GreetingMissing,
                "the server closed the connection without a word".to_owned(),
            ),
            WireError::Silent => (Reason::GreetingTimedOut, self.peer.no_answer()),
            error => return Err(self.peer.broken(step, &error)),
        };
        Err(self.peer.failure(reason, step, &detail))
    }

    /// Begins a step: sends `parts`, one after the other.
    pub(super) async fn say(&mut self, step: &str, parts: &[&[u8]]) -> Result<(), Failure> {
        let sent = self.wire.send(parts).await;
        sent.map_err(|error| self.peer.broken(step, &error))
    }

    /// The next line of the answer, without its end.
    pub(super) async fn line(&mut self, step: &str) -> Result<Vec<u8>, Failure> {
        let line = self.wire.line().await;
        line.map_err(|error| self.peer.broken(step, &error))
    }

    /// The next `length` bytes of the answer.
    pub(super) async fn bytes(&mut self, step: &str, length: u64) -> Result<Vec<u8>, Failure> {
        let bytes = self.wire.bytes(length).await;
        bytes.map_err(|error| self.peer.broken(step, &error))
    }

    /// What is left to say is a goodbye, which nobody waits long for.
    pub(super) fn hurry(&mut self) {
        self.wire.hurry(GOODBYE);
    }

    /// The peer, and the stream if nothing was received that has not been read.
    pub(super) fn into_parts(self) -> (Peer, Option<S>) {
        (self.peer, self.wire.into_stream())
    }
}
