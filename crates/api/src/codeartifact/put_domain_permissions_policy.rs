//! `PUT /v1/domain/permissions/policy`: PutDomainPermissionsPolicy. Unlike its siblings it takes all in the body.

use larder_core::error::Result;
use larder_core::model::{AccountId, DomainName};
use larder_http::Response;
use serde::Deserialize;

use super::address::DomainAddress;
use super::body;
use super::call::{Call, answer};
use super::policy::{PolicyInput, PolicyMembers};
use super::shapes::PolicyOutput;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    domain: Option<String>,
    domain_owner: Option<String>,
    #[serde(flatten)]
    policy: PolicyMembers,
}

pub(super) fn parse(body: &[u8]) -> Result<(DomainAddress, PolicyInput)> {
    let Body { domain, domain_owner, policy } = body::parse(body)?;
    let address = DomainAddress {
        owner: body::get_optional("domainOwner", domain_owner.as_deref(), str::parse::<AccountId>)?,
        name: body::get("domain", domain.as_deref(), str::parse::<DomainName>)?,
    };
    Ok((address, policy.parse()?))
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let (address, PolicyInput { document, expected }) = parse(&call.body)?;
    let allowed = call.authorize_domain(&address).await?;
    Ok(answer(&PolicyOutput::new(call.services.policies.put(&allowed, &document, expected).await?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_named_in_the_body() {
        let (address, input) = parse(
            br#"{"domain":"my-domain","domainOwner":"111122223333","policyDocument":"{}","policyRevision":"r1"}"#,
        )
        .unwrap();
        assert_eq!(address.name.as_str(), "my-domain");
        assert_eq!(address.owner.unwrap().as_str(), "111122223333");
        assert_eq!(input.document, "{}");
        assert_eq!(input.expected.unwrap().as_str(), "r1");
    }

    #[test]
    fn domain_and_document_must_be_there() {
        for body in [r#"{"policyDocument":"{}"}"#, r#"{"domain":"my-domain"}"#, ""] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
    }
}
