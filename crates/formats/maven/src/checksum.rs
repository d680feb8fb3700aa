//! `PUT …/{file}.sha1` and its kin: compared, never stored as the truth (protocol reference 3.3, rule 2).

use bytes::Bytes;
use larder_core::access::Action;
use larder_core::model::{ExpectedDigests, HashAlgorithm, VersionStatus};
use larder_http::RepositoryRequest;

use crate::error::MavenError;
use crate::layout::{AssetPath, algorithm_name};
use crate::publish::{check_unique, path_of};
use crate::registry_file::digest_in;
use crate::routes::{Answer, Routes, created};

/// Digest and perhaps a file name.
const LIMIT_BYTES: u64 = 4 << 10;

impl Routes {
    /// Compares with the file, or keeps the checksum until the file comes.
    ///
    /// # Errors
    /// 400 for what is no checksum or another one than the file's.
    pub(crate) async fn put_checksum(
        &self,
        request: RepositoryRequest,
        path: AssetPath,
        algorithm: HashAlgorithm,
    ) -> Answer {
        let allowed = request.may(&self.services.access, Action::PublishPackageVersion, path.key.clone()).await?;
        check_unique(&path)?;
        self.settings(&allowed, &path).await?;
        let body = request.body.collect(LIMIT_BYTES).await?;
        let name = algorithm_name(algorithm);
        let said = parse(&body, name)?;
        let (repository, file) = (allowed.target().repository.id, path.name.as_str());
        let stored = self.services.store.find_version(repository, &path.key, &path.version).await?;
        let asset = stored.as_ref().and_then(|stored| stored.assets.iter().find(|asset| asset.name == path.name));
        let Some(asset) = asset else {
            // As for the file itself.
            let package = self.services.store.find_package(repository, &path.key).await?;
            self.services.publishing.check_origin(&allowed, package.as_ref(), &path.version).await?;
            self.hold(&allowed, &path.version, file, name, &said).await?;
            return Ok(created());
        };
        let computed = asset.digests.hex(algorithm);
        if said == computed {
            if stored.as_ref().is_some_and(|stored| !stored.metadata.is_empty()) {
                self.release(&allowed, &path.version, file, Some(name)).await?;
            }
            return Ok(created());
        }
        if stored.as_ref().is_some_and(|stored| stored.status == VersionStatus::Unfinished) {
            // Remembered, so that the version is not published before the right one came.
            self.hold(&allowed, &path.version, file, name, &said).await?;
        }
        Err(MavenError::bad_request(format!("the {name} of '{file}' is {computed}, not {said}; deploy it again")))
    }

    /// The checksum of a metadata file that a client sent, which is not what is served: compared with what it sent, if
    /// that came to this node.
    ///
    /// # Errors
    /// 400 for what is no checksum or another one.
    pub(crate) async fn put_metadata_checksum(
        &self,
        request: RepositoryRequest,
        directory: &[&str],
        algorithm: HashAlgorithm,
    ) -> Answer {
        self.may_begin(&request, directory).await?;
        let name = algorithm_name(algorithm);
        let path = path_of(&request);
        let path = path.strip_suffix(name).and_then(|path| path.strip_suffix('.')).unwrap_or(&path).to_owned();
        let repository = request.target.repository.id.0;
        let body = request.body.collect(LIMIT_BYTES).await?;
        let said = parse(&body, name)?;
        let sent = self.sent.get(&format!("{repository} {path}"));
        match sent.and_then(|sent: ExpectedDigests| sent.hex(algorithm)) {
            Some(computed) if computed != said => Err(MavenError::bad_request(format!(
                "the {name} of the metadata that was sent is {computed}, not {said}"
            ))),
            _ => Ok(created()),
        }
    }
}

/// The digest in lower case.
fn parse(body: &Bytes, algorithm: &str) -> Result<String, MavenError> {
    let found = digest_in(body, algorithm).map(str::to_ascii_lowercase);
    found.ok_or_else(|| MavenError::bad_request(format!("the body is no {algorithm} in hexadecimal digits")))
}
