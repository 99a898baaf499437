//! imap.gmail.com, as far as a test of a mailbox goes (RFC 3501, RFC 6851, RFC 6154).

use anyhow::Result;

use super::fault::At;
use super::post::Folder;
use super::talk::Talk;

const BEFORE: &str = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY";
const AFTER: &str = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS \
     COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE \
     APPENDLIMIT=35651584";

const FOLDERS: &str = "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n\
     * LIST (\\HasChildren \\Noselect) \"/\" \"[Gmail]\"\r\n\
     * LIST (\\All \\HasNoChildren) \"/\" \"[Gmail]/All Mail\"\r\n\
     * LIST (\\Drafts \\HasNoChildren) \"/\" \"[Gmail]/Drafts\"\r\n\
     * LIST (\\HasNoChildren \\Important) \"/\" \"[Gmail]/Important\"\r\n\
     * LIST (\\HasNoChildren \\Sent) \"/\" \"[Gmail]/Sent Mail\"\r\n\
     * LIST (\\HasNoChildren \\Junk) \"/\" \"[Gmail]/Spam\"\r\n\
     * LIST (\\Flagged \\HasNoChildren) \"/\" \"[Gmail]/Starred\"\r\n\
     * LIST (\\HasNoChildren \\Trash) \"/\" \"[Gmail]/Trash\"";

/// The open folder.
#[derive(Clone, Copy)]
struct Open {
    folder: Folder,
    read_only: bool,
}

/// One command.
struct Command<'a> {
    tag: &'a str,
    name: String,
    rest: &'a str,
}

impl Command<'_> {
    fn read(line: &str) -> Command<'_> {
        let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
        let (word, mut rest) = command.split_once(' ').unwrap_or((command, ""));
        let mut name = word.to_ascii_uppercase();
        if name == "UID" {
            let (second, after) = rest.split_once(' ').unwrap_or((rest, ""));
            name = format!("UID {}", second.to_ascii_uppercase());
            rest = after;
        }
        Command { tag, name, rest }
    }
}

/// Until one of both goes.
pub async fn talk(mut talk: Talk) -> Result<()> {
    let session = talk.session.clone();
    if !talk.is_disturbed(At::Greeting, "*").await? {
        let greeting = format!("* OK Gimap ready for requests from 203.0.113.7 {session}");
        talk.say(&greeting).await?;
    }
    let mut open = None;
    loop {
        let line = talk.hear().await?;
        let command = Command::read(&line);
        talk.post.heard(talk.account.as_deref(), &command.name);
        if talk.is_disturbed_by(&command.name, command.tag).await? {
            continue;
        }
        match (command.name.as_str(), talk.account.clone()) {
            ("LOGOUT", _) => {
                let bye = format!(
                    "* BYE LOGOUT Requested\r\n{} OK 73 good day (Success)",
                    command.tag
                );
                return talk.say(&bye).await;
            }
            ("CAPABILITY", _) => capability(&mut talk, command.tag).await?,
            ("NOOP", _) => talk.say(&format!("{} OK Success", command.tag)).await?,
            ("ID", _) => id(&mut talk, command.tag).await?,
            ("AUTHENTICATE", None) => authenticate(&mut talk, &command).await?,
            (_, Some(account)) => in_mailbox(&mut talk, &account, &mut open, &command).await?,
            (_, None) => unknown(&mut talk, command.tag).await?,
        }
    }
}

async fn unknown(talk: &mut Talk, tag: &str) -> Result<()> {
    let session = talk.session.clone();
    talk.say(&format!("{tag} BAD Unknown command {session}"))
        .await
}

fn capabilities(talk: &Talk) -> String {
    if talk.account.is_some() {
        return AFTER.to_owned();
    }
    let offers = talk.setting.offers();
    let mut all = BEFORE.to_owned();
    if offers.initial_response() {
        all.push_str(" SASL-IR");
    }
    for mechanism in offers.mechanisms() {
        all.push_str(" AUTH=");
        all.push_str(mechanism);
    }
    all
}

async fn capability(talk: &mut Talk, tag: &str) -> Result<()> {
    let (all, session) = (capabilities(talk), talk.session.clone());
    let end = format!("{tag} OK Thats all she wrote! {session}");
    talk.say(&format!("* CAPABILITY {all}\r\n{end}")).await
}

async fn id(talk: &mut Talk, tag: &str) -> Result<()> {
    let session = talk.session.clone();
    let id = format!(
        "* ID (\"name\" \"GImap\" \"vendor\" \"Google, Inc.\" \"remote-host\" \"203.0.113.7\" \"connection-token\" \"{session}\")"
    );
    talk.say(&format!("{id}\r\n{tag} OK Success {session}"))
        .await
}

