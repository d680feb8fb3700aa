//! The local authority of `--tls self-signed`: a key and certificate in the data directory, which signs a certificate for
//! the server at every start and again before that ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use larder_core::model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::{Identity, validity};
use crate::cli::{Failure, Outcome};
use crate::data_dir::write_private;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Clients have to be told to trust it, so it lasts.
const AUTHORITY_LIFETIME: Duration = DAY.saturating_mul(3650);
/// Of a server's certificate. Short, because nothing but Larder has to renew it.
const SERVER_LIFETIME: Duration = DAY.saturating_mul(90);
/// Clocks differ.
const BACKDATED: Duration = DAY;
/// How often it is looked whether a certificate has to be renewed.
pub(super) const RENEWAL_INTERVAL: Duration = Duration::from_secs(3600);

/// Whether a server's certificate is to be renewed: in the last third of its life, or when its end is not known.
pub(super) fn is_due(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_none_or(|until| until <= now.plus(SERVER_LIFETIME / 3))
}

/// A certificate authority of one data directory.
pub(super) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// Reads the authority in this folder, or makes one if there is none or its end is near.
    ///
    /// # Errors
    /// If its files cannot be read or written.
    pub(super) fn open(folder: &Path, now: Timestamp) -> Outcome<Self> {
        let (certificate_file, key_file) = (folder.join("ca.pem"), folder.join("ca.key"));
        if key_file.exists() && certificate_file.exists() {
            let found = Self::read(folder, &certificate_file, &key_file)?;
            let lasts = now.plus(SERVER_LIFETIME.saturating_mul(2));
            if validity::of_certificate(&found.certificate).is_some_and(|until| until > lasts) {
                return Ok(found);
            }
            tracing::warn!("the local authority ends soon; making another one, which clients have to be told to trust");
        }
        let key = KeyPair::generate()?;
        let params = authority_params(&key, now);
        let certificate = params.self_signed(&key)?;
        // The key first: a certificate without its key would be taken for an authority that lost it.
        write_private(&key_file, &key.serialize_pem())?;
        write_private(&certificate_file, &certificate.pem())?;
        let certificate = certificate.der().clone();
        Ok(Self { folder: folder.to_owned(), issuer: Issuer::new(params, key), certificate })
    }

    fn read(folder: &Path, certificate_file: &Path, key_file: &Path) -> Outcome<Self> {
        let unusable = |path: &Path, error: String| {
            Failure::new(format!(
                "{} cannot be used ({error}); remove the folder {} to have another authority made",
                path.display(),
                folder.display()
            ))
        };
        let certificate = CertificateDer::from_pem_file(certificate_file)
            .map_err(|error| unusable(certificate_file, error.to_string()))?;
        let key = fs::read_to_string(key_file).map_err(|error| unusable(key_file, error.to_string()))?;
        let key = KeyPair::from_pem(&key).map_err(|error| unusable(key_file, error.to_string()))?;
        // What issued certificates repeat of the authority's follows from its key.
        let issuer = Issuer::new(authority_params(&key, Timestamp(0)), key);
        Ok(Self { folder: folder.to_owned(), issuer, certificate })
    }

    /// The file that clients trust it by.
    pub(super) fn certificate_file(&self) -> PathBuf {
        let path = self.folder.join("ca.pem");
        std::path::absolute(&path).unwrap_or(path)
    }

    /// A new key and certificate for a server of these names, also left in the folder.
    ///
    /// # Errors
    /// If they cannot be made or written.
    pub(super) fn issue(&self, names: &[String], now: Timestamp) -> Outcome<Identity> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = Default::default();
        params.distinguished_name.push(DnType::CommonName, "Larder");
        let authority_ends = validity::of_certificate(&self.certificate).unwrap_or(now);
        (params.not_before, params.not_after) = between(now, now.plus(SERVER_LIFETIME).min(authority_ends));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        write_private(&self.folder.join("server.key"), &key.serialize_pem())?;
        write_private(&self.folder.join("server.pem"), &certificate.pem())?;
        Ok(Identity {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        })
    }
}

/// The authority's own certificate. Its name holds a part of its key's digest, so that no two authorities share one.
fn authority_params(key: &KeyPair, now: Timestamp) -> CertificateParams {
    let digest = hex::encode(&Sha256::digest(key.public_key_raw())[..4]);
    let mut params = CertificateParams::default();
    params.distinguished_name = Default::default();
    params.distinguished_name.push(DnType::CommonName, format!("Larder local authority {digest}"));
    (params.not_before, params.not_after) = between(now, now.plus(AUTHORITY_LIFETIME));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn between(start: Timestamp, end: Timestamp) -> (OffsetDateTime, OffsetDateTime) {
    let at = |instant: Timestamp| {
        OffsetDateTime::from_unix_timestamp(instant.0 / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    (at(start) - BACKDATED, at(end))
}

impl From<rcgen::Error> for Failure {
    fn from(error: rcgen::Error) -> Self {
        Self::new(format!("cannot make a certificate: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn names() -> Vec<String> {
        vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
    }

    #[test]
    fn an_authority_is_made_once_and_its_keys_are_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("tls");
        let made = Authority::open(&folder, NOW).expect("made");
        made.issue(&names(), NOW).expect("issued");
        let read = Authority::open(&folder, NOW.plus(DAY)).expect("read");
        assert_eq!(made.certificate, read.certificate);
        for file in ["ca.key", "server.key"] {
            let mode = fs::metadata(folder.join(file)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        fs::write(folder.join("ca.key"), "no key").expect("written");
        assert!(Authority::open(&folder, NOW).is_err(), "a broken authority is not replaced behind anybody's back");
    }

    #[test]
    fn an_authority_that_ends_soon_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = Authority::open(folder.path(), NOW).expect("made");
        let late = NOW.plus(AUTHORITY_LIFETIME - DAY.saturating_mul(100));
        assert_ne!(old.certificate, Authority::open(folder.path(), late).expect("made").certificate);
    }

    #[test]
    fn a_server_certificate_is_renewed_in_its_last_third() {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = Authority::open(folder.path(), NOW).and_then(|authority| authority.issue(&names(), NOW));
        let until = validity::not_after(&identity.expect("issued"));
        assert_eq!(until, Some(NOW.plus(SERVER_LIFETIME)));
        assert!(!is_due(until, NOW.plus(DAY.saturating_mul(59))));
        assert!(is_due(until, NOW.plus(DAY.saturating_mul(60))));
        assert!(is_due(None, NOW));
    }
}
