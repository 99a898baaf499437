//! An HTTPS server that says what a test wants it to say, to the byte.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::HttpClient;
use crate::domain::ca_bundle::CaBundle;
use crate::domain::egress::EgressPolicy;
use crate::domain::server::Endpoint;
use crate::net::trust::tls_config;

/// What the server does with each request.
#[derive(Clone)]
pub(crate) enum Script {
    /// Sends these bytes and closes.
    Say(Vec<u8>),
    /// Sends these bytes, then a chunk for as long as anybody reads.
    Endless(Vec<u8>),
    /// Says nothing.
    Silent,
}

impl Script {
    /// An answer with a body of the type.
    pub(crate) fn answer(status: &str, content_type: &str, body: &str) -> Self {
        Self::Say(
            format!(
                "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    }

    /// An answer in JSON.
    pub(crate) fn json(status: &str, body: &str) -> Self {
        Self::answer(status, "application/json", body)
    }
}

/// A server on 127.0.0.1 with a certificate for `localhost`.
pub(crate) struct Scripted {
    /// Its port.
    pub(crate) port: u16,
    /// Its certificate, to be trusted.
    pub(crate) ca: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Starts it; it ends with the test's runtime.
    pub(crate) async fn start(script: Script) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, script, record) = (acceptor.clone(), script.clone(), record.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut request = vec![0; 64 * 1024];
                    let mut read = stream.read(&mut request).await.unwrap_or_default();
                    // A body may come in a packet of its own.
                    while let Ok(Ok(more @ 1..)) = tokio::time::timeout(
                        Duration::from_millis(50),
                        stream.read(&mut request[read..]),
                    )
                    .await
                    {
                        read += more;
                    }
                    let text = String::from_utf8_lossy(&request[..read]).into_owned();
                    record.lock().unwrap().push(text);
                    match script {
                        Script::Silent => std::future::pending().await,
                        Script::Say(bytes) => {
                            let _ = stream.write_all(&bytes).await;
                        }
                        Script::Endless(bytes) => {
                            let _ = stream.write_all(&bytes).await;
                            while stream.write_all(b"1000\r\n").await.is_ok()
                                && stream.write_all(&[b'x'; 4096]).await.is_ok()
                                && stream.write_all(b"\r\n").await.is_ok()
                            {
                            }
                        }
                    }
                    let _ = stream.shutdown().await;
                });
            }
        });
        let ca = made.cert.pem();
        Self { port, ca, requests }
    }

    /// A client that trusts and may reach this server, and gives up after a second.
    pub(crate) fn client(&self) -> HttpClient {
        self.client_for(&[])
    }

    /// The same, which may reach other ports of this machine too.
    pub(crate) fn client_for(&self, ports: &[u16]) -> HttpClient {
        let ports = ports.iter().chain([&self.port]);
        let egress = EgressPolicy::new(
            ports
                .map(|port| Endpoint::new("localhost", *port))
                .collect(),
            vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        );
        let tls = tls_config(Some(&CaBundle::parse(&self.ca).unwrap())).unwrap();
        HttpClient::new(tls, Arc::new(egress), Duration::from_secs(1)).unwrap()
    }

    /// The requests so far, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}
