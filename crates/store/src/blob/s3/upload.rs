//! Uploading a staged blob, in one request or in parts.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, TryStreamExt as _};
use larder_core::ports::StagedBlob;
use larder_core::{Error, Result};
use md5::{Digest as _, Md5};

use super::super::disk::disk_error;
use super::super::staging::blocking;
use super::requests::{FilePart, Object, ObjectStore};

/// Larger blobs go up in parts.
const LARGEST_PUT: u64 = 64 * 1024 * 1024;

/// The size of a part; S3 takes up to 10,000 of them.
const PART_BYTES: u64 = 16 * 1024 * 1024;

/// Parts in flight at once.
const PARTS_AT_ONCE: usize = 4;

/// Uploads the blob, where `before` is until now. When this answers, all of it is there and new; when it fails, nothing
/// has changed.
pub(super) async fn upload(store: &ObjectStore, key: &str, staged: &StagedBlob, before: Option<&Object>) -> Result<()> {
    let size_bytes = staged.digests.size_bytes;
    if size_bytes <= LARGEST_PUT {
        let path = staged.path().to_owned();
        return store.put(key, FilePart { path, start: 0, length_bytes: size_bytes, md5: staged.digests.md5 }).await;
    }
    let upload = store.create_upload(key).await?;
    let uploaded = upload_parts(store, key, &upload, staged).await;
    if uploaded.is_err() {
        // An answer may have been lost after the object was put together.
        let after = store.find(key).await.unwrap_or_default();
        if after.as_ref() != before && after.is_some_and(|after| after.size_bytes == size_bytes) {
            return Ok(());
        }
        if let Err(error) = store.abort_upload(key, &upload).await {
            tracing::warn!(%error, key, "an upload in parts could not be aborted; the bucket keeps its parts");
        }
    }
    uploaded
}

async fn upload_parts(store: &ObjectStore, key: &str, upload: &str, staged: &StagedBlob) -> Result<()> {
    let size_bytes = staged.digests.size_bytes;
    let count = u16::try_from(size_bytes.div_ceil(PART_BYTES)).map_err(|_| Error::TooLarge {
        message: format!("a blob of {size_bytes} bytes is more than an object store takes"),
    })?;
    let parts = (0..count).map(|index| {
        let start = u64::from(index) * PART_BYTES;
        let length_bytes = PART_BYTES.min(size_bytes - start);
        let path = staged.path().to_owned();
        async move {
            let md5 = part_md5(path.clone(), start, length_bytes).await?;
            store.upload_part(key, upload, index + 1, FilePart { path, start, length_bytes, md5 }).await
        }
    });
    let etags: Vec<String> = futures_util::stream::iter(parts).buffered(PARTS_AT_ONCE).try_collect().await?;
    store.complete_upload(key, upload, &etags).await
}

async fn part_md5(path: PathBuf, start: u64, length_bytes: u64) -> Result<[u8; 16]> {
    blocking(move || md5_of(&path, start, length_bytes).map_err(|error| disk_error("read", &path, error))).await
}

fn md5_of(path: &Path, start: u64, length_bytes: u64) -> std::io::Result<[u8; 16]> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut part = file.take(length_bytes);
    let mut md5 = Md5::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match part.read(&mut buffer)? {
            0 => return Ok(md5.finalize().into()),
            read => md5.update(&buffer[..read]),
        }
    }
}
