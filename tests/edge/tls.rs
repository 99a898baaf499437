//! TLS by the operator, with a certificate from a Secret.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::host;
use crate::lab::operator::{PATIENCE, Site};
use crate::lab::person::Person;
use crate::lab::tls::Tls;
use crate::lab::until;

const SECRET: &str = "sign-in-page-tls";

/// An installation that ends TLS itself, without its Secret.
async fn site(name: &str, path: &str) -> Result<Site> {
    let mut site = Site::new(name).await?;
    site.serve_at("https", path).await?;
    site.flag(&format!("--tls-secret={SECRET}"));
    Ok(site)
}

/// Writes the Secret, as cert-manager does.
async fn write(site: &Site, certificate: &str, key: &str) -> Result<()> {
    site.apply(&json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": { "name": SECRET, "namespace": site.namespace },
        "stringData": { "tls.crt": certificate, "tls.key": key },
    }))
    .await
}

/// A certificate of an authority of its own.
struct Made {
    ca: String,
    certificate: String,
    key: String,
}

fn made(site: &Site, name: &str) -> Result<Made> {
    let folder: PathBuf = site.lab.dir().join(&site.namespace).join(name);
    let tls = Tls::create(&folder, &site.lab.place)?;
    Ok(Made {
        certificate: std::fs::read_to_string(&tls.cert)?,
        key: std::fs::read_to_string(&tls.key)?,
        ca: tls.ca_pem,
    })
}

/// A browser that trusts one authority alone.
async fn connect(site: &Site, ca: &str) -> Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(("127.0.0.1", site.web_port())).await?;
    let name = ServerName::try_from("localhost")?;
    Ok(TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await?)
}

/// One request on a connection that stays; the status line.
async fn ask(stream: &mut TlsStream<TcpStream>, host: &str) -> Result<String> {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"</html>") {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await? {
            0 => break,
            count => answer.extend_from_slice(&buffer[..count]),
        }
    }
    let answer = String::from_utf8(answer)?;
    answer.lines().next().map(str::to_owned).context("closed")
}

#[tokio::test]
async fn a_whole_sign_in_goes_over_the_operators_own_tls() -> Result<()> {
    let mut site = site("edge-tls", "/gmail").await?;
    // The one that people of the lab trust.
    let certificate = std::fs::read_to_string(&site.lab.tls.cert)?;
    let key = std::fs::read_to_string(&site.lab.tls.key)?;
    write(&site, &certificate, &key).await?;
    super::ready(&mut site).await?;
    site.mailbox("ann", "ann@example.com", |_| ()).await?;
    let url = site.sign_in_url("ann").await?;
    ensure!(url.starts_with("https://"), "{url}");
    let page = Person::new(site.lab, "ann@example.com")?
        .sign_in(&url)
        .await?;
    ensure!(page.status == 200, "{} {}", page.status, page.text);
    site.until_reason("ann", "Ready", "Enabled").await?;
    // Plain http gets nothing there.
    let plain = super::raw::get(site.web_port(), &host(&site), "/", "").await;
    ensure!(plain.is_err(), "{plain:?}");
    Ok(())
}

#[tokio::test]
async fn a_new_certificate_is_shown_and_open_connections_go_on() -> Result<()> {
    let mut site = site("edge-rotation", "").await?;
    let (old, new) = (made(&site, "old")?, made(&site, "new")?);
    write(&site, &old.certificate, &old.key).await?;
    site.start().await?;
    let host = host(&site);
    let mut open = connect(&site, &old.ca).await?;
    ensure!(ask(&mut open, &host).await?.contains(" 404 "));

    write(&site, &new.certificate, &new.key).await?;
    until("the new certificate", PATIENCE, async || {
        Ok(connect(&site, &new.ca).await.is_ok())
    })
    .await?;
    ensure!(
        connect(&site, &old.ca).await.is_err(),
        "the old one is shown, too"
    );
    ensure!(
        ask(&mut open, &host).await?.contains(" 404 "),
        "it was cut off"
    );

    // What cannot be shown changes nothing, and is told once.
    let not_shown = "stays the one that was read before";
    for (certificate, key, why, told) in [
        (
            old.certificate.as_str(),
            new.key.as_str(),
            "is not that of the first",
            1,
        ),
        ("junk", &new.key, "holds no whole certificate in PEM", 2),
        (&new.certificate, "junk", "holds no private key in PEM", 3),
    ] {
        write(&site, certificate, key).await?;
        site.until_logged(why).await?;
        ensure!(connect(&site, &new.ca).await.is_ok());
        let log = site.log()?;
        ensure!(log.matches(not_shown).count() == told, "{why}: {log}");
    }
    write(&site, &old.certificate, &old.key).await?;
    until("a good certificate again", PATIENCE, async || {
        Ok(connect(&site, &old.ca).await.is_ok())
    })
    .await?;
    for key in [&old.key, &new.key] {
        let line = key.lines().nth(1).context("an empty key")?;
        ensure!(!site.log()?.contains(line), "a private key is in the log");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_certificate_it_waits_for_one() -> Result<()> {
    let mut site = site("edge-no-certificate", "").await?;
    site.launch()?;
    site.until_logged("there is no Secret").await?;
    let shut = async |site: &Site| -> Result<bool> {
        let closed = TcpStream::connect(("127.0.0.1", site.web_port()))
            .await
            .is_err();
        Ok(closed && site.readiness().await? == Some(503))
    };
    ensure!(shut(&site).await?);
    let made = made(&site, "made")?;
    write(&site, &made.certificate, "junk").await?;
    site.until_logged("holds no private key in PEM").await?;
    ensure!(shut(&site).await?);
    write(&site, &made.certificate, &made.key).await?;
    site.until_ready().await?;
    let mut stream = connect(&site, &made.ca).await?;
    ensure!(ask(&mut stream, &host(&site)).await?.contains(" 404 "));
    Ok(())
}
