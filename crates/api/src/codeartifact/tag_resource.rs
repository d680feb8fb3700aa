//! `POST /v1/tag`: TagResource.

use larder_core::access::Action;
use larder_core::error::Result;
use larder_core::model::Tag;
use larder_http::Response;
use serde::{Deserialize, Serialize};

use super::body::{self, BodyTag};
use super::call::{Call, answer};
use super::query::missing;
use super::tagged::{authorize_with_tags, find_tagged};

#[derive(Deserialize)]
struct Body {
    tags: Option<Vec<BodyTag>>,
}

#[derive(Serialize)]
struct Output {}

pub(super) fn parse(body: &[u8]) -> Result<Vec<Tag>> {
    let Body { tags } = body::parse(body)?;
    body::tags(Some(tags.ok_or_else(|| missing("tags"))?))
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let tags = parse(&call.body)?;
    let target = find_tagged(call).await?;
    let allowed = authorize_with_tags(call, Action::TagResource, target, &tags).await?;
    call.services.tags.tag(&allowed, tags).await?;
    Ok(answer(&Output {}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_must_be_given_though_they_may_be_none() {
        assert!(parse(b"{}").is_err());
        assert_eq!(parse(br#"{"tags":[]}"#).unwrap(), []);
        assert_eq!(parse(br#"{"tags":[{"key":"a","value":"b"}]}"#).unwrap(), [Tag::new("a", "b").unwrap()]);
    }
}
