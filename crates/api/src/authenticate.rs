//! Who signed a request (reference 1.1, 1.9): the key is looked up, then the signature is verified.

use larder_auth::sigv4::{SignatureError, SignedRequest, Verifier};
use larder_core::access::{Caller, Via};
use larder_core::model::{AccessKeyId, AccessKeyStatus, Principal, SecretAccessKey};
use larder_core::services::{FoundSession, Services, SessionLookup};
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
    principal: Principal,
    via: Via,
    secret: SecretAccessKey,
}

/// The first step, before any body is read: looks up the key, or the session that the request's session token is of.
///
/// # Errors
/// [`SignatureError::UnrecognizedClient`] for a key that is unknown or inactive, for temporary credentials without their
/// session token and for a session token that is another key's; [`SignatureError::ExpiredToken`];
/// [`larder_core::Error::Throttled`] for who is refused too often.
pub(crate) async fn look_up(services: &Services, signed: SignedRequest, peer: &PeerInfo) -> Result<Claim, ApiError> {
    let unknown = || refuse_stranger(services, peer, SignatureError::UnrecognizedClient);
    let id = AccessKeyId::new(signed.access_key_id.as_str()).map_err(|_| unknown())?;
    if let Some(session_token) = &signed.session_token {
        return match services.sts.find_session(&id, session_token).await? {
            SessionLookup::Found(FoundSession { session, secret }) => {
                Ok(Claim { signed, principal: session.principal.clone(), via: Via::Session(session), secret })
            }
            SessionLookup::Expired => Err(refuse_stranger(services, peer, SignatureError::ExpiredToken)),
            SessionLookup::Unknown => Err(unknown()),
        };
    }
    match services.store.find_access_key(&id).await? {
        Some(key) if key.status == AccessKeyStatus::Active => {
            Ok(Claim { signed, principal: Principal::user(key.user), via: Via::Signature(key.id), secret: key.secret })
        }
        Some(_) | None => Err(unknown()),
    }
}

/// Why somebody who is not known is refused: what is wrong with the signature, or that their address sends too many such.
fn refuse_stranger(services: &Services, peer: &PeerInfo, why: SignatureError) -> ApiError {
    match services.throttle.as_ref().map(|throttle| throttle.count_stranger(peer.address)) {
        Some(Err(throttled)) => throttled.into(),
        Some(Ok(())) | None => why.into(),
    }
}

impl Claim {
    /// The second step: verifies the signature. `body_sha256` is `None` only where the body is hashed while it streams
    /// and compared with what is signed.
    ///
    /// # Errors
    /// What is wrong with the signature; [`larder_core::Error::Throttled`] as for [`look_up`].
    pub(crate) fn verify(
        &self,
        services: &Services,
        verifier: &Verifier,
        body_sha256: Option<&[u8; 32]>,
        peer: &PeerInfo,
        request_id: &str,
    ) -> Result<Caller, ApiError> {
        verifier
            .verify(&self.signed, &self.secret, body_sha256, services.clock.now())
            .map_err(|why| refuse_stranger(services, peer, why))?;
        if let Via::Signature(key) = &self.via {
            services.key_uses.note(key, &self.signed.service, &self.signed.region, services.clock.now());
        }
        Ok(Caller {
            principal: self.principal.clone(),
            via: self.via.clone(),
            address: Some(peer.address),
            secure_transport: peer.secure,
            request_id: request_id.to_owned(),
        })
    }
}
