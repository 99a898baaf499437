//! What a server does in place of what it should.

/// One thing that goes wrong: what, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    /// When.
    pub at: At,
    /// What is done then.
    pub act: Act,
}

/// A moment of a conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum At {
    /// Before the client has said anything.
    Greeting,
    /// At this command of the client: its first word in capitals, with the second of IMAP's `UID …`.
    Command(&'static str),
    /// When the login is complete, in place of the answer to it.
    Login,
    /// When a message has come in completely.
    Message,
    /// When the server has said so many bytes: since the login where the fault is an account's.
    Byte(usize),
}

/// What is done. In the texts `TAG` stands for the tag of IMAP's command and `SESSION` for the session's id; a text of
/// many lines has CRLF between them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// It says this in place of its own words, and goes on.
    Say(&'static str),
    /// As Gmail refuses a login: a challenge, and this when the client has answered it.
    Challenge(&'static str),
    /// It says this, and closes the connection.
    Bye(&'static str),
    /// It closes the connection.
    Close,
    /// It never says anything any more.
    Silence,
    /// It says bytes that are of no protocol, and goes on.
    Garbage,
    /// It begins a line that never ends.
    Flood,
    /// It says this, a byte at a time, so slowly that nobody waits for the end.
    Drip(&'static str),
}

/// A fault, in short.
pub const fn fault(at: At, act: Act) -> Fault {
    Fault { at, act }
}
