//! Attestations of gems: Sigstore bundles that `gem push --attestation` sends with a gem, kept beside it as they are, and
//! `GET api/v1/attestations/{full_name}.json`, which answers them.
//!
//! A bundle has to speak of the gem that it comes with. Its signature, and whether its signer is to be trusted, is for
//! those to judge who rely on it: Larder knows neither Sigstore's roots nor who publishes what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use larder_core::error::{Error, Invalid};
use larder_core::model::{ExternalConnection, Sha256};
use larder_core::ports::{RegistryAnswer, RegistryRequest};
use larder_core::services::{Layer, View};
use larder_http::{RepositoryRequest, answer_asset, response};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::RubyError;
use crate::line::{self, Line};
use crate::routes::{Answer, Routes};
use crate::{asset, index, names};

const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// Bundles of one gem.
const BUNDLES: usize = 16;
/// How the media types of bundles begin; versions follow.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle";
/// What a public registry may answer.
const RELAY_LIMIT_BYTES: usize = 16 << 20;

/// A bundle, as far as it is looked into: it signs either the gem itself or a statement about it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    #[expect(dead_code, reason = "it has to be there")]
    verification_material: serde_json::Map<String, serde_json::Value>,
    message_signature: Option<MessageSignature>,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    message_digest: MessageDigest,
}

#[derive(Deserialize)]
struct MessageDigest {
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

/// An in-toto statement.
#[derive(Deserialize)]
struct Statement {
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha256: Option<String>,
}

/// Checks what a form says are the attestations of a gem and answers them as they are kept; `None` for an empty list.
///
/// # Errors
/// [`Invalid`] for what is no list of bundles, or for a bundle of something else.
pub(crate) fn check(sent: Bytes, sha256: &Sha256) -> Result<Option<Bytes>, Invalid> {
    let malformed =
        |error: serde_json::Error| Invalid::new(format!("the attestations are no list of bundles: {error}"));
    let bundles: Vec<Bundle> = serde_json::from_slice(&sent).map_err(malformed)?;
    if bundles.len() > BUNDLES {
        return Err(Invalid::new(format!("the gem has more than {BUNDLES} attestations")));
    }
    for (number, bundle) in bundles.iter().enumerate() {
        bundle.check(sha256).map_err(|what| Invalid::new(format!("attestation {}: {what}", number + 1)))?;
    }
    Ok(Some(sent).filter(|_| !bundles.is_empty()))
}

impl Bundle {
    fn check(&self, sha256: &Sha256) -> Result<(), &'static str> {
        if !self.media_type.starts_with(MEDIA_TYPE) {
            return Err("its media type is not that of a Sigstore bundle");
        }
        let is_of_gem = match (&self.message_signature, &self.dsse_envelope) {
            (Some(MessageSignature { message_digest }), None) => {
                if message_digest.algorithm != "SHA2_256" {
                    return Err("its digest is no SHA2_256");
                }
                STANDARD.decode(&message_digest.digest).is_ok_and(|digest| digest == sha256.0)
            }
            (None, Some(envelope)) => {
                let payload = STANDARD.decode(&envelope.payload).map_err(|_| "its payload is not Base64")?;
                let statement: Statement =
                    serde_json::from_slice(&payload).map_err(|_| "its payload is no in-toto statement")?;
                let digests = statement.subject.iter().filter_map(|subject| subject.digest.sha256.as_deref());
                digests.into_iter().any(|digest| digest.eq_ignore_ascii_case(&sha256.hex()))
            }
            _ => return Err("it has to hold a message signature or a DSSE envelope"),
        };
        if is_of_gem { Ok(()) } else { Err("it is of another file") }
    }
}

