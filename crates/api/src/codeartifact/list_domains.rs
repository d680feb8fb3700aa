//! `POST /v1/domains`: ListDomains. The only list whose page is asked for in the body.

use larder_core::error::Result;
use larder_core::model::{Arn, Domain, PageRequest};
use larder_http::Response;
use serde::{Deserialize, Serialize};

use super::body;
use super::call::{Call, answer};
use super::operations::Operation;
use super::query::{checked, next_token, parse_next_token, parse_page_size};

const DEFAULT_PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    max_results: Option<serde_json::Number>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    domains: Vec<DomainSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `DomainSummary`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DomainSummary {
    name: String,
    owner: String,
    arn: String,
    status: &'static str,
    created_time: f64,
    encryption_key: String,
}

impl DomainSummary {
    fn new(region: &str, domain: Domain) -> Self {
        Self {
            arn: Arn::domain(region, &domain.owner, &domain.name).to_string(),
            name: domain.name.to_string(),
            owner: domain.owner.to_string(),
            status: "Active",
            created_time: domain.created_at.as_aws(),
            encryption_key: domain.encryption_key,
        }
    }
}

pub(super) fn parse(operation: &Operation, body: &[u8]) -> Result<PageRequest> {
    let Body { max_results, next_token } = body::parse(body)?;
    let limit = max_results.map(|number| checked("maxResults", &number.to_string(), parse_page_size)).transpose()?;
    let after = body::get_optional("nextToken", next_token.as_deref(), |text| parse_next_token(operation, text))?;
    Ok(PageRequest { limit: limit.unwrap_or(DEFAULT_PAGE), after })
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let page = parse(call.operation, &call.body)?;
    let allowed = call.authorize_account().await?;
    let found = call.services.domains.list(&allowed, &page).await?;
    let region = call.services.access.region();
    Ok(answer(&Output {
        domains: found.items.into_iter().map(|domain| DomainSummary::new(region, domain)).collect(),
        next_token: next_token(call.operation, found.next),
    }))
}

#[cfg(test)]
mod tests {
    use http::Method;
    use larder_core::model::{AccountId, DomainId, DomainName, PageToken, Timestamp};
    use serde_json::json;

    use super::super::operations::find;
    use super::*;

    #[test]
    fn the_page_is_read_from_the_body() {
        let operation = find(&Method::POST, "/v1/domains").unwrap();
        let token = next_token(operation, Some(PageToken(vec!["my-domain".into()]))).unwrap();
        let page = parse(operation, format!(r#"{{"maxResults":7,"nextToken":"{token}"}}"#).as_bytes()).unwrap();
        assert_eq!((page.limit, page.key(0)), (7, "my-domain"));
        assert_eq!(parse(operation, b"").unwrap().limit, DEFAULT_PAGE);
        for bad in [
            r#"{"maxResults":0}"#,
            r#"{"maxResults":1001}"#,
            r#"{"maxResults":1.5}"#,
            r#"{"maxResults":"7"}"#,
            r#"{"nextToken":"x"}"#,
        ] {
            assert!(parse(operation, bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_summary_has_no_numbers() {
        let domain = Domain {
            id: DomainId(1),
            owner: AccountId::new("111122223333").unwrap(),
            name: DomainName::new("my-domain").unwrap(),
            encryption_key: "arn:aws:kms:us-west-2:111122223333:key/k".into(),
            created_at: Timestamp(1_583_075_193_861),
            policy: None,
        };
        assert_eq!(
            serde_json::to_value(DomainSummary::new("us-west-2", domain)).unwrap(),
            json!({
                "name": "my-domain",
                "owner": "111122223333",
                "arn": "arn:aws:codeartifact:us-west-2:111122223333:domain/my-domain",
                "status": "Active",
                "createdTime": 1_583_075_193.861,
                "encryptionKey": "arn:aws:kms:us-west-2:111122223333:key/k",
            })
        );
    }
}
