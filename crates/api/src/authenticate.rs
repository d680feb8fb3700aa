//! Who signed a request (reference 1.1, 1.9): the key is looked up, then the signature is verified.

use larder_auth::sigv4::{SignatureError, SignedRequest, Verifier};
use larder_core::access::{Caller, Via};
use larder_core::model::{AccessKey, AccessKeyId, AccessKeyStatus, Principal};
use larder_core::services::Services;
use larder_http::PeerInfo;

use crate::error::ApiError;

/// The services told apart by the credential scope of a signature.
pub(crate) const SERVICES: [&str; 3] = [CODEARTIFACT, STS, IAM];
pub(crate) const CODEARTIFACT: &str = "codeartifact";
pub(crate) const STS: &str = "sts";
pub(crate) const IAM: &str = "iam";

/// A signature whose key is known and active, but which is not verified yet.
pub(crate) struct Claim {
    pub(crate) signed: SignedRequest,
    key: AccessKey,
}

/// The first step, before any body is read: looks up the key.
///
/// # Errors
/// [`SignatureError::UnrecognizedClient`] for a key that is unknown or inactive.
pub(crate) async fn look_up(services: &Services, signed: SignedRequest) -> Result<Claim, ApiError> {
    let id = AccessKeyId::new(signed.access_key_id.as_str()).map_err(|_| SignatureError::UnrecognizedClient)?;
    match services.store.find_access_key(&id).await? {
        Some(key) if key.status == AccessKeyStatus::Active => Ok(Claim { signed, key }),
        Some(_) | None => Err(SignatureError::UnrecognizedClient.into()),
    }
}

impl Claim {
    /// The second step: verifies the signature. `body_sha256` is `None` only where the body is hashed while it streams
    /// and compared with what is signed.
    ///
    /// # Errors
    /// What is wrong with the signature.
    pub(crate) fn verify(
        &self,
        services: &Services,
        verifier: &Verifier,
        body_sha256: Option<&[u8; 32]>,
        peer: &PeerInfo,
        request_id: &str,
    ) -> Result<Caller, SignatureError> {
        verifier.verify(&self.signed, &self.key.secret, body_sha256, services.clock.now())?;
        Ok(Caller {
            principal: Principal::user(self.key.user.clone()),
            via: Via::Signature(self.key.id.clone()),
            address: Some(peer.address),
            secure_transport: peer.secure,
            request_id: request_id.to_owned(),
        })
    }
}
