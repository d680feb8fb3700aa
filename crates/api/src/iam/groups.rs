//! Groups and who is in them.

use larder_core::access::IamTarget;
use larder_core::error::Result;
use larder_core::model::IdentityKind;
use larder_http::Response;

use super::call::Call;
use super::shapes;

pub(super) async fn create(call: &Call<'_>) -> Result<Response> {
    let (name, path) = (call.name(IdentityKind::Group)?, call.path()?);
    let allowed = call.allow(IamTarget::NewIdentity(name.clone(), path.clone())).await?;
    let group = call.identities().create_group(&allowed, name, path).await?;
    call.answer(|xml| xml.nested("Group", |xml| shapes::group(xml, &group)))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response> {
    let (name, page) = (call.name(IdentityKind::Group)?, call.page()?);
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let (group, users) = call.identities().list_members(&allowed, &name, &page).await?;
    call.answer(|xml| {
        xml.nested("Group", |xml| shapes::group(xml, &group));
        xml.nested("Users", |xml| {
            users.items.iter().for_each(|user| xml.nested("member", |xml| shapes::user(xml, user)));
        });
        call.write_next(xml, users.next);
    })
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response> {
    let (prefix, page) = (call.path_prefix()?, call.page()?);
    let allowed = call.allow(IamTarget::Any).await?;
    let groups =
        call.identities().list_identities(&allowed, IdentityKind::Group, call.account(), prefix, &page).await?;
    call.answer_page("Groups", groups, |xml, group| xml.nested("member", |xml| shapes::group(xml, group)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::Group)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.rename(&allowed, name, "NewGroupName").await
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::Group)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().delete_identity(&allowed, name).await?;
    call.done()
}

pub(super) async fn add_user(call: &Call<'_>) -> Result<Response> {
    set_member(call, true).await
}

pub(super) async fn remove_user(call: &Call<'_>) -> Result<Response> {
    set_member(call, false).await
}

async fn set_member(call: &Call<'_>, member: bool) -> Result<Response> {
    let (group, user) = (call.name(IdentityKind::Group)?, call.name(IdentityKind::User)?);
    let allowed = call.allow(IamTarget::Identity(group.clone())).await?;
    call.identities().set_member(&allowed, group.account, group.name, user.name, member).await?;
    call.done()
}

pub(super) async fn list_for_user(call: &Call<'_>) -> Result<Response> {
    let user = call.name(IdentityKind::User)?;
    let allowed = call.allow(IamTarget::Identity(user.clone())).await?;
    let groups = call.identities().list_groups_of(&allowed, &user).await?;
    let page = call.window(groups, |group| group.name.clone())?;
    call.answer_page("Groups", page, |xml, group| xml.nested("member", |xml| shapes::group(xml, group)))
}
