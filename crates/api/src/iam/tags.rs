//! Tags of users, roles, managed policies and OpenID Connect providers.

use larder_core::access::IamTarget;
use larder_core::error::Result;
use larder_core::model::{IdentityKind, TagHolder};
use larder_http::Response;

use super::call::Call;
use super::shapes;

fn target(holder: &TagHolder) -> IamTarget {
    match holder {
        TagHolder::Identity(name) => IamTarget::Identity(name.clone()),
        TagHolder::Policy(arn) => IamTarget::Policy(arn.clone()),
        TagHolder::Provider(arn) => IamTarget::Provider(arn.clone()),
    }
}

async fn tag(call: &Call<'_>, holder: TagHolder) -> Result<Response> {
    let tags = call.tags()?;
    let allowed = call.allow_tagged(target(&holder), &tags).await?;
    call.identities().tag(&allowed, holder, tags).await?;
    call.done()
}

async fn untag(call: &Call<'_>, holder: TagHolder) -> Result<Response> {
    let keys: Vec<String> = call.form.list("TagKeys").into_iter().map(str::to_owned).collect();
    let context = [("aws:TagKeys".to_owned(), keys.clone())];
    let allowed = call.allow_with(target(&holder), &context).await?;
    call.identities().untag(&allowed, holder, keys).await?;
    call.done()
}

async fn list(call: &Call<'_>, holder: TagHolder) -> Result<Response> {
    let allowed = call.allow(target(&holder)).await?;
    let tags = call.identities().list_tags(&allowed, &holder).await?;
    let page = call.window(tags, |tag| tag.key.clone())?;
    call.answer_page("Tags", page, |xml, tag| xml.nested("member", |xml| shapes::tag(xml, tag)))
}

pub(super) async fn tag_identity(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    tag(call, TagHolder::Identity(call.name(kind)?)).await
}

pub(super) async fn untag_identity(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    untag(call, TagHolder::Identity(call.name(kind)?)).await
}

pub(super) async fn list_identity(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    list(call, TagHolder::Identity(call.name(kind)?)).await
}

pub(super) async fn tag_policy(call: &Call<'_>) -> Result<Response> {
    tag(call, TagHolder::Policy(call.policy_arn()?)).await
}

pub(super) async fn untag_policy(call: &Call<'_>) -> Result<Response> {
    untag(call, TagHolder::Policy(call.policy_arn()?)).await
}

pub(super) async fn list_policy(call: &Call<'_>) -> Result<Response> {
    list(call, TagHolder::Policy(call.policy_arn()?)).await
}

pub(super) async fn tag_provider(call: &Call<'_>) -> Result<Response> {
    tag(call, TagHolder::Provider(call.provider_arn()?)).await
}

pub(super) async fn untag_provider(call: &Call<'_>) -> Result<Response> {
    untag(call, TagHolder::Provider(call.provider_arn()?)).await
}

pub(super) async fn list_provider(call: &Call<'_>) -> Result<Response> {
    list(call, TagHolder::Provider(call.provider_arn()?)).await
}
