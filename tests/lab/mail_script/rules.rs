//! What nobody may ask these servers to do.

/// Commands that change mail, its flags or its folders, or that mark it as read or fetched: Gmail archives on EXPUNGE
/// and CLOSE, and takes what RETR has fetched out of POP. What UID MOVE may move is looked at when it is asked for.
const FORBIDDEN: [&str; 18] = [
    "APPEND",
    "CLOSE",
    "COPY",
    "CREATE",
    "DELE",
    "DELETE",
    "EXPUNGE",
    "FETCH",
    "MOVE",
    "RENAME",
    "RETR",
    "STORE",
    "SUBSCRIBE",
    "UID COPY",
    "UID EXPUNGE",
    "UID FETCH",
    "UID STORE",
    "UNSUBSCRIBE",
];

/// Whether a command, by its name in capitals, may be asked for.
pub fn allows(command: &str) -> bool {
    !FORBIDDEN.contains(&command)
}
