//! `POST /v1/domain`: CreateDomain.

use larder_core::access::{Action, NewDomainTarget};
use larder_core::error::{Invalid, Result};
use larder_core::model::{DomainName, Tag};
use larder_core::services::NewDomain;
use larder_http::Response;
use serde::Deserialize;

use super::body::{self, BodyTag};
use super::call::{Call, answer};
use super::operations::param;
use super::query::Query;
use super::shapes::{DomainOutput, DomainShape};
use super::tagged::authorize_with_tags;

#[derive(Debug)]
pub(super) struct Input {
    name: DomainName,
    encryption_key: Option<String>,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    encryption_key: Option<String>,
    tags: Option<Vec<BodyTag>>,
}

impl Input {
    pub(super) fn parse(query: &Query, body: &[u8]) -> Result<Self> {
        let name = query.get(param::DOMAIN, str::parse::<DomainName>)?;
        let Body { encryption_key, tags } = body::parse(body)?;
        let encryption_key = body::get_optional("encryptionKey", encryption_key.as_deref(), parse_key)?;
        Ok(Self { name, encryption_key, tags: body::tags(tags)? })
    }
}

/// Whether it names a key is the service's to say.
fn parse_key(text: &str) -> Result<String, Invalid> {
    if (1..=1011).contains(&text.len()) && !text.contains(char::is_whitespace) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new("Member must have 1 to 1011 characters and no white space"))
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let Input { name, encryption_key, tags } = Input::parse(&call.query, &call.body)?;
    let target = NewDomainTarget { owner: call.account().clone(), name };
    let allowed = authorize_with_tags(call, Action::CreateDomain, target, &tags).await?;
    let created = call.services.domains.create(&allowed, NewDomain { encryption_key, tags }).await?;
    Ok(answer(&DomainOutput { domain: DomainShape::new(call.services.access.region(), &created) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Input> {
        Input::parse(&Query::parse(Some("domain=my-domain")).unwrap(), body.as_bytes())
    }

    #[test]
    fn key_and_tags_come_in_the_body() {
        let input = parse(r#"{"encryptionKey":"alias/mine","tags":[{"key":"team","value":"a"}]}"#).unwrap();
        assert_eq!(input.name.as_str(), "my-domain");
        assert_eq!(input.encryption_key.as_deref(), Some("alias/mine"));
        assert_eq!(input.tags, [Tag { key: "team".into(), value: "a".into() }]);
        assert!(parse("").unwrap().encryption_key.is_none());
    }

    #[test]
    fn bad_members_are_refused() {
        for body in [r#"{"encryptionKey":""}"#, r#"{"encryptionKey":"a b"}"#, r#"{"tags":[{"key":"a"}]}"#, "[]"] {
            assert!(parse(body).is_err(), "{body}");
        }
    }
}
