//! Uploads in pieces, in the form that container registries have them (OCI distribution 1.1, "pushing a blob").
//!
//! | request | answer |
//! |---|---|
//! | `POST {asset}?uploads` | 202, `Location: {asset}?upload={id}` |
//! | `PATCH {Location}` with `Content-Range: bytes 0-99/*` or `0-99`, or none to go on at the end | 202 |
//! | `GET`, `HEAD {Location}` | 204 |
//! | `PUT {Location}&digest=sha256:…`, with the last piece or without | as an upload in one piece |
//! | `DELETE {Location}` | 204 |
//!
//! Every answer says in `Upload-Offset` how many bytes have arrived, and in `Range: 0-{last}` too once there are any. A
//! piece that does not begin there is refused with 416; of one that breaks off, what arrived counts.

use std::sync::Arc;

use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderName, HeaderValue, StatusCode};
use larder_core::access::{Allowed, PackageTarget};
use larder_core::ports::Staging;
use larder_http::{RepositoryRequest, Response, response};
use tokio::sync::MutexGuard;

use crate::address::AssetAddress;
use crate::digests;
use crate::error::{self, GenericError};
use crate::parameters::Parameters;
use crate::publish::{header, receive};
use crate::routes::{Answer, Routes};
use crate::uploads::{Claim, Session};

const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

impl Routes {
    /// `POST {asset}?uploads`
    pub(crate) async fn begin_upload(&self, request: &RepositoryRequest, address: &AssetAddress) -> Answer {
        let allowed = self.may_publish(request, &address.of).await?;
        self.check_upload(&allowed, address, &request.headers).await?;
        let id = self.uploads.begin(&*self.services.blobs, &claim(&allowed, address)).await?;
        progress(StatusCode::ACCEPTED, request, address, &id, 0)
    }

    /// `PATCH {asset}?upload={id}`
    pub(crate) async fn append(&self, mut request: RepositoryRequest, address: &AssetAddress, id: &str) -> Answer {
        let allowed = self.may_publish(&request, &address.of).await?;
        let session = self.uploads.find(&*self.services.blobs, id, &claim(&allowed, address)).await?;
        let mut staging = lock(&session)?;
        let Some(open) = staging.as_mut() else { return Err(ended()) };
        let content = request.take_body();
        check_piece(request.headers.get(CONTENT_RANGE), open.len(), content.declared_length())?;
        receive(&mut **open, content, self.services.limits.asset_size_bytes).await?;
        progress(StatusCode::ACCEPTED, &request, address, id, open.len())
    }

    /// `GET {asset}?upload={id}`
    pub(crate) async fn get_upload(&self, request: &RepositoryRequest, address: &AssetAddress, id: &str) -> Answer {
        let allowed = self.may_publish(request, &address.of).await?;
        let session = self.uploads.find(&*self.services.blobs, id, &claim(&allowed, address)).await?;
        let staging = lock(&session)?;
        let Some(open) = staging.as_ref() else { return Err(ended()) };
        progress(StatusCode::NO_CONTENT, request, address, id, open.len())
    }

    /// `PUT {asset}?upload={id}&digest=…`
    pub(crate) async fn complete_upload(
        &self,
        mut request: RepositoryRequest,
        address: &AssetAddress,
        id: &str,
        parameters: &Parameters,
    ) -> Answer {
        let Some(digest) = &parameters.digest else {
            return Err(GenericError::bad_request(
                "an upload in pieces ends with ?digest=sha256:…, the digest of it all",
            ));
        };
        let expected = digests::of_parameter(digest)?;
        let allowed = self.may_publish(&request, &address.of).await?;
        let session = self.uploads.find(&*self.services.blobs, id, &claim(&allowed, address)).await?;
        let mut staging = lock(&session)?;
        let Some(open) = staging.as_mut() else { return Err(ended()) };
        let content = request.take_body();
        check_piece(request.headers.get(CONTENT_RANGE), open.len(), content.declared_length())?;
        receive(&mut **open, content, self.services.limits.asset_size_bytes).await?;
        let Some(open) = staging.take() else { return Err(ended()) };
        self.uploads.end(id);
        let staged = open.finish().await?;
        self.store(&request.base, &allowed, address, staged, &expected, parameters).await
    }

