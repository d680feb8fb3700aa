//! Users.

use larder_core::access::IamTarget;
use larder_core::error::Result;
use larder_core::model::{Identity, IdentityKind, TagHolder};
use larder_http::Response;

use super::call::{Call, user_name};
use super::shapes;

pub(super) async fn create(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::User)?;
    let path = call.path()?;
    let tags = call.tags()?;
    let allowed = call.allow_tagged(IamTarget::NewIdentity(name.clone(), path.clone()), &tags).await?;
    call.refuse_boundary()?;
    let user = user_name(&name)?;
    let user = call.identities().create_tagged_user(&allowed, name.account, path, user, tags.clone()).await?;
    let created = Identity {
        kind: IdentityKind::User,
        account: user.account,
        id: user.id,
        path: user.path,
        name: user.name.to_string(),
        created_at: allowed.actor().at,
    };
    call.answer(|xml| {
        xml.nested("User", |xml| {
            shapes::user(xml, &created);
            shapes::tags(xml, &tags);
        });
    })
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response> {
    let name = call.user_or_caller()?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let user = call.identities().get_identity(&allowed, &name).await?;
    let tags = call.identities().list_tags(&allowed, &TagHolder::Identity(name)).await?;
    call.answer(|xml| {
        xml.nested("User", |xml| {
            shapes::user(xml, &user);
            shapes::tags(xml, &tags);
        });
    })
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response> {
    let (prefix, page) = (call.path_prefix()?, call.page()?);
    let allowed = call.allow(IamTarget::Any).await?;
    let users = call.identities().list_identities(&allowed, IdentityKind::User, call.account(), prefix, &page).await?;
    call.answer_page("Users", users, |xml, user| xml.nested("member", |xml| shapes::user(xml, user)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::User)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.rename(&allowed, name, "NewUserName").await
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::User)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().delete_identity(&allowed, name).await?;
    call.done()
}
