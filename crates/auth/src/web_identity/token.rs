//! The compact form: `header.claims.signature`, each in base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use larder_core::error::Invalid;
use larder_core::ports::UnprovenToken;
use serde::Deserialize;

use super::algorithm::Algorithm;
use super::{MAX_TOKEN_BYTES, claims};

/// The members of a header that count. Others are not looked at, but for `crit`, which forbids just that.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

/// Reads a token without believing it.
///
/// # Errors
/// [`Invalid`] saying what is wrong.
pub(super) fn read(text: &str) -> Result<UnprovenToken, Invalid> {
    if text.len() > MAX_TOKEN_BYTES {
        return Err(Invalid::new(format!("the token is longer than {MAX_TOKEN_BYTES} characters")));
    }
    let mut parts = text.split('.');
    let (Some(header), Some(body), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Invalid::new("a token has three parts, separated by dots: header, claims and signature"));
    };
    let Header { alg, kid, typ, crit } =
        serde_json::from_slice(&decode(header, "header")?).map_err(|error| unreadable("header", &error))?;
    let algorithm = Algorithm::find(&alg).ok_or_else(|| {
        Invalid::new("the token's algorithm is not accepted; use RS256, PS256, ES256, EdDSA or their kin")
    })?;
    if crit.is_some() {
        return Err(Invalid::new("the token's header says crit: it needs extensions that are not understood"));
    }
    if typ.is_some_and(|typ| !typ.strip_prefix("application/").unwrap_or(&typ).eq_ignore_ascii_case("jwt")) {
        return Err(Invalid::new("the token's typ must be JWT"));
    }
    let claims = claims::read(&decode(body, "body")?)?;
    let signature = decode(signature, "signature")?;
    Ok(UnprovenToken {
        claims,
        algorithm: algorithm.name,
        key_id: kid,
        signed: text[..header.len() + 1 + body.len()].to_owned(),
        signature,
    })
}

fn decode(part: &str, what: &str) -> Result<Vec<u8>, Invalid> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Invalid::new(format!("the token's {what} is not base64url")))
}

pub(super) fn unreadable(what: &str, error: &serde_json::Error) -> Invalid {
    // Where, not what: the text may be a secret.
    Invalid::new(format!("the token's {what} cannot be read, at column {} ({:?})", error.column(), error.classify()))
}