async fn authenticate(talk: &mut Talk, command: &Command<'_>) -> Result<()> {
    let (tag, offers) = (command.tag, talk.setting.offers());
    let (name, initial) = command.rest.split_once(' ').unwrap_or((command.rest, ""));
    let Some(mechanism) = offers.mechanism(name) else {
        return talk.say(&format!("{tag} BAD Unknown SASL mechanism")).await;
    };
    talk.mechanism = mechanism;
    let said = match initial {
        "" => {
            talk.say("+ ").await?;
            talk.hear().await?
        }
        said if offers.initial_response() => said.to_owned(),
        _ => {
            return talk
                .say(&format!("{tag} BAD Could not parse command"))
                .await;
        }
    };
    let Some(login) = mechanism.read(&said) else {
        let session = talk.session.clone();
        return talk
            .say(&format!("{tag} BAD Invalid SASL argument. {session}"))
            .await;
    };
    let is_good = talk.post.login(&login);
    talk.logged_in(&login.user);
    if talk.is_disturbed(At::Login, tag).await? {
        talk.account = None;
        return Ok(());
    }
    if !is_good {
        talk.account = None;
        talk.refuse(&format!(
            "{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
        ))
        .await?;
        return Ok(());
    }
    let user = login.user;
    talk.say(&format!(
        "* CAPABILITY {AFTER}\r\n{tag} OK {user} authenticated (Success)"
    ))
    .await
}

async fn in_mailbox(
    talk: &mut Talk,
    account: &str,
    open: &mut Option<Open>,
    command: &Command<'_>,
) -> Result<()> {
    let tag = command.tag;
    match (command.name.as_str(), *open) {
        ("LIST", _) => talk.say(&format!("{FOLDERS}\r\n{tag} OK Success")).await,
        ("EXAMINE" | "SELECT", _) => {
            *open = None;
            let name = command.rest.trim_matches('"');
            let Some(folder) = folder(name) else {
                return talk
                    .say(&format!(
                        "{tag} NO [NONEXISTENT] Unknown Mailbox: {name} (now in authenticated state) (Failure)"
                    ))
                    .await;
            };
            let read_only = command.name == "EXAMINE";
            *open = Some(Open { folder, read_only });
            let exists = talk.post.folder(account, folder).len();
            let code = if read_only { "READ-ONLY" } else { "READ-WRITE" };
            talk.say(&format!(
                "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen)\r\n* OK [UIDVALIDITY 1] UIDs valid.\r\n\
                 * {exists} EXISTS\r\n* 0 RECENT\r\n{tag} OK [{code}] {name} selected. (Success)"
            ))
            .await
        }
        ("UNSELECT", Some(_)) => {
            *open = None;
            talk.say(&format!(
                "{tag} OK Returned to authenticated state. (Success)"
            ))
            .await
        }
        ("UID SEARCH", Some(open)) => search(talk, account, open, command).await,
        ("UID MOVE", Some(open)) => relocate(talk, account, open, command).await,
        _ => unknown(talk, tag).await,
    }
}

fn folder(name: &str) -> Option<Folder> {
    match name {
        "[Gmail]/Spam" => Some(Folder::Spam),
        "[Gmail]/Trash" => Some(Folder::Trash),
        inbox if inbox.eq_ignore_ascii_case("INBOX") => Some(Folder::Inbox),
        _ => None,
    }
}

/// By Message-ID, as a header or in Gmail's own words (`X-GM-RAW "rfc822msgid:…"`).
async fn search(talk: &mut Talk, account: &str, open: Open, command: &Command<'_>) -> Result<()> {
    let quoted = command.rest.split('"').nth(1).unwrap_or_default();
    let id = quoted.trim_start_matches("rfc822msgid:");
    let mut found = String::from("* SEARCH");
    for letter in talk.post.folder(account, open.folder) {
        if !id.is_empty() && letter.text.contains(id) {
            found.push_str(&format!(" {}", letter.uid));
        }
    }
    let tag = command.tag;
    talk.say(&format!("{found}\r\n{tag} OK SEARCH completed (Success)"))
        .await
}

async fn relocate(talk: &mut Talk, account: &str, open: Open, command: &Command<'_>) -> Result<()> {
    let tag = command.tag;
    let (uid, target) = command.rest.split_once(' ').unwrap_or((command.rest, ""));
    let is_trash = folder(target.trim_matches('"')) == Some(Folder::Trash);
    let moved = match uid.parse() {
        Ok(uid) if is_trash && !open.read_only => {
            talk.post.move_to_trash(account, open.folder, uid)
        }
        _ => None,
    };
    match moved {
        Some(new) => {
            talk.say(&format!(
                "* OK [COPYUID 1 {uid} {new}] (Success)\r\n* 2 EXPUNGE\r\n{tag} OK (Success)"
            ))
            .await
        }
        None => {
            talk.say(&format!("{tag} NO [CANNOT] Nothing was moved (Failure)"))
                .await
        }
    }
}
