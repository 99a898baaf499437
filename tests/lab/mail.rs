//! Stand-ins for Gmail's IMAP, POP3 and SMTP servers, with real mailboxes behind them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::google::GoogleStandIn;
use super::keeper::Kept;
use super::place::Place;
use super::ports::free_port;
use super::tls::Tls;
use super::{source_folder, until_open};

/// The mail servers. They know every account that the stand-in for Google vouches for; nothing has to be created.
#[derive(Debug)]
pub struct MailServers {
    /// IMAP over TLS.
    pub imap_port: u16,
    /// POP3 over TLS.
    pub pop3_port: u16,
    /// SMTP over TLS.
    pub smtps_port: u16,
    /// SMTP that changes to TLS with STARTTLS.
    pub submission_port: u16,
    lmtp_port: u16,
    relay_port: u16,
    relay_log: PathBuf,
    dir: PathBuf,
    dovecot: Kept,
    relay: Kept,
}

impl MailServers {
    /// Starts the servers; [`MailServers::ready`] waits for them.
    pub fn spawn(
        lab: &Path,
        tls: &Tls,
        place: &Place,
        google: &GoogleStandIn,
    ) -> Result<MailServers> {
        // Not in the lab's folder: a socket's path may have no more than 107 bytes, and the users that Dovecot runs
        // as must be able to get there.
        let dir = tempfile::Builder::new()
            .prefix("gmail-operator-lab-")
            .tempdir_in("/tmp")?
            .keep();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755))?;
        for folder in ["mail", "aliases"] {
            fs::create_dir(dir.join(folder))?;
            fs::set_permissions(dir.join(folder), fs::Permissions::from_mode(0o777))?;
        }
        fs::copy(&tls.ca, dir.join("ca.pem"))?;

        let [imap_port, pop3_port, smtps_port] = [free_port()?, free_port()?, free_port()?];
        let [submission_port, lmtp_port, relay_port] = [free_port()?, free_port()?, free_port()?];
        let values = [
            ("@DIR@", dir.display().to_string()),
            ("@LOG@", lab.join("dovecot.log").display().to_string()),
            ("@CERT@", tls.cert.display().to_string()),
            ("@KEY@", tls.key.display().to_string()),
            ("@CA@", dir.join("ca.pem").display().to_string()),
            ("@INTROSPECTION_URL@", google.introspection_url()),
            ("@ADDRESSES@", place.addresses().join(", ")),
            ("@IMAP_PORT@", imap_port.to_string()),
            ("@POP3_PORT@", pop3_port.to_string()),
            ("@SMTPS_PORT@", smtps_port.to_string()),
            ("@SUBMISSION_PORT@", submission_port.to_string()),
            ("@LMTP_PORT@", lmtp_port.to_string()),
            ("@RELAY_PORT@", relay_port.to_string()),
        ];
        for name in ["dovecot.conf", "oauth2.conf"] {
            let mut text = fs::read_to_string(source_folder().join("dovecot").join(name))?;
            for (mark, value) in &values {
                text = text.replace(mark, value);
            }
            fs::write(dir.join(name), text)?;
        }

        let dovecot = Kept::start_with_rubbish(
            Command::new(dovecot()?)
                .arg("-F")
                .arg("-c")
                .arg(dir.join("dovecot.conf")),
            &lab.join("dovecot.log"),
            Some(&dir),
        )?;
        let relay_log = lab.join("relay.log");
        let relay = Kept::start(
            Command::new("node")
                .arg("relay.mjs")
                .current_dir(source_folder().join("node"))
                .env("PORT", relay_port.to_string())
                .env("LMTP_PORT", lmtp_port.to_string())
                .env("ALIASES", dir.join("aliases")),
            &relay_log,
        )?;
        Ok(MailServers {
            imap_port,
            pop3_port,
            smtps_port,
            submission_port,
            lmtp_port,
            relay_port,
            relay_log,
            dir,
            dovecot,
            relay,
        })
    }

    /// Waits until they answer.
    pub async fn ready(&self) -> Result<()> {
        until_open(&self.dovecot, self.imap_port).await?;
        until_open(&self.relay, self.relay_port).await
    }

    /// The messages in a folder of an account (`INBOX`, `Sent Mail`, `Spam`, `Trash`), oldest first, as they arrived.
    pub fn messages_in(&self, account: &str, folder: &str) -> Result<Vec<String>> {
        let mut maildir = self
            .dir
            .join("mail")
            .join(account.to_lowercase())
            .join("Maildir");
        if folder != "INBOX" {
            maildir.push(format!(".{folder}"));
        }
        // A message that is being moved may be in neither place for us: then look again.
        for _ in 0..10 {
            if let Some(messages) = read_maildir(&maildir)? {
                return Ok(messages);
            }
        }
        bail!("{} does not come to rest", maildir.display())
    }

    /// How many messages for an address have been accepted, whether or not they have arrived.
    pub fn relayed(&self, address: &str) -> Result<usize> {
        let log = fs::read_to_string(&self.relay_log)?;
        let line = format!("took a message for {}", address.to_lowercase());
        Ok(log.lines().filter(|found| *found == line).count())
    }

    /// Puts a message into the inbox of an account, as if somebody had sent it.
    pub async fn deliver(&self, account: &str, raw: &str) -> Result<()> {
        let stream = TcpStream::connect(("127.0.0.1", self.lmtp_port)).await?;
        let mut lmtp = BufReader::new(stream);
        expect(&mut lmtp, "220").await?;
        let recipient = format!("RCPT TO:<{account}>");
        for command in [
            "LHLO localhost",
            "MAIL FROM:<somebody@elsewhere.example>",
            &recipient,
        ] {
            send(&mut lmtp, command, "250").await?;
        }
        send(&mut lmtp, "DATA", "354").await?;
        let text: String = raw
            .lines()
            .map(|line| {
                if line.starts_with('.') {
                    format!(".{line}\r\n")
                } else {
                    format!("{line}\r\n")
                }
            })
            .collect();
        send(&mut lmtp, &format!("{text}."), "250").await?;
        send(&mut lmtp, "QUIT", "221").await
    }

    /// From now on, mail that is sent to `address` arrives at `account`.
    pub fn alias(&self, address: &str, account: &str) -> Result<()> {
        let file = self.dir.join("aliases").join(address.to_lowercase());
        Ok(fs::write(file, account.to_lowercase())?)
    }
}

