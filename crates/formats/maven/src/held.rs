//! Checksums that clients sent: held while their file is not there yet (parallel uploads reorder), kept when they were
//! wrong, so that a version with one is not published (reference 6.3).

use std::collections::BTreeMap;

use larder_core::access::{Allowed, PackageTarget};
use larder_core::error::{ConflictKind, Error, Result};
use larder_core::model::{Digests, HashAlgorithm, PackageVersion, PublishMode, VersionDetails, VersionText};
use larder_core::services::Upload;

use crate::error::MavenError;
use crate::names;
use crate::routes::Routes;
use crate::wire::VersionMetadata;

/// How often a change is tried while others change the same version. Each round one of them succeeds.
const TRIES: usize = 64;

pub(crate) const ALGORITHMS: [HashAlgorithm; 4] =
    [HashAlgorithm::Sha1, HashAlgorithm::Md5, HashAlgorithm::Sha256, HashAlgorithm::Sha512];

impl Routes {
    /// Changes what is kept with a version; `false` if there is no such version here.
    ///
    /// # Errors
    /// [`Error::Throttled`] if too many change it at once.
    pub(crate) async fn change_metadata(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
        change: impl Fn(&mut VersionMetadata),
    ) -> Result<bool> {
        let target = allowed.target();
        for _ in 0..TRIES {
            let found = self.services.store.find_version(target.repository.id, &target.package, version).await?;
            let Some(found) = found else { return Ok(false) };
            let known = VersionMetadata::read(&found.metadata);
            let mut changed = known.clone();
            change(&mut changed);
            if changed == known {
                return Ok(true);
            }
            let publishing = &self.services.publishing;
            match publishing.put_version_metadata(allowed, version, changed.bytes(), found.revision).await {
                Ok(()) => return Ok(true),
                Err(Error::Conflict { kind: ConflictKind::Revision, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Throttled { retry_after_seconds: 1 })
    }

    /// Keeps a checksum with its version, which is made if it is not there: checksums may come first.
    ///
    /// # Errors
    /// As publishing; [`Error::QuotaExceeded`] never, since what is too much is refused before.
    pub(crate) async fn hold(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
        file: &str,
        algorithm: &str,
        digest: &str,
    ) -> Result<()> {
        let limit = self.services.limits.assets_per_version;
        let hold = |metadata: &mut VersionMetadata| {
            if metadata.held.len() < limit || metadata.held.contains_key(file) {
                metadata.held.entry(file.to_owned()).or_default().insert(algorithm.to_owned(), digest.to_owned());
            }
        };
        if self.change_metadata(allowed, version, hold).await? {
            return Ok(());
        }
        let mut metadata = VersionMetadata::default();
        hold(&mut metadata);
        let upload = Upload {
            display_name: names::display_name(&allowed.target().package),
            version: version.clone(),
            assets: Vec::new(),
            metadata: metadata.bytes(),
            details: VersionDetails::default(),
            mode: PublishMode::AtAnyTime,
            unfinished: true,
            tags: Vec::new(),
        };
        self.services.publishing.publish(allowed, upload).await?;
        // Somebody else may have made it meanwhile, without this.
        self.change_metadata(allowed, version, hold).await.map(drop)
    }

    /// Forgets a checksum, or all of a file.
    pub(crate) async fn release(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
        file: &str,
        algorithm: Option<&str>,
    ) -> Result<()> {
        let release = |metadata: &mut VersionMetadata| {
            if let (Some(algorithm), Some(sums)) = (algorithm, metadata.held.get_mut(file)) {
                sums.remove(algorithm);
            }
            metadata.held.retain(|name, sums| !sums.is_empty() && (algorithm.is_some() || name != file));
        };
        self.change_metadata(allowed, version, release).await.map(drop)
    }
}

/// Compares the checksums held for a file.
///
/// # Errors
/// The first that differs.
pub(crate) fn compare(file: &str, held: &BTreeMap<String, String>, digests: &Digests) -> Result<(), MavenError> {
    for algorithm in ALGORITHMS {
        let name = crate::layout::algorithm_name(algorithm);
        let Some(said) = held.get(name) else { continue };
        let computed = digests.hex(algorithm);
        if !said.eq_ignore_ascii_case(&computed) {
            let message = format!("the {name} sent for '{file}' is {said}, the file's is {computed}; deploy it again");
            return Err(MavenError::bad_request(message));
        }
    }
    Ok(())
}

/// Compares all checksums that are held for files of a version; those of files that never came do not matter.
///
/// # Errors
/// The first that differs.
pub(crate) fn compare_all(version: &PackageVersion) -> Result<(), MavenError> {
    let held = VersionMetadata::read(&version.metadata).held;
    for asset in &version.assets {
        if let Some(held) = held.get(asset.name.as_str()) {
            compare(asset.name.as_str(), held, &asset.digests)?;
        }
    }
    Ok(())
}
