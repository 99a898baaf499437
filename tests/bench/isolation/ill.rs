//! The mail servers of a profile, which fall ill and recover.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::lab::Lab;
use crate::lab::operator::{Ports, Site};
use crate::lab::wire::{Gauge, Wire};

/// Between two bytes of a server that drips.
const DRIP: Duration = Duration::from_millis(200);

/// What is wrong with them when they are ill.
#[derive(Clone, Copy, Debug)]
pub enum Ill {
    /// They take connections and say nothing, not even in the TLS handshake.
    Silent,
    /// They greet with one byte after the other and never come to the end of a line.
    Dripping,
    /// They refuse connections.
    Refusing,
}

/// The lab's servers behind wires of their own.
pub struct Servers {
    ill: Ill,
    imap: (Wire, u16),
    smtp: (Wire, u16),
    dripping: u16,
}

impl Servers {
    /// Well.
    pub async fn start(site: &mut Site, ill: Ill) -> Result<Servers> {
        let gauge = Gauge::new()?;
        let mail = &site.lab.mail;
        let wired = |port| Ok::<_, anyhow::Error>((Wire::counted(port, &gauge)?, port));
        let servers = Servers {
            ill,
            imap: wired(mail.imap_port)?,
            smtp: wired(mail.smtps_port)?,
            dripping: dripping(site.lab).await?,
        };
        site.allow(servers.imap.0.port());
        site.allow(servers.smtp.0.port());
        Ok(servers)
    }

    /// For the profile.
    pub fn ports(&self, site: &Site) -> Ports {
        Ports {
            imap: self.imap.0.port(),
            smtp: self.smtp.0.port(),
            ..site.ports()
        }
    }

    /// From now on.
    pub fn fall_ill(&self) -> Result<()> {
        for (wire, _) in [&self.imap, &self.smtp] {
            match self.ill {
                Ill::Silent => wire.hang()?,
                Ill::Dripping => wire.lead_to(self.dripping),
                Ill::Refusing => wire.cut()?,
            }
        }
        Ok(())
    }

    /// From now on.
    pub fn recover(&self) -> Result<()> {
        for (wire, port) in [&self.imap, &self.smtp] {
            wire.lead_to(*port);
            wire.restore()?;
        }
        Ok(())
    }
}

/// A server on a free port, for as long as the runtime lives.
async fn dripping(lab: &Lab) -> Result<u16> {
    let chain = CertificateDer::pem_file_iter(&lab.tls.cert)?.collect::<Result<Vec<_>, _>>()?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(&lab.tls.key)?)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            // Until the client has had enough.
            tokio::spawn(drip(acceptor.clone(), tcp));
        }
    });
    Ok(port)
}

async fn drip(acceptor: TlsAcceptor, tcp: TcpStream) -> Result<()> {
    let mut tls = acceptor.accept(tcp).await?;
    let mut tick = tokio::time::interval(DRIP);
    loop {
        tick.tick().await;
        tls.write_all(b"*").await?;
        tls.flush().await?;
    }
}
