//! Reading what a registry answered: its status, when to come back, its encoding.

use std::io::{self, Read as _};
use std::time::SystemTime;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::body::too_large;

/// The longest wait that a registry may ask for, in seconds.
const LONGEST_RETRY: u64 = 24 * 3600;

/// A header as text, if it is there and is text.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// What a status other than an answer means: a sentence.
pub(crate) fn refusal(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!("it answered {status}; check the credentials configured for it")
        }
        StatusCode::TOO_MANY_REQUESTS => format!("it answered {status}; it is asked too often"),
        status => format!("it answered {status}"),
    }
}

/// `Retry-After` in seconds, of either form (RFC 9110 10.2.3), at most a day.
pub(crate) fn retry_after_seconds(headers: &HeaderMap, now: SystemTime) -> Option<u32> {
    parse_retry_after(text(headers, header::RETRY_AFTER)?, now)
}

/// As [`retry_after_seconds`], of the header's value.
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<u32> {
    let value = value.trim();
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default().as_secs(),
    };
    u32::try_from(seconds.min(LONGEST_RETRY)).ok()
}

/// How a document's bytes are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// Reads `Content-Encoding`. Larder asks for gzip or nothing.
    ///
    /// # Errors
    /// A sentence for any other encoding.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, String> {
        match text(headers, header::CONTENT_ENCODING).map(|value| value.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Self::Identity),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip),
            Some(other) => Err(format!("it answered in the encoding {other}, which was not asked for")),
        }
    }

    /// Decodes a whole body. Blocks for as long as that takes.
    ///
    /// # Errors
    /// `FileTooLarge` as soon as more than `limit_bytes` come out; the decoder's for what is not gzip or is cut short.
    pub(crate) fn decode(self, body: Bytes, limit_bytes: usize) -> io::Result<Bytes> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => {
                let mut decoded = Vec::new();
                let limit = u64::try_from(limit_bytes).unwrap_or(u64::MAX).saturating_add(1);
                MultiGzDecoder::new(&*body).take(limit).read_to_end(&mut decoded)?;
                if decoded.len() > limit_bytes { Err(too_large(limit_bytes)) } else { Ok(decoded.into()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gzip;
    use std::time::Duration;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(parse_retry_after("120", now), Some(120));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(60));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(0));
        assert_eq!(parse_retry_after("99999999999999", now), Some(86_400));
        assert_eq!(parse_retry_after("-1", now), None);
        assert_eq!(parse_retry_after("soon", now), None);
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = Bytes::from(gzip(&vec![0; 10_000_000]));
        assert!(bomb.len() < 20_000);
        let error = Encoding::Gzip.decode(bomb.clone(), 1_000_000).expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(Encoding::Gzip.decode(bomb, 10_000_000).unwrap().len(), 10_000_000);
    }

    #[test]
    fn gzip_that_is_cut_short_or_wrong_is_an_error() {
        let whole = gzip(b"a document that is long enough to be cut");
        for cut in 0..whole.len() {
            assert!(cut == 0 || Encoding::Gzip.decode(Bytes::copy_from_slice(&whole[..cut]), 1000).is_err(), "{cut}");
        }
        assert!(Encoding::Gzip.decode(Bytes::from_static(b"<html>"), 1000).is_err());
    }
}
