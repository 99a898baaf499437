//! One conversation: lines heard, lines said, and the faults that come between.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio_rustls::TlsAcceptor;

use super::Protocol;
use super::door::Setting;
use super::fault::{Act, At, Fault};
use super::login::Mechanism;
use super::post::Post;

/// The longest line that a client may say, in bytes.
const MAX_LINE: u64 = 64 * 1024;
/// A flood ends after so many blocks: what reads so much has no bound.
const FLOOD: usize = 4096;
/// Of no protocol, and with no line's end in it.
const GARBAGE: &[u8] = b"\x00\xff\xfe\x1b[2J\x80\x81gibberish\xc3\x28\x00";
/// Between two bytes of a drip.
const DRIP: Duration = Duration::from_millis(50);

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The two sides of a conversation, as the server sees it.
pub struct Talk {
    /// What is spoken.
    pub protocol: Protocol,
    /// How the door is set now.
    pub setting: Arc<Setting>,
    /// The accounts.
    pub post: Arc<Post>,
    /// Gmail repeats it in its answers.
    pub session: String,
    /// Who has logged in.
    pub account: Option<String>,
    /// How they log in.
    pub mechanism: Mechanism,
    stream: BufReader<Box<dyn Stream>>,
    /// Bytes.
    said: usize,
    /// How many of them before the login.
    said_before: usize,
}

impl Talk {
    /// Nothing was said yet.
    pub fn new(
        protocol: Protocol,
        setting: Arc<Setting>,
        post: Arc<Post>,
        stream: Box<dyn Stream>,
    ) -> Talk {
        let number = post.next_session();
        let session = match protocol {
            Protocol::Imap => format!("a640c23a62f3amb{number:06}ejc"),
            Protocol::Pop3 => format!("n6mb44{number:06}ywl"),
            Protocol::Smtp | Protocol::Submission => {
                format!("d9443c01a7336-29daeaab9e6sm{number:07}ad.71")
            }
        };
        Talk {
            protocol,
            setting,
            post,
            session,
            account: None,
            mechanism: Mechanism::Xoauth2,
            stream: BufReader::new(stream),
            said: 0,
            said_before: 0,
        }
    }

    /// Goes on with TLS.
    pub async fn encrypted(self, acceptor: &TlsAcceptor) -> Result<Talk> {
        let stream = acceptor.accept(self.stream.into_inner()).await?;
        Ok(Talk {
            stream: BufReader::new(Box::new(stream)),
            ..self
        })
    }

    /// The next line; an error where there is none any more.
    pub async fn hear(&mut self) -> Result<String> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.stream).take(MAX_LINE);
        bounded.read_until(b'\n', &mut line).await?;
        if line.last() != Some(&b'\n') {
            bail!("the client has gone");
        }
        let line = String::from_utf8_lossy(&line);
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Says lines, which have CRLF between them and get one at their end.
    pub async fn say(&mut self, lines: &str) -> Result<()> {
        let lines = format!("{lines}\r\n");
        self.utter(lines.as_bytes()).await
    }

    /// Does what is to be done at this moment in place of the usual; whether there was something.
    pub async fn is_disturbed(&mut self, at: At, tag: &str) -> Result<bool> {
        let fault = self.faults().find(|fault| fault.at == at);
        self.perform_if(fault, tag).await
    }

    /// The same at a command of this name.
    pub async fn is_disturbed_by(&mut self, command: &str, tag: &str) -> Result<bool> {
        let at = |fault: &Fault| matches!(fault.at, At::Command(name) if name == command);
        let fault = self.faults().find(at);
        self.perform_if(fault, tag).await
    }

    async fn perform_if(&mut self, fault: Option<Fault>, tag: &str) -> Result<bool> {
        if let Some(fault) = fault {
            self.perform(fault.act, tag).await?;
        }
        Ok(fault.is_some())
    }

    /// The account that has logged in; its own faults count from here.
    pub fn logged_in(&mut self, account: &str) {
        self.account = Some(account.to_owned());
        self.said_before = self.said;
    }

    /// As Gmail refuses a login: a challenge, and `words` when the client has answered it.
    pub async fn refuse(&mut self, words: &str) -> Result<()> {
        let prompt = match self.protocol {
            Protocol::Imap | Protocol::Pop3 => "+",
            Protocol::Smtp | Protocol::Submission => "334",
        };
        let challenge = STANDARD.encode(self.mechanism.challenge());
        self.say(&format!("{prompt} {challenge}")).await?;
        let answer = self.hear().await?;
        self.post.heard_answer(self.mechanism, &answer);
        self.say(words).await
    }

    /// The account's, whose bytes count from the login, and the door's.
    fn faults(&self) -> impl Iterator<Item = Fault> + use<> {
        let of_account = self.account.as_ref().and_then(|of| self.post.fault(of));
        let of_account = of_account.map(|fault| match fault.at {
            At::Byte(byte) => Fault {
                at: At::Byte(self.said_before + byte),
                ..fault
            },
            _ => fault,
        });
        of_account.into_iter().chain(self.setting.fault())
    }

    async fn perform(&mut self, act: Act, tag: &str) -> Result<()> {
        match act {
            Act::Say(text) => self.say(&self.filled(text, tag)).await,
            Act::Challenge(text) => self.refuse(&self.filled(text, tag)).await,
            Act::Bye(text) => {
                self.say(&self.filled(text, tag)).await?;
                self.close().await
            }
            Act::Close => self.close().await,
            Act::Silence => self.silence().await,
            Act::Garbage => self.utter(&[GARBAGE, b"\r\n"].concat()).await,
            Act::Flood => self.flood().await,
            Act::Drip(text) => {
                for byte in text.bytes() {
                    self.utter(&[byte]).await?;
                    tokio::time::sleep(DRIP).await;
                }
                self.silence().await
            }
        }
    }

    fn filled(&self, text: &str, tag: &str) -> String {
        text.replace("TAG", tag).replace("SESSION", &self.session)
    }

    /// Says `bytes`, as far as no fault comes in the middle of them.
    async fn utter(&mut self, bytes: &[u8]) -> Result<()> {
        let until = self.said + bytes.len();
        let cut = self.faults().find_map(|fault| match fault.at {
            At::Byte(byte) if (self.said..until).contains(&byte) => Some((byte, fault.act)),
            _ => None,
        });
        let whole = bytes.len();
        let before = cut.map_or(whole, |(byte, _)| byte - self.said);
        self.stream.write_all(&bytes[..before]).await?;
        self.stream.flush().await?;
        self.said = until;
        match cut {
            None => Ok(()),
            Some((_, Act::Close)) => self.close().await,
            Some((_, Act::Silence)) => self.silence().await,
            Some((_, Act::Flood)) => self.flood().await,
            Some((_, act)) => {
                anyhow::ensure!(act == Act::Garbage, "{act:?} is not for the middle");
                self.stream.write_all(GARBAGE).await?;
                self.stream.write_all(&bytes[before..]).await?;
                Ok(self.stream.flush().await?)
            }
        }
    }

    async fn close(&mut self) -> Result<()> {
        self.stream.shutdown().await?;
        bail!("the server has closed")
    }

    async fn silence(&mut self) -> Result<()> {
        let mut ignored = [0; 1024];
        while self.stream.read(&mut ignored).await? > 0 {}
        bail!("the client has gone")
    }

    async fn flood(&mut self) -> Result<()> {
        for _ in 0..FLOOD {
            self.stream.write_all(&[b'x'; 4096]).await?;
        }
        bail!("the client reads without end")
    }
}
