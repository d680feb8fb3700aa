//! Reading the form of a publish: the archive to a staging file, everything else to memory, with bounds. SwiftPM gives
//! no part a file name; other clients may (protocol reference 5.3).

use http::StatusCode;
use larder_core::ports::{ByteStream, StagedBlob, Staging};
use larder_http::{PacedBody, ReadAhead};
use multer::{Field, Multipart};

use crate::error::SwiftError;
use crate::metadata;
use crate::names::printable;

const PARTS_LIMIT: usize = 16;
/// Of a signature, before it is looked at.
const SIGNATURE_BYTES: usize = 64 << 10;
/// Of a part that nobody knows.
const UNKNOWN_BYTES: usize = 64 << 10;

/// A form as sent, not judged yet but for its size.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) archive: StagedBlob,
    pub(crate) archive_signature: Option<Vec<u8>>,
    pub(crate) metadata: Option<Vec<u8>>,
    pub(crate) metadata_signature: Option<Vec<u8>>,
}

/// Reads a form, its archive into `staging`.
///
/// # Errors
/// 413 for what is too large, 422 for a form that is broken, lacks the archive or has a part twice.
pub(crate) async fn read(
    body: ByteStream,
    boundary: String,
    staging: Box<dyn Staging>,
    archive_limit_bytes: u64,
) -> Result<Form, SwiftError> {
    let (paced, ahead) = PacedBody::new(body);
    let mut multipart = Multipart::new(paced, boundary);
    let (mut staging, mut archive) = (Some(staging), None);
    let (mut archive_signature, mut metadata, mut metadata_signature) = (None, None, None);
    let mut parts = 0;
    while let Some(mut field) = multipart.next_field().await? {
        ahead.taken();
        parts += 1;
        if parts > PARTS_LIMIT {
            return Err(SwiftError::unprocessable(format!("the form has more than {PARTS_LIMIT} parts")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "source-archive" => {
                let staging = staging.take().ok_or_else(|| twice(&name))?;
                archive = Some(read_archive(field, staging, archive_limit_bytes, &ahead).await?);
            }
            "source-archive-signature" => {
                let limit = (SIGNATURE_BYTES, StatusCode::UNPROCESSABLE_ENTITY);
                put(&mut archive_signature, &name, bounded(&mut field, &name, limit, &ahead).await?)?;
            }
            "metadata" => {
                let limit = (metadata::LIMIT_BYTES, StatusCode::PAYLOAD_TOO_LARGE);
                put(&mut metadata, &name, bounded(&mut field, &name, limit, &ahead).await?)?;
            }
            "metadata-signature" => {
                let limit = (SIGNATURE_BYTES, StatusCode::UNPROCESSABLE_ENTITY);
                put(&mut metadata_signature, &name, bounded(&mut field, &name, limit, &ahead).await?)?;
            }
            _ => drop(bounded(&mut field, &name, (UNKNOWN_BYTES, StatusCode::PAYLOAD_TOO_LARGE), &ahead).await?),
        }
    }
    let archive = archive.ok_or_else(|| SwiftError::unprocessable("the form has no part 'source-archive'"))?;
    Ok(Form { archive, archive_signature, metadata, metadata_signature })
}

fn put(slot: &mut Option<Vec<u8>>, name: &str, value: Vec<u8>) -> Result<(), SwiftError> {
    if slot.replace(value).is_some() { Err(twice(name)) } else { Ok(()) }
}

fn twice(name: &str) -> SwiftError {
    SwiftError::unprocessable(format!("the form has more than one part '{name}'"))
}

async fn read_archive(
    mut field: Field<'_>,
    mut staging: Box<dyn Staging>,
    limit_bytes: u64,
    ahead: &ReadAhead,
) -> Result<StagedBlob, SwiftError> {
    while let Some(chunk) = field.chunk().await? {
        ahead.taken();
        if staging.len() + chunk.len() as u64 > limit_bytes {
            return Err(SwiftError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the source archive is larger than the limit of {limit_bytes} bytes"),
            ));
        }
        staging.write(chunk).await?;
    }
    Ok(staging.finish().await?)
}

/// A small part's bytes; more than the limit is refused with this status.
async fn bounded(
    field: &mut Field<'_>,
    name: &str,
    (limit, status): (usize, StatusCode),
    ahead: &ReadAhead,
) -> Result<Vec<u8>, SwiftError> {
    let mut value = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        ahead.taken();
        if value.len() + chunk.len() > limit {
            return Err(SwiftError::new(status, format!("part '{}' is larger than {limit} bytes", printable(name))));
        }
        value.extend_from_slice(&chunk);
    }
    Ok(value)
}
