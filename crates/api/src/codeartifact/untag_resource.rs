//! `POST /v1/untag`: UntagResource.

use larder_core::error::{Error, Invalid, Result};
use larder_core::model::Tag;
use larder_http::Response;
use serde::{Deserialize, Serialize};

use super::body;
use super::call::{Call, answer};
use super::query::{checked, missing};
use super::tagged::{find_tagged, tag_keys_context};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    tag_keys: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Output {}

pub(super) fn parse(body: &[u8]) -> Result<Vec<String>> {
    let Body { tag_keys } = body::parse(body)?;
    let keys = tag_keys.ok_or_else(|| missing("tagKeys"))?;
    if keys.len() > Tag::LIMIT {
        return Err(Error::validation("tagKeys", format!("at most {} tag keys may be given", Tag::LIMIT)));
    }
    keys.iter().map(|key| checked("tagKeys", key, parse_key)).collect()
}

fn parse_key(key: &str) -> Result<String, Invalid> {
    if (1..=128).contains(&key.chars().count()) {
        return Ok(key.to_owned());
    }
    Err(Invalid::new("Member must have 1 to 128 characters"))
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let keys = parse(&call.body)?;
    let target = find_tagged(call).await?;
    let context = [tag_keys_context(keys.clone())];
    let access = &call.services.access;
    let allowed = access.authorize_with(call.caller, call.operation.action, target, &context).await?;
    call.services.tags.untag(&allowed, keys).await?;
    Ok(answer(&Output {}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_must_be_given_and_not_be_empty() {
        assert_eq!(parse(br#"{"tagKeys":["a","b"]}"#).unwrap(), ["a", "b"]);
        for bad in ["{}", r#"{"tagKeys":[""]}"#, r#"{"tagKeys":"a"}"#] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