impl Routes {
    /// Answers the attestations that a gem was pushed with, or what the public registry that offers the gem has of it.
    pub(crate) async fn get_attestations(&self, request: &RepositoryRequest, full_name: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let missing = || {
            let full_name = names::printable(full_name);
            RubyError::not_found(format!("there are no attestations of '{full_name}'"))
        };
        for (key, version) in names::readings(full_name) {
            let name = asset::attestations_name(key.name(), version.as_str())?;
            match self.services.downloads.open(&allowed, &key, &version, &name).await {
                Ok(opened) => {
                    return Ok(answer_asset(&allowed, &request.method, &request.headers, opened, CONTENT_TYPE).await?);
                }
                Err(Error::ResourceNotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            let view = match self.services.index.view(&allowed, &key).await {
                Ok(view) => view,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error.into()),
            };
            let Some(connection) = offering(&view, version.as_str()) else { continue };
            let path = format!("api/v1/attestations/{}-{version}.json", key.name());
            let relayed = RegistryRequest { path, accept: "application/json", ..RegistryRequest::default() };
            let answer = self.services.registries.fetch_document(connection, &relayed, RELAY_LIMIT_BYTES).await?;
            let RegistryAnswer::Found { body, .. } = answer else { return Err(missing()) };
            // Parsed, so that an error page in disguise is not passed on.
            if serde_json::from_slice::<Vec<IgnoredAny>>(&body).is_err() {
                let message = "the public registry did not answer with a list of attestations";
                return Err(RubyError::new(StatusCode::BAD_GATEWAY, message));
            }
            return Ok(response::content(StatusCode::OK, CONTENT_TYPE, body));
        }
        Err(missing())
    }
}

/// The public registry that has the gem which is served as this version.
fn offering(view: &View, version: &str) -> Option<ExternalConnection> {
    let served = index::merge(&view.layers).into_iter().find(|listed| listed.line.version == version)?;
    view.layers.iter().find_map(|layer| {
        let Layer::Registry { connection, index, .. } = layer else { return None };
        let text = std::str::from_utf8(index.body.as_deref()?).ok()?;
        let mut lines = line::lines(text).filter_map(|raw| Line::parse(raw).ok());
        let same = |line: Line<'_>| line.version == version && line.checksum() == served.line.checksum();
        lines.any(same).then_some(*connection)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HASH: Sha256 = Sha256([7; 32]);

    /// A bundle that signs a file, as `sigstore-cli sign` writes it.
    pub(crate) fn of_file(sha256: &Sha256) -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": "AA=="}, "tlogEntries": [{}]},
            "messageSignature": {
                "messageDigest": {"algorithm": "SHA2_256", "digest": STANDARD.encode(sha256.0)}, "signature": "AA==",
            },
        })
    }

    /// A bundle with a statement about files, as builds on GitHub have it.
    fn of_statement(statement: &Value) -> Value {
        let mut bundle = of_file(&HASH);
        let members = bundle.as_object_mut().unwrap();
        members.remove("messageSignature");
        let payload = STANDARD.encode(statement.to_string());
        let envelope = json!({"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{}]});
        members.insert("dsseEnvelope".to_owned(), envelope);
        bundle
    }

    fn about(sha256: &Sha256) -> Value {
        let other = json!({"name": "other", "digest": {"sha512": "00"}});
        json!({"subject": [other, {"name": "foo-1.gem", "digest": {"sha256": sha256.hex()}}]})
    }

    #[test]
    fn bundles_of_the_gem_are_kept_as_they_are() {
        let sent = Bytes::from(format!(" [{},\n{}]", of_file(&HASH), of_statement(&about(&HASH))));
        assert_eq!(check(sent.clone(), &HASH), Ok(Some(sent)));
        assert_eq!(check("[]".into(), &HASH), Ok(None));
    }

    #[test]
    fn what_is_no_bundle_of_the_gem_is_refused() {
        let changed = |pointer: &str, value: Value| {
            let mut bundle = of_file(&HASH);
            *bundle.pointer_mut(pointer).unwrap() = value;
            json!([bundle])
        };
        let mut both = of_statement(&about(&HASH));
        both["messageSignature"] = of_file(&HASH)["messageSignature"].clone();
        for bad in [
            json!({}),
            json!([1]),
            json!([of_file(&Sha256([8; 32]))]),
            json!([of_statement(&about(&Sha256([8; 32])))]),
            json!([of_statement(&json!({"subject": []}))]),
            json!([of_statement(&json!("statement"))]),
            json!([both]),
            json!(vec![of_file(&HASH); 17]),
            changed("/mediaType", json!("application/json")),
            changed("/verificationMaterial", json!(null)),
            changed("/messageSignature", json!(null)),
            changed("/messageSignature/messageDigest/algorithm", json!("SHA2_512")),
            changed("/messageSignature/messageDigest/digest", json!("!")),
        ] {
            assert!(check(bad.to_string().into(), &HASH).is_err(), "{bad}");
        }
        assert!(check("[".into(), &HASH).is_err());
    }
}
