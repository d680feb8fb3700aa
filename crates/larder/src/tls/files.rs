//! The operator's certificate and key, in PEM files that somebody else renews.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::acceptor::Acceptor;
use super::{Identity, validity};
use crate::cli::{Failure, Outcome};
use crate::config::CertificateFiles;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// A certificate with less left is complained about.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// Reads certificate and key.
pub(super) fn read(files: &CertificateFiles) -> Outcome<Identity> {
    let failed = |path: &Path, error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(&files.certificate, error))?;
    if chain.is_empty() {
        return Err(Failure::new(format!("{} holds no certificate in PEM form", files.certificate.display())));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| failed(&files.key, error))?;
    let identity = Identity { chain, key };
    complain_if_late(&identity);
    Ok(identity)
}

fn complain_if_late(identity: &Identity) {
    let Some(until) = validity::not_after(identity) else { return };
    let now = super::now();
    if until <= now {
        tracing::error!(until = %until.rfc3339(), "the TLS certificate has expired; clients will refuse it");
    } else if until <= now.plus(SOON) {
        tracing::warn!(until = %until.rfc3339(), "the TLS certificate expires soon");
    }
}

/// Shows what is in the files whenever they change. Files that do not fit together, as between the two steps of a
/// renewal, change nothing.
pub(super) async fn watch(files: &CertificateFiles, acceptor: &Arc<Acceptor>) {
    let mut known = stamps(files);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = stamps(files);
        if now == known {
            continue;
        }
        known = now;
        let shown = read(files).and_then(|identity| Ok(acceptor.show(identity)?));
        match shown {
            Ok(()) => tracing::info!("took over the changed TLS certificate"),
            Err(error) => tracing::error!(%error, "the changed TLS certificate cannot be used; showing the old one"),
        }
    }
}

/// What changes when a file is written, replaced, or a link to it set anew.
type Stamp = Option<(SystemTime, u64, u64)>;

fn stamps(files: &CertificateFiles) -> [Stamp; 2] {
    [&files.certificate, &files.key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
    })
}
