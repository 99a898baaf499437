//! A profile's own certification authorities.

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{Error as PemError, PemObject, SectionKind};

/// One or more certificates that can be trusted, from PEM (RFC 7468).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaBundle {
    pem: String,
    certificates: Vec<CertificateDer<'static>>,
}

/// Why a `spec.caBundle` cannot be used. Repeats nothing of it: it may be a key by mistake.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadCaBundle {
    /// No section is a certificate.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// A section is a private key.
    #[error(
        "there is a private key in it; put only certificates there, and replace the key, which everybody who may read the profile knows now"
    )]
    PrivateKey,
    /// A section's first line is not whole.
    #[error("the first line of its part {0} is not whole")]
    NoBegin(usize),
    /// A section's last line is missing.
    #[error("its part {0} has no line -----END CERTIFICATE-----")]
    NoEnd(usize),
    /// Something between the lines is not base64.
    #[error("its part {0} has something in it that is not base64")]
    NotBase64(usize),
    /// What is between the lines is no certificate.
    #[error("its part {0} is not an X.509 certificate")]
    NotACertificate(usize),
}

impl CaBundle {
    /// Reads `pem`: text around the sections is passed over, as is a section of another kind
    /// unless it is a private key.
    ///
    /// # Errors
    /// [`BadCaBundle`], with the number of the section, from 1.
    pub fn parse(pem: &str) -> Result<Self, BadCaBundle> {
        let mut certificates = Vec::new();
        let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
        for (number, section) in (1..).zip(sections) {
            match section.map_err(|error| malformed(&error, number))? {
                (SectionKind::Certificate, der) => {
                    certificates.push(certificate(der, number)?);
                }
                (
                    SectionKind::PrivateKey
                    | SectionKind::RsaPrivateKey
                    | SectionKind::EcPrivateKey,
                    _,
                ) => {
                    return Err(BadCaBundle::PrivateKey);
                }
                _ => {}
            }
        }
        if certificates.is_empty() {
            return Err(BadCaBundle::NoCertificate);
        }
        Ok(Self {
            pem: pem.to_owned(),
            certificates,
        })
    }

    /// As it was written.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificates.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }
}

/// A certificate that TLS takes as an authority.
fn certificate(der: Vec<u8>, number: usize) -> Result<CertificateDer<'static>, BadCaBundle> {
    let certificate = CertificateDer::from(der);
    RootCertStore::empty()
        .add(certificate.clone())
        .map_err(|_| BadCaBundle::NotACertificate(number))?;
    Ok(certificate)
}

fn malformed(error: &PemError, number: usize) -> BadCaBundle {
    match error {
        PemError::MissingSectionEnd { .. } => BadCaBundle::NoEnd(number),
        PemError::Base64Decode(_) => BadCaBundle::NotBase64(number),
        _ => BadCaBundle::NoBegin(number),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["ca.example".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn certificates_among_other_text_are_found() {
        let ((one, _), (two, _)) = (made(), made());
        let pem = format!("# Acme root\n{one}\nand\r\n{}", two.replace('\n', "\r\n"));
        let bundle = CaBundle::parse(&pem).unwrap();
        assert_eq!((bundle.certificates().len(), bundle.pem()), (2, &*pem));
    }

    #[test]
    fn each_mistake_is_named_without_repeating_the_text() {
        let (good, key) = made();
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let end = "-----END CERTIFICATE-----\n";
        for (pem, wrong) in [
            (String::new(), BadCaBundle::NoCertificate),
            ("Acme root".to_owned(), BadCaBundle::NoCertificate),
            (format!("{good}{key}"), BadCaBundle::PrivateKey),
            (key.clone(), BadCaBundle::PrivateKey),
            (
                format!("{good}{begin}***secret***\n{end}"),
                BadCaBundle::NotBase64(2),
            ),
            (
                format!("{begin}c2VjcmV0\n{end}"),
                BadCaBundle::NotACertificate(1),
            ),
            (format!("{begin}{end}"), BadCaBundle::NotACertificate(1)),
            (good.replace(end.trim(), ""), BadCaBundle::NoEnd(1)),
            (
                format!("-----BEGIN CERTIFICATE\nc2VjcmV0\n{end}"),
                BadCaBundle::NoBegin(1),
            ),
        ] {
            let found = CaBundle::parse(&pem).unwrap_err();
            assert_eq!(found, wrong, "{pem}");
            assert!(!found.to_string().contains("secret"), "{found}");
        }
    }
}
