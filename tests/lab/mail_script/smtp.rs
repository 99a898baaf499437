//! smtp.gmail.com, with TLS from the start or after STARTTLS (RFC 5321, RFC 3207, RFC 4954).

use anyhow::Result;
use tokio_rustls::TlsAcceptor;

use super::Protocol;
use super::fault::At;
use super::talk::Talk;

/// The largest message that is taken, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;

/// Until one of both goes. With an acceptor it begins in the clear.
pub async fn talk(mut talk: Talk, starttls: Option<TlsAcceptor>) -> Result<()> {
    if !talk.is_disturbed(At::Greeting, "").await? {
        talk.reply("220 smtp.gmail.com ESMTP").await?;
    }
    let Some(acceptor) = starttls else {
        return submission(talk).await;
    };
    loop {
        let line = talk.hear().await?;
        let name = name(&line);
        let encrypts = name == "STARTTLS" && talk.setting.goes_on_with_tls();
        let disturbed = talk.is_disturbed_by(&name, "").await?;
        if disturbed && !encrypts {
            continue;
        }
        match name.as_str() {
            "EHLO" => ehlo(&mut talk, "250-STARTTLS\r\n").await?,
            "STARTTLS" => {
                if !disturbed {
                    talk.say("220 2.0.0 Ready to start TLS").await?;
                }
                return submission(talk.encrypted(&acceptor).await?).await;
            }
            "QUIT" => return talk.reply("221 2.0.0 closing connection").await,
            _ => {
                talk.reply("530-5.7.0 Must issue a STARTTLS command first.\r\n530 5.7.0  For more information, go to")
                    .await?;
            }
        }
    }
}

/// What is said behind the encryption.
async fn submission(mut talk: Talk) -> Result<()> {
    loop {
        let line = talk.hear().await?;
        let name = name(&line);
        talk.post.heard(talk.account.as_deref(), &name);
        if talk.is_disturbed_by(&name, "").await? {
            continue;
        }
        match (name.as_str(), talk.account.clone()) {
            ("QUIT", _) => return talk.reply("221 2.0.0 closing connection").await,
            ("EHLO", None) => {
                let mechanisms = talk.setting.offers().mechanisms().join(" ");
                ehlo(
                    &mut talk,
                    &format!("250-AUTH LOGIN {mechanisms} XOAUTH\r\n"),
                )
                .await?;
            }
            ("AUTH", None) => auth(&mut talk, &line).await?,
            ("NOOP", _) => talk.reply("250 2.0.0 OK").await?,
            ("RSET", _) => talk.reply("250 2.1.5 Flushed").await?,
            ("MAIL" | "RCPT" | "DATA", None) => {
                talk.reply("530-5.7.0 Authentication Required. For more information, go to\r\n530 5.7.0  https://support.google.com/mail/?p=WantAuthError")
                    .await?;
            }
            ("MAIL", Some(_)) => talk.reply("250 2.1.0 OK").await?,
            ("RCPT", Some(account)) => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                talk.post.heard_recipient(&account, address);
                talk.reply("250 2.1.5 OK").await?;
            }
            ("DATA", Some(account)) => data(&mut talk, &account).await?,
            _ => talk.reply("502 5.5.1 Unrecognized command.").await?,
        }
    }
}

async fn ehlo(talk: &mut Talk, extra: &str) -> Result<()> {
    talk.say(&format!(
        "250-smtp.gmail.com at your service, [203.0.113.7]\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n{extra}\
         250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 SMTPUTF8"
    ))
    .await
}

async fn auth(talk: &mut Talk, line: &str) -> Result<()> {
    let mut words = line.split(' ').skip(1);
    let offers = talk.setting.offers();
    let Some(mechanism) = words.next().and_then(|name| offers.mechanism(name)) else {
        return talk
            .reply("504 5.7.4 Unrecognized Authentication Type")
            .await;
    };
    talk.mechanism = mechanism;
    let said = match words.next() {
        Some(said) if offers.initial_response() => said.to_owned(),
        Some(_) => {
            return talk
                .reply("535 5.5.4 Optional Argument not permitted for that AUTH mode")
                .await;
        }
        None => {
            talk.say("334 ").await?;
            talk.hear().await?
        }
    };
    let Some(login) = mechanism.read(&said) else {
        return talk.reply("501 5.5.2 Cannot Decode response").await;
    };
    let is_good = talk.post.login(&login);
    talk.logged_in(&login.user);
    if talk.is_disturbed(At::Login, "").await? {
        talk.account = None;
        return Ok(());
    }
    if !is_good {
        talk.account = None;
        let session = talk.session.clone();
        return talk
            .refuse(&format!(
                "535-5.7.8 Username and Password not accepted. For more information, go to\r\n\
                 535 5.7.8  https://support.google.com/mail/?p=BadCredentials {session} - gsmtp"
            ))
            .await;
    }
    talk.say("235 2.7.0 Accepted").await
}

async fn data(talk: &mut Talk, account: &str) -> Result<()> {
    talk.reply("354 Go ahead").await?;
    let mut text = String::new();
    loop {
        let line = talk.hear().await?;
        if line == "." {
            break;
        }
        anyhow::ensure!(text.len() < MAX_MESSAGE, "the message has no end");
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
    talk.post.came_in(account, &text);
    if !talk.is_disturbed(At::Message, "").await? {
        talk.post.deliver(account, &text);
        talk.reply("250 2.0.0 OK 1795480410").await?;
    }
    Ok(())
}

fn name(line: &str) -> String {
    line.split(' ')
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase()
}

impl Talk {
    /// A reply with the session's id at its end, as all of Gmail's have.
    async fn reply(&mut self, words: &str) -> Result<()> {
        debug_assert!(matches!(
            self.protocol,
            Protocol::Smtp | Protocol::Submission
        ));
        let session = self.session.clone();
        self.say(&format!("{words} {session} - gsmtp")).await
    }
}
