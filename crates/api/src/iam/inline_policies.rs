//! Inline policies of users, groups and roles.

use larder_core::access::IamTarget;
use larder_core::error::Result;
use larder_core::model::IdentityKind;
use larder_http::Response;

use super::call::Call;
use super::shapes;

pub(super) async fn put(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    let name = call.name(kind)?;
    let policy = call.form.require("PolicyName")?.to_owned();
    let document = call.form.require("PolicyDocument")?.to_owned();
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().put_inline_policy(&allowed, name, policy, Some(document)).await?;
    call.done()
}

pub(super) async fn get(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    let name = call.name(kind)?;
    let policy = call.form.require("PolicyName")?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let document = call.identities().get_inline_policy(&allowed, &name, policy).await?;
    let member = match kind {
        IdentityKind::User => "UserName",
        IdentityKind::Group => "GroupName",
        IdentityKind::Role => "RoleName",
    };
    call.answer(|xml| {
        xml.text(member, &name.name);
        xml.text("PolicyName", policy);
        xml.text("PolicyDocument", &shapes::encoded(&document));
    })
}

pub(super) async fn list(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    let name = call.name(kind)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let policies = call.identities().list_inline_policies(&allowed, &name).await?;
    let page = call.window(policies, |(policy, _)| policy.clone())?;
    call.answer_page("PolicyNames", page, |xml, (policy, _)| xml.text("member", policy))
}

pub(super) async fn delete(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    let name = call.name(kind)?;
    let policy = call.form.require("PolicyName")?.to_owned();
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().put_inline_policy(&allowed, name, policy, None).await?;
    call.done()
}
