//! The bytes of assets, content-addressed by domain and SHA-256 (design 7), in a folder or in an S3-compatible store.
//!
//! Both stores stage on the local disk, hash while writing and put a blob in place only when it is whole and durable.
//! [`open_storage`] chooses between them by URL; one test suite (`suite.rs`) is stamped on both.

mod cache;
mod digesting;
mod disk;
mod local;
mod staging;
#[cfg(test)]
mod suite;

use std::sync::Arc;

use larder_core::ports::BlobStore;
use larder_core::{Error, Result};

pub use cache::SmallBlobs;
pub use local::LocalBlobs;

/// What a blob store needs besides its URL.
#[derive(Debug, Clone, Default)]
pub struct StorageOptions {
    /// Which blobs are kept in memory.
    pub small_blobs: SmallBlobs,
}

/// Opens the blob store that a URL names: `file:///var/lib/larder`, a folder that is made if it is missing.
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
        other => Err(invalid(url, &format!("the scheme {other} is not known; use file:"))),
    }
}

fn invalid(url: &str, why: &str) -> Error {
    Error::validation("storage", format!("'{url}' names no blob storage: {why}"))
}
