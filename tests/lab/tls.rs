//! A certificate authority for one run, and the one certificate that all servers of the lab show.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::place::Place;

/// Where the lab's certificates are.
#[derive(Debug)]
pub struct Tls {
    /// The authority, which clients have to trust.
    pub ca: PathBuf,
    /// The certificate of localhost, 127.0.0.1 and the place of the lab.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authority's certificate as text.
    pub ca_pem: String,
    authority: Issuer<'static, KeyPair>,
}

impl Tls {
    /// Makes an authority and a certificate in `dir`.
    pub fn create(dir: &Path, place: &Place) -> Result<Tls> {
        fs::create_dir_all(dir)?;
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "gmail-operator lab");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let ca_pem = authority.self_signed(&authority_key)?.pem();

        let authority = Issuer::new(authority, authority_key);
        let names = [&place.name, "localhost", "127.0.0.1"];
        let (server_pem, server_key) = certificate(&authority, &names)?;

        let tls = Tls {
            ca: dir.join("ca.pem"),
            cert: dir.join("server.pem"),
            key: dir.join("server.key"),
            ca_pem,
            authority,
        };
        fs::write(&tls.ca, &tls.ca_pem)?;
        fs::write(&tls.cert, server_pem)?;
        fs::write(&tls.key, server_key)?;
        Ok(tls)
    }

    /// A further certificate, and its private key, as text.
    pub fn certificate(&self, names: &[&str]) -> Result<(String, String)> {
        certificate(&self.authority, names)
    }

    /// Signs further certificates.
    pub fn authority(&self) -> &Issuer<'static, KeyPair> {
        &self.authority
    }
}

fn certificate(authority: &Issuer<'_, KeyPair>, names: &[&str]) -> Result<(String, String)> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut server = CertificateParams::new(names.clone())?;
    server
        .distinguished_name
        .push(DnType::CommonName, names[0].as_str());
    let key = KeyPair::generate()?;
    let pem = server.signed_by(&key, authority)?.pem();
    Ok((pem, key.serialize_pem()))
}
