//! What a server can show for itself in a TLS handshake.

use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::lab::tls::Tls;

/// A certificate, named by what is wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Certificate {
    /// Nothing.
    Good,
    /// It is from an authority that nobody knows.
    UnknownIssuer,
    /// It is for another host.
    WrongName,
    /// It was valid once.
    Expired,
    /// It will be valid.
    NotYetValid,
    /// It is for clients, not for servers.
    OtherUse,
}

/// In their order.
const ALL: [Certificate; 6] = [
    Certificate::Good,
    Certificate::UnknownIssuer,
    Certificate::WrongName,
    Certificate::Expired,
    Certificate::NotYetValid,
    Certificate::OtherUse,
];

/// One of each.
pub struct Certificates {
    /// By [`Certificate`].
    acceptors: Vec<TlsAcceptor>,
    unknown_authority: String,
}

impl Certificates {
    /// From the lab's authority, but for the one that nobody knows.
    pub fn new(tls: &Tls) -> Result<Certificates> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "nobody's authority");
        let key = KeyPair::generate()?;
        let unknown_authority = params.self_signed(&key)?.pem();
        let unknown = Issuer::new(params, key);
        let acceptors = ALL.map(|certificate| {
            let issuer = match certificate {
                Certificate::UnknownIssuer => &unknown,
                _ => tls.authority(),
            };
            acceptor(certificate, issuer)
        });
        Ok(Certificates {
            acceptors: acceptors.into_iter().collect::<Result<_>>()?,
            unknown_authority,
        })
    }

    /// The authority that nobody knows, in PEM.
    pub fn unknown_authority(&self) -> &str {
        &self.unknown_authority
    }

    /// Shows it.
    pub fn acceptor(&self, certificate: Certificate) -> TlsAcceptor {
        self.acceptors[certificate as usize].clone()
    }
}

fn acceptor(certificate: Certificate, issuer: &Issuer<'_, KeyPair>) -> Result<TlsAcceptor> {
    let names = match certificate {
        Certificate::WrongName => vec!["elsewhere.example".to_owned()],
        _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
    };
    let mut params = CertificateParams::new(names)?;
    match certificate {
        Certificate::Expired => {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        Certificate::NotYetValid => {
            params.not_before = date_time_ymd(2190, 1, 1);
            params.not_after = date_time_ymd(2191, 1, 1);
        }
        Certificate::OtherUse => {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
        Certificate::Good | Certificate::UnknownIssuer | Certificate::WrongName => {}
    }
    let key = KeyPair::generate()?;
    let chain: Vec<CertificateDer<'static>> = vec![params.signed_by(&key, issuer)?.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