fn dovecot() -> Result<PathBuf> {
    ["/usr/sbin/dovecot", "/usr/bin/dovecot"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.exists())
        .context("Dovecot is not installed: run tests/lab/install.sh")
}

// `None` when a message vanished between being listed and being read.
fn read_maildir(maildir: &Path) -> Result<Option<Vec<String>>> {
    let mut messages = Vec::new();
    for folder in ["new", "cur"] {
        let entries = match fs::read_dir(maildir.join(folder)) {
            Ok(entries) => entries,
            // An account that never had a message or a login has no folder yet.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let entry = entry?;
            match fs::read(entry.path()) {
                Ok(bytes) => messages.push((
                    arrival(&entry.file_name().to_string_lossy()),
                    String::from_utf8_lossy(&bytes).into_owned(),
                )),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
    messages.sort();
    Ok(Some(messages.into_iter().map(|(_, text)| text).collect()))
}

// Seconds and microseconds from a name such as `1795480410.M34567P42.host`; they are not padded, so that the names
// themselves do not sort by time.
fn arrival(name: &str) -> (u64, u64) {
    let number = |text: &str| {
        let digits = text.split(|c: char| !c.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    let (seconds, rest) = name.split_once(".M").unwrap_or((name, ""));
    (number(seconds), number(rest))
}

async fn send(lmtp: &mut BufReader<TcpStream>, command: &str, wanted: &str) -> Result<()> {
    lmtp.get_mut()
        .write_all(format!("{command}\r\n").as_bytes())
        .await?;
    expect(lmtp, wanted).await
}

async fn expect(lmtp: &mut BufReader<TcpStream>, wanted: &str) -> Result<()> {
    loop {
        let mut line = String::new();
        lmtp.read_line(&mut line).await?;
        if !line.starts_with(wanted) {
            bail!("the mail server says {}", line.trim());
        }
        // A dash after the code means that more lines follow.
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}
