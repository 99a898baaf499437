//! pop.gmail.com, as far as a test of a mailbox goes (RFC 1939, RFC 2449, RFC 5034).

use anyhow::Result;

use super::fault::At;
use super::post::Folder;
use super::talk::Talk;

/// Until one of both goes.
pub async fn talk(mut talk: Talk) -> Result<()> {
    let session = talk.session.clone();
    if !talk.is_disturbed(At::Greeting, "").await? {
        let greeting = format!("+OK Gpop ready for requests from 203.0.113.7 {session}");
        talk.say(&greeting).await?;
    }
    loop {
        let line = talk.hear().await?;
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let name = word.to_ascii_uppercase();
        talk.post.heard(talk.account.as_deref(), &name);
        if talk.is_disturbed_by(&name, "").await? {
            continue;
        }
        match (name.as_str(), talk.account.clone()) {
            ("QUIT", _) => return talk.say("+OK Farewell.").await,
            ("CAPA", account) => capa(&mut talk, account.is_some()).await?,
            ("AUTH", None) => auth(&mut talk, rest).await?,
            ("NOOP", Some(_)) => talk.say("+OK").await?,
            ("STAT", Some(account)) => {
                let inbox = talk.post.folder(&account, Folder::Inbox);
                let size: usize = inbox.iter().map(|letter| letter.text.len()).sum();
                talk.say(&format!("+OK {} {size}", inbox.len())).await?;
            }
            _ => talk.say("-ERR bad command").await?,
        }
    }
}

async fn capa(talk: &mut Talk, logged_in: bool) -> Result<()> {
    let mut all = String::from(
        "+OK Capability list follows\r\nUSER\r\nRESP-CODES\r\nEXPIRE 0\r\nLOGIN-DELAY 300\r\nTOP\r\nUIDL\r\nX-GOOGLE-RICO\r\n",
    );
    if logged_in {
        all.push_str("PIPELINING\r\n");
    } else {
        let mechanisms = talk.setting.offers().mechanisms().join(" ");
        all.push_str(&format!("SASL {mechanisms}\r\n"));
    }
    talk.say(&format!("{all}.")).await
}

async fn auth(talk: &mut Talk, rest: &str) -> Result<()> {
    let offers = talk.setting.offers();
    let (name, initial) = rest.split_once(' ').unwrap_or((rest, ""));
    let Some(mechanism) = offers.mechanism(name) else {
        return talk.say("-ERR bad command").await;
    };
    talk.mechanism = mechanism;
    let said = match initial {
        "" => {
            talk.say("+ ").await?;
            talk.hear().await?
        }
        said if offers.initial_response() => said.to_owned(),
        _ => return talk.say("-ERR bad command").await,
    };
    let Some(login) = mechanism.read(&said) else {
        return talk.say("-ERR malformed command").await;
    };
    let is_good = talk.post.login(&login);
    talk.logged_in(&login.user);
    if talk.is_disturbed(At::Login, "").await? {
        talk.account = None;
        return Ok(());
    }
    if !is_good {
        talk.account = None;
        return talk.refuse("-ERR [AUTH] Invalid credentials.").await;
    }
    talk.say("+OK Welcome.").await
}
