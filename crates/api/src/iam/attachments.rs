//! Managed policies attached to users, groups and roles.

use larder_core::access::IamTarget;
use larder_core::error::{Error, Result};
use larder_core::model::{Identity, IdentityKind};
use larder_http::Response;

use super::call::Call;
use crate::query_protocol::Xml;

pub(super) async fn attach(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    set(call, kind, true).await
}

pub(super) async fn detach(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    set(call, kind, false).await
}

async fn set(call: &Call<'_>, kind: IdentityKind, attached: bool) -> Result<Response> {
    let (name, arn) = (call.name(kind)?, call.policy_arn()?);
    let context = [("iam:PolicyARN".to_owned(), vec![arn.clone()])];
    let allowed = call.allow_with(IamTarget::Identity(name.clone()), &context).await?;
    call.identities().set_attached(&allowed, name, arn, attached).await?;
    call.done()
}

pub(super) async fn list(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    let (name, prefix) = (call.name(kind)?, call.path_prefix()?);
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let mut arns = call.identities().list_attached_policies(&allowed, &name).await?;
    arns.retain(|arn| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(prefix)));
    let page = call.window(arns, String::clone)?;
    call.answer_page("AttachedPolicies", page, |xml, arn| {
        xml.nested("member", |xml| {
            xml.text("PolicyName", arn.rsplit('/').next().unwrap_or_default());
            xml.text("PolicyArn", arn);
        });
    })
}

fn entities(xml: &mut Xml, list: &str, word: &str, kind: IdentityKind, all: &[Identity]) {
    xml.nested(list, |xml| {
        for identity in all.iter().filter(|identity| identity.kind == kind) {
            xml.nested("member", |xml| {
                xml.text(&format!("{word}Name"), &identity.name);
                xml.text(&format!("{word}Id"), &identity.id);
            });
        }
    });
}

pub(super) async fn list_entities(call: &Call<'_>) -> Result<Response> {
    let (arn, prefix, page) = (call.policy_arn()?, call.path_prefix()?, call.page()?);
    let only = match call.form.find("EntityFilter") {
        None => None,
        Some("User") => Some(IdentityKind::User),
        Some("Group") => Some(IdentityKind::Group),
        Some("Role") => Some(IdentityKind::Role),
        // Such policies are of the account or built in, which those calls list.
        Some("LocalManagedPolicy" | "AWSManagedPolicy") => {
            return Err(Error::validation("entityFilter", "EntityFilter is User, Role or Group here"));
        }
        Some(_) => return Err(Error::validation("entityFilter", "EntityFilter is User, Role or Group")),
    };
    let none = match call.form.find("PolicyUsageFilter") {
        None | Some("PermissionsPolicy") => false,
        // No policy is used as a boundary.
        Some("PermissionsBoundary") => true,
        Some(_) => {
            let message = "PolicyUsageFilter is PermissionsPolicy or PermissionsBoundary";
            return Err(Error::validation("policyUsageFilter", message));
        }
    };
    let allowed = call.allow(IamTarget::Policy(arn.clone())).await?;
    let mut found = call.identities().list_entities(&allowed, call.account(), &arn, only, &page).await?;
    found.items.retain(|identity| !none && identity.path.starts_with(prefix));
    call.answer(|xml| {
        entities(xml, "PolicyGroups", "Group", IdentityKind::Group, &found.items);
        entities(xml, "PolicyUsers", "User", IdentityKind::User, &found.items);
        entities(xml, "PolicyRoles", "Role", IdentityKind::Role, &found.items);
        call.write_next(xml, found.next);
    })
}
