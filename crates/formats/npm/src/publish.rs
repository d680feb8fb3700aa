//! `PUT /{package}` with a tarball: a publish request → [`Upload`] (protocols 1.4).
//!
//! [`scanner`] takes the JSON apart while it streams in, [`body`] writes the tarball to staging meanwhile, [`check`]
//! compares everything with everything.

use std::sync::Arc;

use bytes::Bytes;
use larder_core::error::{Error, Result};
use larder_core::model::{AssetKind, AssetName, PackageKey, PublishMode};
use larder_core::ports::BlobStore;
use larder_core::services::{Upload, UploadedAsset};

use self::body::{Arrived, Tarball};
pub(crate) use self::body::{TEXT_LIMIT_BYTES, receive};
pub(crate) use self::scanner::Scanner;
use crate::external::TARBALL;

mod base64;
mod body;
mod check;
mod scanner;

/// The name of the asset that keeps a provenance bundle.
pub(crate) const BUNDLE: &str = "provenance.sigstore";

/// Checks a publish and makes it an upload.
///
/// # Errors
/// [`Error::Validation`] naming what is wrong.
pub(crate) async fn read(
    key: &PackageKey,
    text: Vec<u8>,
    tarball: Tarball<Arrived>,
    publisher: &str,
    is_new_package: bool,
    blobs: &Arc<dyn BlobStore>,
) -> Result<Upload> {
    let (package, publisher, store) = (key.clone(), publisher.to_owned(), Arc::clone(blobs));
    let check = move || check::check(&package, &text, tarball.stage(&*store)?, &publisher, is_new_package);
    let checked = tokio::task::spawn_blocking(check).await.map_err(Error::internal)??;
    let asset = |name: &str, kind, staged| {
        let name = AssetName::new(name).map_err(Error::internal)?;
        Ok::<_, Error>(UploadedAsset { name, kind, staged, metadata: Bytes::new() })
    };
    let mut assets = vec![asset(TARBALL, AssetKind::Asset, checked.tarball)?];
    if let Some(bundle) = checked.bundle {
        let mut staging = blobs.stage().await?;
        staging.write(bundle).await?;
        assets.push(asset(BUNDLE, AssetKind::Sidecar, staging.finish().await?)?);
    }
    Ok(Upload {
        display_name: checked.display_name,
        version: checked.version,
        assets,
        metadata: checked.metadata,
        details: checked.details,
        mode: PublishMode::NewVersion,
        unfinished: false,
        tags: checked.tags,
    })
}