    /// `DELETE {asset}?upload={id}`
    pub(crate) async fn cancel_upload(&self, request: &RepositoryRequest, address: &AssetAddress, id: &str) -> Answer {
        let allowed = self.may_publish(request, &address.of).await?;
        let session = self.uploads.find(&*self.services.blobs, id, &claim(&allowed, address)).await?;
        if let Some(staging) = lock(&session)?.take() {
            staging.discard();
        }
        self.uploads.end(id);
        Ok(response::empty(StatusCode::NO_CONTENT))
    }
}

fn claim<'a>(allowed: &'a Allowed<PackageTarget>, address: &'a AssetAddress) -> Claim<'a> {
    Claim { owner: allowed.principal(), repository: allowed.target().repository.id, address }
}

/// One request at a time.
fn lock(session: &Arc<Session>) -> Result<MutexGuard<'_, Option<Box<dyn Staging>>>, GenericError> {
    session
        .staging
        .try_lock()
        .map_err(|_| GenericError::conflict("another request is sending a piece of this upload; wait for its end"))
}

fn ended() -> GenericError {
    GenericError::not_found("this upload has ended")
}

fn progress(
    status: StatusCode,
    request: &RepositoryRequest,
    address: &AssetAddress,
    id: &str,
    length: u64,
) -> Result<Response, GenericError> {
    let mut answer = response::empty(status);
    let headers = answer.headers_mut();
    headers.insert(LOCATION, header(&format!("{}/{}?upload={id}", request.base, address.path()))?);
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(length));
    if let Some(last) = length.checked_sub(1) {
        headers.insert(RANGE, header(&format!("0-{last}"))?);
    }
    Ok(answer)
}

/// A piece begins where the upload ends and is as long as it says.
fn check_piece(range: Option<&HeaderValue>, held: u64, declared: Option<u64>) -> Result<(), GenericError> {
    let Some(range) = range else { return Ok(()) };
    let piece = range.to_str().ok().and_then(Piece::parse);
    let piece =
        piece.ok_or_else(|| GenericError::bad_request("Content-Range is 'bytes FIRST-LAST/*' or 'FIRST-LAST'"))?;
    if piece.first != held {
        return Err(error::wrong_piece(held));
    }
    if declared.is_some_and(|declared| declared != piece.length) {
        return Err(GenericError::bad_request("Content-Range and Content-Length do not say the same length"));
    }
    Ok(())
}

/// `bytes 0-99/200`, `bytes 0-99/*`, `0-99`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    first: u64,
    length: u64,
}

impl Piece {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("bytes").map_or(text, |rest| rest.trim_start_matches([' ', '=']));
        let (range, total) = text.split_once('/').unwrap_or((text, "*"));
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| -> Option<u64> {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
        };
        let (first, last) = (number(first)?, number(last)?);
        let length = last.checked_sub(first)?.checked_add(1)?;
        if total != "*" && number(total)? <= last {
            return None;
        }
        Some(Self { first, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_read_in_both_spellings() {
        let piece = |first, length| Some(Piece { first, length });
        assert_eq!(Piece::parse("bytes 0-99/200"), piece(0, 100));
        assert_eq!(Piece::parse("bytes 100-199/*"), piece(100, 100));
        assert_eq!(Piece::parse("5-5"), piece(5, 1));
        for bad in ["", "bytes", "bytes */5", "9-5", "a-b", "0-99/50", "0-18446744073709551615", "+1-2"] {
            assert_eq!(Piece::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_piece_follows_on_what_is_there() {
        let check = |range: &'static str, held, declared| {
            check_piece(Some(&HeaderValue::from_static(range)), held, declared).map_err(|error| error.status.as_u16())
        };
        assert_eq!(check("0-9", 0, Some(10)), Ok(()));
        assert_eq!(check("10-19", 10, None), Ok(()));
        assert_eq!(check("20-29", 10, Some(10)), Err(416));
        assert_eq!(check("0-9", 0, Some(9)), Err(400));
    }
}
