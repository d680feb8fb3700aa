//! `POST /v1/tags`: ListTagsForResource.

use larder_core::error::Result;
use larder_http::Response;
use serde::Serialize;

use super::call::{Call, answer};
use super::operations::ResourceKind;
use super::shapes::TagShape;
use super::tagged::find_tagged;

#[derive(Serialize)]
struct Output {
    tags: Vec<TagShape>,
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let allowed = call.authorize(ResourceKind::Tagged, find_tagged(call).await?).await?;
    let tags = call.services.tags.list(&allowed).await?;
    Ok(answer(&Output { tags: tags.into_iter().map(TagShape::from).collect() }))
}
