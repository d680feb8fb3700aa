//! The entry: which service a request is for.

use std::sync::Arc;

use async_trait::async_trait;
use http::Request;
use http::request::Parts;
use larder_auth::sigv4::{RequestParts, SignatureError, SignedRequest, Verifier, parse};
use larder_core::services::Services;
use larder_http::{ApiHandler, PeerInfo, RequestBody, Response};

use crate::authenticate::{CODEARTIFACT, IAM, SERVICES, STS};
use crate::endpoint_url::EndpointUrls;
use crate::error::ApiError;
use crate::{codeartifact, iam, sts};

/// Answers the AWS API.
pub struct Api {
    pub(crate) services: Arc<Services>,
    pub(crate) endpoints: EndpointUrls,
    pub(crate) verifier: Verifier,
}

/// What is configured.
#[derive(Debug, Clone, Default)]
pub struct ApiSettings {
    /// `{domain}-{owner}.d.example.com`, as the listener serves it: repository endpoints get such hosts instead of paths
    /// below this server's address.
    pub endpoint_host: Option<String>,
}

impl Api {
    /// Wires it up.
    #[must_use]
    pub fn new(services: Arc<Services>, settings: ApiSettings) -> Self {
        let verifier = Verifier::new(services.access.region(), &SERVICES);
        Self { services, endpoints: EndpointUrls::new(settings.endpoint_host), verifier }
    }
}

#[async_trait]
impl ApiHandler for Api {
    async fn handle(&self, request: Request<RequestBody>, peer: PeerInfo, request_id: &str) -> Response {
        let (parts, body) = request.into_parts();
        let signed = parse(&RequestParts::from(&parts));
        let service = service(&parts, &signed);
        if let (Err(_), Some(throttle)) = (&signed, &self.services.throttle)
            && let Err(error) = throttle.count_stranger(peer.address)
        {
            return refuse(service, error.into(), request_id);
        }
        match service {
            STS => sts::serve(self, &parts, body, signed, &peer, request_id).await,
            IAM => iam::serve(self, &parts, body, signed, &peer, request_id).await,
            _ => codeartifact::serve(self, &parts, body, signed, &peer, request_id).await,
        }
    }
}

/// Says no in the form of a service.
fn refuse(service: &str, error: ApiError, request_id: &str) -> Response {
    match service {
        STS => sts::DIALECT.failure(&error, request_id),
        IAM => iam::DIALECT.failure(&error, request_id),
        _ => error.into_response(request_id),
    }
}

/// The service that the signature is scoped to. What has no readable signature can only be refused, in the form of the
/// service that its path belongs to: query services have one path, `/`.
fn service(parts: &Parts, signed: &Result<SignedRequest, SignatureError>) -> &'static str {
    match signed {
        Ok(signed) => SERVICES.into_iter().find(|service| *service == signed.service).unwrap_or(CODEARTIFACT),
        Err(_) if parts.uri.path() == "/" => STS,
        Err(_) => CODEARTIFACT,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn told(path: &str, scope: Option<&str>) -> &'static str {
        let mut request = Request::builder().uri(path).header("host", "localhost");
        if let Some(service) = scope {
            request = request.header("x-amz-date", "20260102T030405Z").header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260102/us-east-1/{service}/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={}",
                    "0".repeat(64)
                ),
            );
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let signed = parse(&RequestParts::from(&parts));
        assert_eq!(signed.is_ok(), scope.is_some());
        service(&parts, &signed)
    }

    #[test]
    fn services_are_told_apart_by_the_scope_of_the_signature() {
        assert_eq!(told("/", Some("sts")), STS);
        assert_eq!(told("/", Some("iam")), IAM);
        assert_eq!(told("/v1/domain?domain=sts", Some("codeartifact")), CODEARTIFACT);
        // Answered by CodeArtifact, which refuses a signature for another service.
        assert_eq!(told("/v1/domain", Some("s3")), CODEARTIFACT);
    }

    #[test]
    fn without_a_signature_the_path_decides_who_refuses() {
        assert_eq!(told("/", None), STS);
        assert_eq!(told("/v1/domain", None), CODEARTIFACT);
        assert_eq!(told("/favicon.ico", None), CODEARTIFACT);
    }
}
