//! Provenance: bundles that accompany a publish, and the endpoints `npm audit signatures` asks (protocols 1.8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use larder_core::error::Invalid;
use serde::Deserialize;

/// A Sigstore bundle, as far as it is looked into.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Envelope,
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

/// An in-toto statement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    predicate_type: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha512: String,
}

/// Checks that a bundle speaks of this version and this tarball, and answers its predicate type. Its signature is for
/// clients to verify.
///
/// # Errors
/// [`Invalid`] with what does not fit.
pub(crate) fn check_bundle(bundle: &str, name: &str, number: &str, sha512: &[u8; 64]) -> Result<String, Invalid> {
    let statement = statement(bundle)?;
    let [subject] = &statement.subject[..] else {
        return Err(Invalid::new("the provenance speaks of more than one subject, or of none"));
    };
    let wanted = format!("pkg:npm/{}@{number}", name.replace('@', "%40"));
    if subject.name != wanted {
        return Err(Invalid::new(format!("the provenance is of '{:.200}', not of '{wanted}'", subject.name)));
    }
    if !subject.digest.sha512.eq_ignore_ascii_case(&hex::encode(sha512)) {
        return Err(Invalid::new("the provenance is of a tarball with another SHA-512"));
    }
    Ok(statement.predicate_type)
}

fn statement(bundle: &str) -> Result<Statement, Invalid> {
    let malformed =
        |error: serde_json::Error| Invalid::new(format!("the provenance is not a Sigstore bundle: {error}"));
    let bundle: Bundle = serde_json::from_str(bundle).map_err(malformed)?;
    let payload = STANDARD
        .decode(bundle.dsse_envelope.payload)
        .map_err(|_| Invalid::new("the provenance has a payload that is not Base64"))?;
    serde_json::from_slice(&payload).map_err(malformed)
}

/// The answer to a client's question: `{"attestations":[{"predicateType":…,"bundle":…}]}`.
///
/// # Errors
/// [`Invalid`] when what was stored is not a bundle.
pub(crate) fn answer(bundle: &[u8]) -> Result<Vec<u8>, Invalid> {
    let bundle = std::str::from_utf8(bundle).map_err(|_| Invalid::new("the provenance is not text"))?;
    let predicate = serde_json::Value::from(statement(bundle)?.predicate_type);
    Ok(format!("{{\"attestations\":[{{\"predicateType\":{predicate},\"bundle\":{bundle}}}]}}").into_bytes())
}
