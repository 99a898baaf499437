//! A node's kubelet, as far as a port-forward and logs go: what the API server passes on reaches a port
//! of this machine, and the log is that of the operator whose namespace it is. No node of the lab runs
//! anything.

use std::io::Cursor;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{
    ErrorResponse, Request, Response as Accepted,
};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::Lab;
use super::apply::apply;

/// The subprotocol in which each message begins with the number of its channel
/// (k8s.io/apimachinery/pkg/util/remotecommand).
const PROTOCOL: &str = "v4.channel.k8s.io";
/// The channels of the only port.
const DATA: u8 = 0;
const ERROR: u8 = 1;

/// A node; it goes with this value.
pub struct Kubelet {
    /// The Node's name, for `spec.nodeName`.
    pub node: String,
    serving: JoinHandle<()>,
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Kubelet {
    /// A node on which every port of every Pod is `target` of this machine.
    pub async fn start(lab: &Lab, node: &str, target: u16) -> Result<Kubelet> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let certificates = CertificateDer::pem_file_iter(&lab.tls.cert)?.collect::<Result<_, _>>();
        let tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(certificates?, PrivateKeyDer::from_pem_file(&lab.tls.key)?)?;
        let tls = TlsAcceptor::from(Arc::new(tls));
        let logs = lab.dir().to_owned();
        let serving = tokio::spawn(async move {
            while let Ok((api_server, _)) = listener.accept().await {
                let (tls, logs) = (tls.clone(), logs.clone());
                tokio::spawn(async move {
                    if let Err(error) = answer(tls, api_server, &logs, target).await {
                        eprintln!("a request of the kubelet ended: {error:#}");
                    }
                });
            }
        });
        let control_plane = &lab.control_plane;
        let object = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node } });
        apply(&control_plane.admin().await?, &object).await?;
        let status = json!({ "status": {
            "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
            "daemonEndpoints": { "kubeletEndpoint": { "Port": port } },
        } })
        .to_string();
        let patch = [
            "patch",
            "node",
            node,
            "--subresource=status",
            "--patch",
            &status,
        ];
        control_plane.kubectl(patch).await?;
        Ok(Kubelet {
            node: node.to_owned(),
            serving,
        })
    }
}

/// One connection of the API server's.
async fn answer(tls: TlsAcceptor, api_server: TcpStream, logs: &Path, target: u16) -> Result<()> {
    let mut stream = tls.accept(api_server).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let first = String::from_utf8(head.clone())?;
    let asked = first.split(' ').nth(1).context("no request")?;
    if let Some(path) = asked.strip_prefix("/containerLogs/") {
        return log(stream, logs, path).await;
    }
    let (reading, writing) = tokio::io::split(stream);
    forward(
        tokio::io::join(Cursor::new(head).chain(reading), writing),
        target,
    )
    .await
}

/// `/containerLogs/NAMESPACE/POD/CONTAINER?tailLines=N`.
async fn log(mut api_server: impl AsyncWrite + Unpin, logs: &Path, path: &str) -> Result<()> {
    let namespace = path.split('/').next().context("no namespace")?;
    let file: PathBuf = logs.join(namespace).join("operator.log");
    let log = std::fs::read_to_string(file)?;
    let (_, query) = path.split_once('?').context("no query")?;
    let lines = query
        .split('&')
        .find_map(|field| field.strip_prefix("tailLines="));
    let lines: usize = lines.context("no bound")?.parse()?;
    let all: Vec<&str> = log.split_inclusive('\n').collect();
    let end: String = all[all.len().saturating_sub(lines)..].concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        end.len()
    );
    api_server.write_all((head + &end).as_bytes()).await?;
    Ok(api_server.shutdown().await?)
}

/// `/portForward/NAMESPACE/POD?port=N`.
async fn forward(api_server: impl AsyncRead + AsyncWrite + Unpin, target: u16) -> Result<()> {
    let mut asked = None;
    // The type is the library's.
    #[allow(clippy::result_large_err)]
    let accept = |request: &Request, mut response: Accepted| -> Result<Accepted, ErrorResponse> {
        asked = Some(request.uri().to_string());
        response
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", HeaderValue::from_static(PROTOCOL));
        Ok(response)
    };
    let socket = tokio_tungstenite::accept_hdr_async(api_server, accept).await?;
    let asked = asked.context("no request")?;
    ensure!(asked.starts_with("/portForward/"), "{asked}");
    let (_, port) = asked.split_once("port=").context("no port")?;
    let port: u16 = port.parse()?;
    let (mut to_api_server, mut from_api_server) = socket.split();
    // Each channel begins with the port that it is of.
    for channel in [DATA, ERROR] {
        let [low, high] = port.to_le_bytes();
        let first = Message::binary(vec![channel, low, high]);
        to_api_server.send(first).await?;
    }
    let (mut from_page, mut to_page) = TcpStream::connect((Ipv4Addr::LOCALHOST, target))
        .await?
        .into_split();
    let there = async {
        while let Some(message) = from_api_server.next().await {
            match message? {
                Message::Binary(data) => match data.split_first() {
                    Some((&DATA, bytes)) => to_page.write_all(bytes).await?,
                    other => bail!("{other:?}"),
                },
                Message::Close(_) => break,
                _ => {}
            }
        }
        Ok(())
    };
    let back = async {
        let mut message = vec![DATA; 4096];
        loop {
            match from_page.read(&mut message[1..]).await? {
                0 => break,
                n => {
                    let bytes = message[..=n].to_vec();
                    to_api_server.send(Message::binary(bytes)).await?;
                }
            }
        }
        to_api_server.close().await?;
        Ok(())
    };
    tokio::select! {
        ended = there => ended,
        ended = back => ended,
    }
}
