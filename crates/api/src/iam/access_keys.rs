//! Access keys of users.

use larder_core::access::IamTarget;
use larder_core::error::{Error, Result};
use larder_core::model::{AccessKeyId, AccessKeyStatus};
use larder_http::Response;

use super::call::{Call, user_name};

fn status_text(status: AccessKeyStatus) -> &'static str {
    match status {
        AccessKeyStatus::Active => "Active",
        AccessKeyStatus::Inactive => "Inactive",
    }
}

fn key_id(call: &Call<'_>) -> Result<AccessKeyId> {
    AccessKeyId::new(call.form.require("AccessKeyId")?).map_err(|rule| rule.in_field("accessKeyId"))
}

/// The only answer that holds the secret.
pub(super) async fn create(call: &Call<'_>) -> Result<Response> {
    let name = call.user_or_caller()?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let key = call.identities().issue_access_key(&allowed, &name.account, &user_name(&name)?).await?;
    call.answer(|xml| {
        xml.nested("AccessKey", |xml| {
            xml.text("UserName", &name.name);
            xml.text("AccessKeyId", key.id.as_str());
            xml.text("Status", status_text(key.status));
            xml.text("SecretAccessKey", key.secret.expose());
            xml.text("CreateDate", &key.created_at.rfc3339());
        });
    })
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response> {
    let name = call.user_or_caller()?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let keys = call.identities().list_access_keys(&allowed, &name.account, &user_name(&name)?).await?;
    let page = call.window(keys, |key| key.id.to_string())?;
    call.answer_page("AccessKeyMetadata", page, |xml, key| {
        xml.nested("member", |xml| {
            xml.text("UserName", &name.name);
            xml.text("AccessKeyId", key.id.as_str());
            xml.text("Status", status_text(key.status));
            xml.text("CreateDate", &key.created_at.rfc3339());
        });
    })
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response> {
    let (name, id) = (call.user_or_caller()?, key_id(call)?);
    let status = match call.form.require("Status")? {
        "Active" => AccessKeyStatus::Active,
        "Inactive" => AccessKeyStatus::Inactive,
        _ => return Err(Error::validation("status", "Status is Active or Inactive")),
    };
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let user = user_name(&name)?;
    call.identities().set_access_key_status(&allowed, name.account, user, id, status).await?;
    call.done()
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response> {
    let (name, id) = (call.user_or_caller()?, key_id(call)?);
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    let user = user_name(&name)?;
    call.identities().delete_access_key(&allowed, name.account, user, id).await?;
    call.done()
}

/// To the hour: a write for each request would cost too much. Uses of authorization tokens do not count, as in AWS.
pub(super) async fn last_used(call: &Call<'_>) -> Result<Response> {
    let id = key_id(call)?;
    let allowed = call.allow(IamTarget::Any).await?;
    let (user, last) = call.identities().find_key_use(&allowed, call.account(), &id).await?;
    call.answer(|xml| {
        xml.text("UserName", user.name.as_str());
        xml.nested("AccessKeyLastUsed", |xml| {
            xml.optional("LastUsedDate", last.as_ref().map(|last| last.at.rfc3339()).as_deref());
            let (service, region) = last.as_ref().map_or(("N/A", "N/A"), |last| (&last.service, &last.region));
            xml.text("ServiceName", service);
            xml.text("Region", region);
        });
    })
}
