//! The form that a push is: multipart, chunked, its first file part the package whatever it is called (protocol
//! reference 4.5).

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use larder_core::ports::StagedBlob;
use larder_core::services::Services;
use larder_http::{PacedBody, RequestBody};
use multer::Multipart;

use crate::error::NugetError;

/// Parts before the file.
const PARTS_LIMIT: usize = 16;
/// Bytes of a part that is no file.
const TEXT_LIMIT_BYTES: usize = 64 << 10;
/// What a form has beyond its file.
const FRAME_BYTES: u64 = 4 << 20;

/// Reads the form to its end; answers its file.
pub(crate) async fn read_file(
    services: &Services,
    headers: &HeaderMap,
    body: RequestBody,
) -> Result<StagedBlob, NugetError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(content_type)?;
    let limit = services.limits.asset_size_bytes;
    let (paced, ahead) = PacedBody::new(body.with_limit(limit.saturating_add(FRAME_BYTES)).into_stream());
    let mut form = Multipart::new(paced, boundary);
    let mut file = None;
    let mut parts = 0;
    while let Some(mut part) = form.next_field().await? {
        ahead.taken();
        parts += 1;
        if parts > PARTS_LIMIT {
            return Err(NugetError::bad_request("the form has too many parts"));
        }
        // Old clients send a package without a file name.
        let is_file = part.file_name().is_some() || part.name() == Some("package");
        if is_file && file.is_none() {
            let mut staging = services.blobs.stage().await?;
            while let Some(chunk) = part.chunk().await? {
                ahead.taken();
                if staging.len() + chunk.len() as u64 > limit {
                    let message = format!("the package is larger than the limit of {limit} bytes");
                    return Err(NugetError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
                }
                staging.write(chunk).await?;
            }
            file = Some(staging.finish().await?);
            continue;
        }
        let mut length = 0;
        while let Some(chunk) = part.chunk().await? {
            ahead.taken();
            length += chunk.len();
            if length > TEXT_LIMIT_BYTES {
                return Err(NugetError::bad_request("the form has more than one file"));
            }
        }
    }
    file.ok_or_else(|| NugetError::bad_request("the form has no file; a package is its first file part"))
}
