//! A certificate authority for one run, and the one certificate that all servers of the lab show.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// Where the lab's certificates are.
#[derive(Debug)]
pub struct Tls {
    /// The authority, which clients have to trust.
    pub ca: PathBuf,
    /// The certificate of localhost and 127.0.0.1.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authority's certificate as text.
    pub ca_pem: String,
    authority: Issuer<'static, KeyPair>,
}

impl Tls {
    /// Makes an authority and a certificate in `dir`.
    pub fn create(dir: &Path) -> Result<Tls> {
        fs::create_dir_all(dir)?;
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "gmail-operator lab");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let ca_pem = authority.self_signed(&authority_key)?.pem();

        let mut server =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        server
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        let server_key = KeyPair::generate()?;
        let authority = Issuer::new(authority, authority_key);
        let server_pem = server.signed_by(&server_key, &authority)?.pem();

        let tls = Tls {
            ca: dir.join("ca.pem"),
            cert: dir.join("server.pem"),
            key: dir.join("server.key"),
            ca_pem,
            authority,
        };
        fs::write(&tls.ca, &tls.ca_pem)?;
        fs::write(&tls.cert, server_pem)?;
        fs::write(&tls.key, server_key.serialize_pem())?;
        Ok(tls)
    }
    /// Signs further certificates.
    pub fn authority(&self) -> &Issuer<'static, KeyPair> {
        &self.authority
    }
}
