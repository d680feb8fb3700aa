//! Attestations (PEP 740): checked on upload for shape and subject, stored as a provenance object beside the file.
//!
//! Larder does not know publishers as the public index does, so the bundle names the repository's server as its
//! publisher, and signatures are left to the client that relies on them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use larder_core::error::Invalid;
use larder_core::model::Sha256;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The media type of a provenance object.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.pypi.integrity.v1+json";

/// How the predicate types end that PyPI knows, its own and SLSA's; one attestation of each at most.
const PREDICATES: [&str; 2] = ["/attestations/publish/v1", "/provenance/v1"];

/// An attestation, as far as it is looked into.
#[derive(Deserialize)]
struct Attestation {
    version: u32,
    verification_material: VerificationMaterial,
    envelope: Envelope,
}

#[derive(Deserialize)]
struct VerificationMaterial {
    certificate: String,
    transparency_entries: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Envelope {
    statement: String,
    signature: String,
}

/// An in-toto statement.
#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: Digest,
}

#[derive(Deserialize)]
struct Digest {
    sha256: String,
}

#[derive(Serialize)]
struct Provenance<'a> {
    version: u32,
    attestation_bundles: [Bundle<'a>; 1],
}

#[derive(Serialize)]
struct Bundle<'a> {
    publisher: Publisher,
    attestations: Vec<&'a RawValue>,
}

#[derive(Serialize)]
struct Publisher {
    kind: &'static str,
}

/// Checks the form's `attestations` and makes the provenance object of the file; `None` for an empty list.
///
/// # Errors
/// [`Invalid`] when an attestation is malformed or of another file.
pub(crate) fn provenance(field: &str, file_name: &str, sha256: &Sha256) -> Result<Option<Vec<u8>>, Invalid> {
    let attestations: Vec<&RawValue> = serde_json::from_str(field)
        .map_err(|error| Invalid::new(format!("attestations: not a JSON array: {error}")))?;
    let mut predicates = Vec::new();
    for raw in &attestations {
        let predicate = check(raw, file_name, sha256)?;
        if predicates.contains(&predicate) {
            return Err(Invalid::new(format!("attestations: more than one of type '…{predicate}'")));
        }
        predicates.push(predicate);
    }
    if attestations.is_empty() {
        return Ok(None);
    }
    let bundle = Bundle { publisher: Publisher { kind: "Larder" }, attestations };
    let object = Provenance { version: 1, attestation_bundles: [bundle] };
    serde_json::to_vec(&object).map(Some).map_err(|error| Invalid::new(format!("attestations: {error}")))
}

/// Checks one and answers its predicate type.
fn check(raw: &RawValue, file_name: &str, sha256: &Sha256) -> Result<&'static str, Invalid> {
    let malformed = |what: &str| Invalid::new(format!("attestations: {what}"));
    let attestation: Attestation =
        serde_json::from_str(raw.get()).map_err(|error| malformed(&format!("malformed: {error}")))?;
    if attestation.version != 1 {
        return Err(malformed("only version 1 is known"));
    }
    let material = &attestation.verification_material;
    if material.transparency_entries.is_empty() {
        return Err(malformed("there is no transparency log entry"));
    }
    if [&material.certificate, &attestation.envelope.signature].iter().any(|text| STANDARD.decode(text).is_err()) {
        return Err(malformed("certificate or signature is not base64"));
    }
    let statement = STANDARD.decode(&attestation.envelope.statement).ok();
    let statement: Statement = statement
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| malformed("the statement is not base64 of an in-toto statement"))?;
    if statement.kind != "https://in-toto.io/Statement/v1" {
        return Err(malformed("the statement is not in-toto v1"));
    }
    let [subject] = &statement.subject[..] else { return Err(malformed("the statement has not exactly one subject")) };
    if subject.name != file_name || subject.digest.sha256 != sha256.hex() {
        return Err(malformed("the statement is about another file"));
    }
    PREDICATES
        .into_iter()
        .find(|known| statement.predicate_type.ends_with(known))
        .ok_or_else(|| malformed("the predicate type is not known"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A well-formed attestation of a file.
    pub(crate) fn attestation(file_name: &str, sha256: &str, predicate: &str) -> String {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{file_name}","digest":{{"sha256":"{sha256}"}}}}],"predicateType":"{predicate}","predicate":null}}"#
        );
        format!(
            r#"{{"version":1,"verification_material":{{"certificate":"AA==","transparency_entries":[{{}}]}},"envelope":{{"statement":"{}","signature":"AA=="}}}}"#,
            STANDARD.encode(statement)
        )
    }

    pub(crate) const PUBLISH: &str = "https://docs.registry.test/attestations/publish/v1";
    const FILE: &str = "foo-1.0.tar.gz";
    const HASH: Sha256 = Sha256([7; 32]);

    #[test]
    fn attestations_become_a_provenance_object_unchanged() {
        let one = attestation(FILE, &HASH.hex(), PUBLISH);
        let two = attestation(FILE, &HASH.hex(), "https://slsa.dev/provenance/v1");
        let object = provenance(&format!("[{one},{two}]"), FILE, &HASH).unwrap().unwrap();
        assert_eq!(
            String::from_utf8(object).unwrap(),
            format!(
                r#"{{"version":1,"attestation_bundles":[{{"publisher":{{"kind":"Larder"}},"attestations":[{one},{two}]}}]}}"#
            )
        );
        assert_eq!(provenance("[]", FILE, &HASH), Ok(None));
    }

    #[test]
    fn malformed_and_foreign_attestations_are_refused() {
        let good = attestation(FILE, &HASH.hex(), PUBLISH);
        for bad in [
            "{}".to_owned(),
            "[1]".to_owned(),
            format!("[{good},{good}]"),
            format!("[{}]", attestation("bar-1.0.tar.gz", &HASH.hex(), PUBLISH)),
            format!("[{}]", attestation(FILE, &"0".repeat(64), PUBLISH)),
            format!("[{}]", attestation(FILE, &HASH.hex(), "https://example.test/other")),
            format!("[{}]", good.replace("\"version\":1", "\"version\":2")),
            format!("[{}]", good.replace("[{}]", "[]")),
            format!("[{}]", good.replace("\"signature\":\"AA==\"", "\"signature\":\"!\"")),
        ] {
            assert!(provenance(&bad, FILE, &HASH).is_err(), "{bad}");
        }
    }
}
