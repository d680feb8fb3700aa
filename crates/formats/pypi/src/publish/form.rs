//! Reading the upload form: the file to a staging file, everything else to memory, with bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use larder_core::ports::{BlobStore, ByteStream, StagedBlob};
use larder_http::{PacedBody, ReadAhead};
use multer::{Field, Multipart};

use crate::error::PypiError;

const FIELDS_LIMIT: usize = 1000;
const TEXT_LIMIT_BYTES: usize = 10 << 20;
/// All text fields together.
const TEXTS_LIMIT_BYTES: usize = 20 << 20;

/// A form as sent, not judged yet but for its size.
#[derive(Debug, Default)]
pub(super) struct Form {
    texts: BTreeMap<String, Vec<String>>,
    pub(super) content: Option<Content>,
    pub(super) gpg_signature: Option<Bytes>,
}

/// The distribution file.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) file_name: String,
    pub(super) staged: StagedBlob,
}

impl Form {
    /// A field's first value as it was sent; `None` where it is missing or blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.texts
            .get(name)
            .and_then(|values| values.first())
            .map(String::as_str)
            .filter(|value| !value.trim().is_empty())
    }

    /// As [`Form::get`], of a field that may be there once at most.
    pub(super) fn single(&self, name: &str) -> Result<Option<&str>, PypiError> {
        match self.texts.get(name).map_or(0, Vec::len) {
            0 | 1 => Ok(self.get(name)),
            _ => Err(PypiError::bad_request(format!("the form has more than one field '{name}'"))),
        }
    }
}

/// Reads a form of which the content type names the boundary. `before_content` sees the fields that came before the
/// file, so that a client without rights does not get to fill the disk first.
pub(super) async fn read<F>(
    body: ByteStream,
    content_type: &str,
    blobs: &Arc<dyn BlobStore>,
    file_limit_bytes: u64,
    before_content: impl Fn(Option<String>) -> F,
) -> Result<Form, PypiError>
where
    F: Future<Output = Result<(), PypiError>>,
{
    let boundary = multer::parse_boundary(content_type)?;
    let (paced, window) = PacedBody::new(body);
    let mut multipart = Multipart::new(paced, boundary);
    let mut form = Form::default();
    let (mut fields, mut text_bytes) = (0, 0);
    while let Some(mut field) = multipart.next_field().await? {
        window.taken();
        fields += 1;
        if fields > FIELDS_LIMIT {
            return Err(too_large(format!("the form has more than {FIELDS_LIMIT} fields")));
        }
        let Some(name) = field.name().map(str::to_owned) else {
            return Err(PypiError::bad_request("the form has a field without a name"));
        };
        match name.as_str() {
            "content" => {
                if form.content.is_some() {
                    return Err(PypiError::bad_request("the form has more than one 'content' part"));
                }
                before_content(form.get("name").map(str::to_owned)).await?;
                form.content = Some(content(field, blobs, file_limit_bytes, &window).await?);
            }
            "gpg_signature" => {
                form.gpg_signature = Some(bounded(&mut field, &name, 64 << 10, &window).await?.into());
            }
            _ => {
                let value = bounded(&mut field, &name, TEXT_LIMIT_BYTES, &window).await?;
                text_bytes += value.len();
                if text_bytes > TEXTS_LIMIT_BYTES {
                    return Err(too_large("the form's text fields are too large together".to_owned()));
                }
                let value = String::from_utf8(value)
                    .map_err(|_| PypiError::bad_request(format!("field '{}' is not UTF-8", printable(&name))))?;
                form.texts.entry(name).or_default().push(value);
            }
        }
    }
    Ok(form)
}

async fn content(
    mut field: Field<'_>,
    blobs: &Arc<dyn BlobStore>,
    limit_bytes: u64,
    window: &ReadAhead,
) -> Result<Content, PypiError> {
    let Some(file_name) = field.file_name().map(str::to_owned) else {
        return Err(PypiError::bad_request("the 'content' part has no file name"));
    };
    let mut staging = blobs.stage().await?;
    while let Some(chunk) = field.chunk().await? {
        window.taken();
        if staging.len() + chunk.len() as u64 > limit_bytes {
            return Err(too_large(format!("the file is larger than the limit of {limit_bytes} bytes")));
        }
        staging.write(chunk).await?;
    }
    let staged = staging.finish().await?;
    Ok(Content { file_name, staged })
}

async fn bounded(field: &mut Field<'_>, name: &str, limit: usize, window: &ReadAhead) -> Result<Vec<u8>, PypiError> {
    let mut value = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        window.taken();
        value.extend_from_slice(&chunk);
        if value.len() > limit {
            return Err(too_large(format!("field '{}' is larger than {limit} bytes", printable(name))));
        }
    }
    Ok(value)
}

fn printable(name: &str) -> String {
    crate::names::printable(name)
}

fn too_large(message: String) -> PypiError {
    PypiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}
