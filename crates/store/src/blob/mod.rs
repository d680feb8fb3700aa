//! The bytes of assets, content-addressed by domain and SHA-256 (design 7), in a folder or in an S3-compatible store.
//!
//! Both stores stage on the local disk, hash while writing and put a blob in place only when it is whole and durable.
//! [`open_storage`] chooses between them by URL; one test suite (`suite.rs`) is stamped on both.

mod cache;
mod digesting;
mod disk;
#[doc(hidden)]
pub mod fuzzing;
mod local;
mod lock;
mod s3;
mod staging;
#[cfg(test)]
mod suite;

use std::path::PathBuf;
use std::sync::Arc;

use larder_core::ports::{BlobStore, HttpTransport};
use larder_core::{Error, Result};

pub use cache::SmallBlobs;
pub use local::LocalBlobs;
pub use s3::{S3Blobs, S3Settings};

/// What a blob store needs besides its URL.
#[derive(Clone, Default)]
pub struct StorageOptions {
    /// Which blobs are kept in memory.
    pub small_blobs: SmallBlobs,
    /// Where blobs for `s3:` are written before they are uploaded; a folder stages beside its blobs.
    pub staging: Option<PathBuf>,
    /// What sends the requests to `s3:`.
    pub transport: Option<Arc<dyn HttpTransport>>,
    /// Instead of `AWS_ENDPOINT_URL_S3`.
    pub endpoint: Option<String>,
}

/// Opens the blob store that a URL names: `file:///var/lib/larder`, a folder that is made if it is missing, or
/// `s3://bucket/prefix`, with the credentials, region and endpoint of the environment ([`S3Settings::read`]).
///
/// # Errors
/// [`Error::Validation`] for a URL that names no storage, else what opening the storage says.
pub fn open_storage(url: &str, options: &StorageOptions) -> Result<Arc<dyn BlobStore>> {
    let parsed = url::Url::parse(url).map_err(|error| invalid(url, &error.to_string()))?;
    match parsed.scheme() {
        "file" => {
            let folder = parsed.to_file_path().map_err(|()| invalid(url, "it is not the path of a local folder"))?;
            Ok(Arc::new(LocalBlobs::open(&folder, options.small_blobs)?))
        }
        "s3" => {
            let mut settings =
                S3Settings::read(url, |name| std::env::var(name).ok()).map_err(|why| invalid(url, &why.to_string()))?;
            settings.endpoint = options.endpoint.clone().or(settings.endpoint);
            let (Some(staging), Some(transport)) = (&options.staging, &options.transport) else {
                return Err(invalid(url, "it needs a folder to stage in and a client to send with"));
            };
            Ok(Arc::new(S3Blobs::open(&settings, staging, Arc::clone(transport), options.small_blobs)?))
        }
        other => Err(invalid(url, &format!("the scheme {other} is not known; use file: or s3:"))),
    }
}

fn invalid(url: &str, why: &str) -> Error {
    Error::validation("storage", format!("'{url}' names no blob storage: {why}"))
}
