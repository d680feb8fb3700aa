//! What a token says (RFC 7519 4.1, OpenID Connect Core 2), and the two claims that AWS defines for session tags.

use larder_core::error::Invalid;
use larder_core::model::Timestamp;
use larder_core::ports::Claims;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::token::unreadable;

/// The latest instant that is read, in seconds: the year 9999. It keeps milliseconds within an `i64`.
const LATEST_SECONDS: f64 = 253_402_300_799.0;
/// The most claims of a token that conditions see.
const MAX_CLAIMS: usize = 200;
/// The most session tags of a token.
const MAX_TAGS: usize = 50;

/// A claim that is there twice is an error for those named here.
#[derive(Deserialize)]
struct Body {
    iss: String,
    sub: String,
    aud: OneOrMany,
    exp: f64,
    iat: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    jti: Option<String>,
    #[serde(default, rename = "https://aws.amazon.com/tags")]
    tags: Option<Tags>,
    #[serde(default, rename = "https://aws.amazon.com/source_identity")]
    source_identity: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    principal_tags: Map<String, Value>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
}

/// Reads the claims.
///
/// # Errors
/// [`Invalid`] when they are not JSON, or a claim is missing, empty or of the wrong kind.
pub(super) fn read(json: &[u8]) -> Result<Claims, Invalid> {
    let body: Body = serde_json::from_slice(json).map_err(|error| match missing(&error) {
        Some(claim) => Invalid::new(format!("the token lacks the claim '{claim}'")),
        None => unreadable("body", &error),
    })?;
    let audiences = match (&body.azp, body.aud) {
        (Some(party), _) => vec![party.clone()],
        (None, OneOrMany::One(audience)) => vec![audience],
        (None, OneOrMany::Many(audiences)) => audiences,
    };
    for (claim, value) in [("iss", &body.iss), ("sub", &body.sub)] {
        if value.is_empty() {
            return Err(Invalid::new(format!("the token's claim '{claim}' is empty")));
        }
    }
    if audiences.is_empty() {
        return Err(Invalid::new("the token's claim 'aud' is empty"));
    }
    let (expires_at, issued_at) = (instant("exp", body.exp)?, instant("iat", body.iat)?);
    let not_before = body.nbf.map(|seconds| instant("nbf", seconds)).transpose()?;
    let mut values = vec![
        ("iss".to_owned(), vec![body.iss.clone()]),
        ("sub".to_owned(), vec![body.sub.clone()]),
        ("aud".to_owned(), audiences.clone()),
    ];
    let own = [("azp", &body.azp), ("jti", &body.jti)];
    values.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), vec![value.clone()?]))));
    let others = body.others.iter().filter_map(|(name, value)| Some((name.clone(), scalars(value)?)));
    values.extend(others.take(MAX_CLAIMS));
    Ok(Claims {
        tags: body.tags.map(session_tags).transpose()?.unwrap_or_default(),
        issuer: body.iss,
        subject: body.sub,
        audiences,
        expires_at,
        issued_at,
        not_before,
        id: body.jti.filter(|id| !id.is_empty()),
        values,
        source_identity: body.source_identity,
    })
}

/// The name in serde's sentence about a missing member, which is one of those above.
fn missing(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let rest = text.strip_prefix("missing field `")?;
    Some(rest.split('`').next()?.to_owned())
}

#[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
fn instant(claim: &str, seconds: f64) -> Result<Timestamp, Invalid> {
    if (0.0..=LATEST_SECONDS).contains(&seconds) {
        return Ok(Timestamp((seconds * 1000.0) as i64));
    }
    Err(Invalid::new(format!("the token's claim '{claim}' is not an instant in seconds since 1970")))
}

/// A text, number or boolean, or a list of them; `None` for anything else.
fn scalars(value: &Value) -> Option<Vec<String>> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        value => Some(vec![scalar(value)?]),
    }
}

/// Each key has a list of one value.
fn session_tags(tags: Tags) -> Result<Vec<(String, String, bool)>, Invalid> {
    let wrong = || Invalid::new("the token's session tags must be an object of keys, each with a list of one value");
    if tags.principal_tags.len() > MAX_TAGS {
        return Err(Invalid::new(format!("the token has more than {MAX_TAGS} session tags")));
    }
    let tag = |(key, value): (String, Value)| {
        let values = scalars(&value).ok_or_else(wrong)?;
        let [value] = values.as_slice() else { return Err(wrong()) };
        let transitive = tags.transitive_tag_keys.contains(&key);
        Ok((key, value.clone(), transitive))
    };
    tags.principal_tags.into_iter().map(tag).collect()
}
