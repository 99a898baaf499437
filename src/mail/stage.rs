//! A server that plays a script, for what no real server here can be made to say.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::MailAccount;
use crate::domain::ca_bundle::CaBundle;
use crate::domain::egress::EgressPolicy;
use crate::domain::secret::AccessToken;
use crate::domain::server::Endpoint;
use crate::net::connect::Dialer;
use crate::net::trust::tls_config;

/// One thing that the server does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends a text as it is.
    Say(&'static str),
    /// Sends bytes as they are.
    Send(&'static [u8]),
    /// Reads a line, which must have this in it.
    Hear(&'static str),
    /// Reads so many bytes.
    Take(usize),
    /// Goes on with TLS.
    Encrypt,
    /// Sends the same for as long as somebody reads it.
    Babble(&'static str),
    /// Keeps the connection open without a word.
    Wait,
}

/// A server that plays one script for one connection, then closes it.
pub(crate) struct Stage {
    /// Where it listens.
    pub(crate) endpoint: Endpoint,
    /// What a client that trusts it, and may connect to it, connects with.
    pub(crate) dialer: Dialer,
    play: JoinHandle<Vec<String>>,
}

/// The token of the tests.
pub(crate) const TOKEN: &str = "ya29.a0AfH6SMBnotARealToken";

/// Calls `f` with an account of that token.
pub(crate) fn account(token: &AccessToken) -> MailAccount<'_> {
    MailAccount {
        user: "ann@example.com",
        token,
    }
}

/// A time-out that no test waits for unless it is about time-outs.
const PATIENCE: Duration = Duration::from_secs(20);

impl Stage {
    /// A server whose certificate is for localhost.
    pub(crate) async fn new(script: Vec<Act>) -> Self {
        static LOCALHOST: LazyLock<Trust> = LazyLock::new(|| Trust::new("localhost", |_| {}));
        Self::with(&LOCALHOST, script).await
    }

    /// A server whose certificate is for `name`, and `changed`.
    pub(crate) async fn of(
        name: &str,
        changed: impl FnOnce(&mut CertificateParams),
        script: Vec<Act>,
    ) -> Self {
        Self::with(&Trust::new(name, changed), script).await
    }

    async fn with(trust: &Trust, script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = Endpoint::new("localhost", port);
        let dialer = dialer(&endpoint, Arc::clone(&trust.client), PATIENCE);
        let config = Arc::clone(&trust.server);
        let play = tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            play(tcp, TlsAcceptor::from(config), script).await
        });
        Self {
            endpoint,
            dialer,
            play,
        }
    }

    /// The same with a shorter time-out.
    pub(crate) fn impatient(mut self) -> Self {
        self.dialer = self.dialer.with_timeout(Duration::from_millis(300));
        self
    }

    /// The lines that it heard, after the script's end.
    pub(crate) async fn heard(self) -> Vec<String> {
        self.play.await.unwrap()
    }
}

/// A dialer for `endpoint` only.
pub(crate) fn dialer(endpoint: &Endpoint, tls: Arc<ClientConfig>, timeout: Duration) -> Dialer {
    let networks = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap());
    let egress = EgressPolicy::new(vec![endpoint.clone()], networks.to_vec());
    Dialer::new(Arc::new(egress), tls, timeout)
}

/// The two sides of one authority.
struct Trust {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Trust {
    fn new(name: &str, changed: impl FnOnce(&mut CertificateParams)) -> Self {
        let (ca, server) = certificates(name, changed);
        let ca = CaBundle::parse(&ca).unwrap();
        let client = Arc::new(tls_config(Some(&ca)).unwrap());
        Self { client, server }
    }
}

fn certificates(
    name: &str,
    changed: impl FnOnce(&mut CertificateParams),
) -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    changed(&mut params);
    let certificate = params.signed_by(&key, &ca).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (ca.pem(), Arc::new(config))
}

async fn play(tcp: TcpStream, acceptor: TlsAcceptor, script: Vec<Act>) -> Vec<String> {
    let mut acts = script.into_iter();
    let mut heard = Vec::new();
    let mut tcp = BufReader::new(tcp);
    if perform(&mut tcp, &mut acts, &mut heard).await {
        // A client that does not like the certificate leaves here.
        if let Ok(tls) = acceptor.accept(tcp.into_inner()).await {
            perform(&mut BufReader::new(tls), &mut acts, &mut heard).await;
        }
    }
    heard
}

/// Plays up to the end, or up to the encryption, which is true.
async fn perform<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    acts: &mut impl Iterator<Item = Act>,
    heard: &mut Vec<String>,
) -> bool {
    for act in acts {
        match act {
            Act::Say(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Act::Send(bytes) => stream.write_all(bytes).await.unwrap(),
            Act::Hear(part) => {
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                assert!(line.contains(part), "heard {line:?} instead of {part:?}");
                heard.push(line.trim_end().to_owned());
            }
            Act::Take(length) => {
                stream.read_exact(&mut vec![0; length]).await.unwrap();
            }
            Act::Encrypt => return true,
            Act::Babble(text) => {
                let much = text.repeat(1000);
                while stream.write_all(much.as_bytes()).await.is_ok() {}
            }
            Act::Wait => tokio::time::sleep(PATIENCE).await,
        }
    }
    let _closed = stream.shutdown().await;
    false
}
