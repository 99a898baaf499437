//! Whether what a Secret holds is a certificate that browsers can be shown.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use secrecy::ExposeSecret;
use x509_cert::der::Decode;

use crate::cluster::tls_secret::{CERTIFICATE, PRIVATE_KEY, TlsSecret};

/// Why a certificate cannot be shown, in words for whoever wrote the Secret. Nothing of the Secret is
/// in them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum BadCertificate {
    /// No certificate in PEM under the key, or a broken one.
    #[error("its key {CERTIFICATE} holds no whole certificate in PEM")]
    NoCertificate,
    /// No private key in PEM under the key.
    #[error("its key {PRIVATE_KEY} holds no private key in PEM")]
    NoKey,
    /// A kind of key that TLS has no use for.
    #[error(
        "the private key under {PRIVATE_KEY} is of no kind that can be used: ECDSA P-256 or P-384, Ed25519, or RSA"
    )]
    KeyNotUsable,
    /// Both are there, but of two different pairs.
    #[error(
        "the private key under {PRIVATE_KEY} is not that of the first certificate under {CERTIFICATE}"
    )]
    KeyOfAnother,
    /// Its time is over.
    #[error("its certificate ended at {0}")]
    Ended(Timestamp),
    /// Its time is still to come.
    #[error("its certificate begins only at {0} (is a clock wrong?)")]
    NotYet(Timestamp),
}

/// The certificate in `secret`, if it can be shown at `now`.
pub(super) fn usable(
    secret: &TlsSecret,
    now: Timestamp,
) -> Result<Arc<CertifiedKey>, BadCertificate> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&secret.certificate)
        .collect::<Result<_, _>>()
        .map_err(|_| BadCertificate::NoCertificate)?;
    let first = chain.first().ok_or(BadCertificate::NoCertificate)?;
    let (begins, ends) = validity(first).ok_or(BadCertificate::NoCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(secret.private_key.expose_secret())
        .map_err(|_| BadCertificate::NoKey)?;
    let key = ring::sign::any_supported_type(&key).map_err(|_| BadCertificate::KeyNotUsable)?;
    let certified = CertifiedKey::new(chain, key);
    certified
        .keys_match()
        .map_err(|_| BadCertificate::KeyOfAnother)?;
    match () {
        () if now < begins => Err(BadCertificate::NotYet(begins)),
        () if now > ends => Err(BadCertificate::Ended(ends)),
        () => Ok(Arc::new(certified)),
    }
}

/// From when to when the certificate is valid (RFC 5280 section 4.1.2.5).
fn validity(certificate: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let validity = certificate.tbs_certificate().validity();
    let time = |time: x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
        // RFC 5280 writes "without an end" as the year 9999.
        Some(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
    };
    Some((time(validity.not_before)?, time(validity.not_after)?))
}

/// Whether browsers that ask for `host` take it. A proxy that goes on with TLS may not care.
pub(super) fn is_for(certified: &CertifiedKey, host: &str) -> bool {
    let parsed = certified.end_entity_cert().map(ParsedCertificate::try_from);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match (parsed, ServerName::try_from(host)) {
        (Ok(Ok(parsed)), Ok(name)) => rustls::client::verify_server_name(&parsed, &name).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// A certificate for `host` of the years from 2020 up to `until`, with its key.
    pub(crate) fn made(host: &str, until: i32) -> TlsSecret {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        TlsSecret {
            certificate: params.self_signed(&key).unwrap().pem().into_bytes(),
            private_key: key.serialize_pem().into_bytes().into(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn now() -> Timestamp {
        at("2026-11-26T00:00:00Z")
    }

    fn verdict(certificate: &[u8], private_key: &[u8]) -> Option<BadCertificate> {
        let secret = TlsSecret {
            certificate: certificate.to_vec(),
            private_key: private_key.to_vec().into(),
        };
        usable(&secret, now()).err()
    }

    #[test]
    fn what_cannot_be_shown_is_told() {
        let (good, other) = (
            made("mail.example.com", 2030),
            made("mail.example.com", 2030),
        );
        let (certificate, key) = (&good.certificate, good.private_key.expose_secret());
        let cut = &certificate[..certificate.len() / 2];
        let spoiled = String::from_utf8(certificate.clone()).unwrap();
        let spoiled = spoiled.replacen("MII", "MIJ", 1);
        let mut chain = certificate.clone();
        chain.extend_from_slice(&other.certificate);
        let mut turned = other.certificate.clone();
        turned.extend_from_slice(certificate);
        let other_key = other.private_key.expose_secret();
        for (certificate, key, wrong) in [
            (certificate.as_slice(), key, None),
            (&chain, key, None),
            (b"", key, Some(BadCertificate::NoCertificate)),
            (b"junk", key, Some(BadCertificate::NoCertificate)),
            (cut, key, Some(BadCertificate::NoCertificate)),
            (spoiled.as_bytes(), key, Some(BadCertificate::NoCertificate)),
            (key, key, Some(BadCertificate::NoCertificate)),
            (certificate, b"", Some(BadCertificate::NoKey)),
            (certificate, b"junk", Some(BadCertificate::NoKey)),
            (certificate, certificate, Some(BadCertificate::NoKey)),
            (certificate, other_key, Some(BadCertificate::KeyOfAnother)),
            (&turned, key, Some(BadCertificate::KeyOfAnother)),
        ] {
            assert_eq!(verdict(certificate, key), wrong);
        }
        let broken = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(
            verdict(certificate, broken),
            Some(BadCertificate::KeyNotUsable)
        );
    }

    #[test]
    fn a_certificate_is_shown_in_its_time() {
        let secret = made("mail.example.com", 2026);
        for (time, wrong) in [
            ("2019-12-31T23:59:59Z", Some("2020-01-01T00:00:00Z")),
            ("2020-01-01T00:00:00Z", None),
            ("2026-01-01T00:00:00Z", None),
            ("2026-01-01T00:00:01Z", Some("2026-01-01T00:00:00Z")),
        ] {
            let got = usable(&secret, at(time)).err().map(|error| match error {
                BadCertificate::Ended(at) | BadCertificate::NotYet(at) => at,
                other => panic!("{other}"),
            });
            assert_eq!(got, wrong.map(at), "{time}");
        }
    }

    #[test]
    fn whom_a_certificate_is_for_is_seen() {
        for (made_for, host, right) in [
            ("mail.example.com", "mail.example.com", true),
            ("*.example.com", "mail.example.com", true),
            ("gmail-operator.mail.svc", "mail.example.com", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("::1", "[::1]", true),
        ] {
            let certified = usable(&made(made_for, 2030), now()).unwrap();
            assert_eq!(is_for(&certified, host), right, "{made_for} for {host}");
        }
    }

    #[test]
    fn nothing_prints_the_key() {
        let secret = made("mail.example.com", 2030);
        let key = String::from_utf8(secret.private_key.expose_secret().to_vec()).unwrap();
        let line = key.lines().nth(1).unwrap();
        let shown = format!("{secret:?} {:?}", usable(&secret, now()));
        assert!(!shown.contains(line), "{shown}");
    }
}
