//! The presigned form: the signature's parts as query parameters.

use std::time::Duration;

use super::instant::Instant;
use super::{ALGORITHM, SignatureError, canonical};

/// The longest time a presigned request may be good for.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a signature is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// As long as the clocks may differ: the header form.
    Skew,
    /// `X-Amz-Expires`, from the moment of signing.
    Expires(Duration),
}

/// The signature's parts, decoded.
pub(super) struct Presigned {
    pub(super) credential: String,
    pub(super) signed_headers: String,
    pub(super) signature: String,
    pub(super) signed_at: Instant,
    pub(super) lifetime: Lifetime,
    pub(super) session_token: Option<String>,
    /// `X-Amz-Content-Sha256`, where the signer put it into the query.
    pub(super) payload: Option<String>,
}

#[derive(Default)]
struct Found {
    algorithm: Option<String>,
    credential: Option<String>,
    date: Option<String>,
    expires: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    session_token: Option<String>,
    payload: Option<String>,
}

impl Found {
    /// Where a parameter of this name goes; `None` if it is not part of the signature.
    fn slot(&mut self, name: &[u8]) -> Option<(&'static str, &mut Option<String>)> {
        Some(match name {
            b"X-Amz-Algorithm" => ("X-Amz-Algorithm", &mut self.algorithm),
            b"X-Amz-Credential" => ("X-Amz-Credential", &mut self.credential),
            b"X-Amz-Date" => ("X-Amz-Date", &mut self.date),
            b"X-Amz-Expires" => ("X-Amz-Expires", &mut self.expires),
            b"X-Amz-SignedHeaders" => ("X-Amz-SignedHeaders", &mut self.signed_headers),
            b"X-Amz-Signature" => (canonical::SIGNATURE_PARAMETER, &mut self.signature),
            b"X-Amz-Security-Token" => ("X-Amz-Security-Token", &mut self.session_token),
            b"X-Amz-Content-Sha256" => ("X-Amz-Content-Sha256", &mut self.payload),
            _ => return None,
        })
    }
}

impl Presigned {
    /// Reads the parts from a raw query; `None` when it has neither algorithm nor signature.
    ///
    /// # Errors
    /// [`SignatureError::Incomplete`] when parts are missing, doubled or unreadable.
    pub(super) fn find(query: &str) -> Result<Option<Self>, SignatureError> {
        let mut found = Found::default();
        for (name, value) in canonical::query_pairs(query) {
            let Some((name, slot)) = found.slot(&name) else { continue };
            let value = String::from_utf8(value)
                .map_err(|_| SignatureError::Incomplete(format!("The query-string parameter '{name}' is not text.")))?;
            if slot.replace(value).is_some() {
                return Err(SignatureError::Incomplete(format!(
                    "AWS query-string parameters must include '{name}' once only."
                )));
            }
        }
        if found.algorithm.is_none() && found.signature.is_none() {
            return Ok(None);
        }
        let algorithm = required("X-Amz-Algorithm", found.algorithm)?;
        if algorithm != ALGORITHM {
            return Err(SignatureError::Incomplete(format!(
                "X-Amz-Algorithm must be '{ALGORITHM}', got '{algorithm}'."
            )));
        }
        Ok(Some(Self {
            credential: required("X-Amz-Credential", found.credential)?,
            signed_at: Instant::parse_basic(&required("X-Amz-Date", found.date)?)?,
            lifetime: lifetime(&required("X-Amz-Expires", found.expires)?)?,
            signed_headers: required("X-Amz-SignedHeaders", found.signed_headers)?,
            signature: required(canonical::SIGNATURE_PARAMETER, found.signature)?,
            session_token: found.session_token,
            payload: found.payload,
        }))
    }
}

fn required(name: &str, value: Option<String>) -> Result<String, SignatureError> {
    value.ok_or_else(|| {
        SignatureError::Incomplete(format!(
            "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
        ))
    })
}

fn lifetime(text: &str) -> Result<Lifetime, SignatureError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse().map(Duration::from_secs) {
        Ok(span) if digits && span <= LONGEST => Ok(Lifetime::Expires(span)),
        _ => Err(SignatureError::Incomplete(format!(
            "X-Amz-Expires must be a number of seconds from 0 to {} (one week), got '{text}'.",
            LONGEST.as_secs()
        ))),
    }
}
