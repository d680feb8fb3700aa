//! Roles.

use std::time::Duration;

use larder_core::access::IamTarget;
use larder_core::error::{Error, Result};
use larder_core::model::{IdentityKind, RoleArn, TagHolder};
use larder_core::services::{DEFAULT_MAX_SESSION, RoleSettings};
use larder_http::Response;

use super::call::Call;
use super::shapes;

/// The longest description in characters.
const DESCRIPTION_CHARACTERS: usize = 1000;

fn description(call: &Call<'_>) -> Result<Option<String>> {
    match call.form.find("Description") {
        Some(text) if text.chars().count() > DESCRIPTION_CHARACTERS => {
            let message = format!("a description has at most {DESCRIPTION_CHARACTERS} characters");
            Err(Error::validation("description", message))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

fn max_session(call: &Call<'_>) -> Result<Option<u64>> {
    let parse = |text: &str| {
        text.parse().map_err(|_| Error::validation("maxSessionDuration", "MaxSessionDuration is a number of seconds"))
    };
    call.form.find("MaxSessionDuration").map(parse).transpose()
}

pub(super) async fn create(call: &Call<'_>) -> Result<Response> {
    let (name, path, tags) = (call.name(IdentityKind::Role)?, call.path()?, call.tags()?);
    let trust_policy = call.form.require("AssumeRolePolicyDocument")?.to_owned();
    let settings = RoleSettings {
        trust_policy,
        description: description(call)?.unwrap_or_default(),
        max_session: max_session(call)?.map_or(DEFAULT_MAX_SESSION, Duration::from_secs),
        tags: tags.clone(),
    };
    let allowed = call.allow_tagged(IamTarget::NewIdentity(name.clone(), path.clone()), &tags).await?;
    call.refuse_boundary()?;
    let arn = RoleArn { account: name.account.clone(), path, name: name.name.clone() };
    call.identities().create_role(&allowed, &arn, settings).await?;
    let (role, details) = call.identities().get_role(&allowed, &name).await?;
    call.answer(|xml| {
        xml.nested("Role", |xml| {
            shapes::role(xml, &role, &details);
            shapes::tags(xml, &tags);
        });
    })
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::Role)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let (role, details) = call.identities().get_role(&allowed, &name).await?;
    let tags = call.identities().list_tags(&allowed, &TagHolder::Identity(name)).await?;
    call.answer(|xml| {
        xml.nested("Role", |xml| {
            shapes::role(xml, &role, &details);
            shapes::tags(xml, &tags);
            xml.nested("RoleLastUsed", |_| {});
        });
    })
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response> {
    let (prefix, page) = (call.path_prefix()?, call.page()?);
    let allowed = call.allow(IamTarget::Any).await?;
    let roles = call.identities().list_identities(&allowed, IdentityKind::Role, call.account(), prefix, &page).await?;
    let next = roles.next;
    let described = call.identities().describe_roles(&allowed, roles.items).await?;
    call.answer(|xml| {
        xml.nested("Roles", |xml| {
            for (role, details) in &described {
                xml.nested("member", |xml| shapes::role(xml, role, details));
            }
        });
        call.write_next(xml, next);
    })
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::Role)?;
    let (description, max_session) = (description(call)?, max_session(call)?);
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().update_role(&allowed, name, description, max_session).await?;
    call.done()
}

pub(super) async fn update_description(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::Role)?;
    call.form.require("Description")?;
    let description = description(call)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().update_role(&allowed, name.clone(), description, None).await?;
    let (role, details) = call.identities().get_role(&allowed, &name).await?;
    call.answer(|xml| xml.nested("Role", |xml| shapes::role(xml, &role, &details)))
}

pub(super) async fn update_trust(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::Role)?;
    let document = call.form.require("PolicyDocument")?.to_owned();
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().update_trust_policy(&allowed, name, document).await?;
    call.done()
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response> {
    let name = call.name(IdentityKind::Role)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().delete_identity(&allowed, name).await?;
    call.done()
}
