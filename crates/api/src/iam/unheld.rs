//! What users and roles of AWS may have and nobody has here: passwords, devices, keys and certificates of other services,
//! instance profiles, boundaries. Lists of it are empty, and what is to be deleted is not there: Terraform asks for each
//! before it deletes a user or a role.

use larder_core::access::IamTarget;
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{IdentityKind, IdentityName};
use larder_http::Response;

use super::call::Call;

/// An empty list, about a user or role that is there.
async fn nothing(call: &Call<'_>, name: IdentityName, list: &str) -> Result<Response> {
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().get_identity(&allowed, &name).await?;
    empty(call, list)
}

fn empty(call: &Call<'_>, list: &str) -> Result<Response> {
    call.page()?;
    call.answer(|xml| {
        xml.nested(list, |_| {});
        xml.text("IsTruncated", "false");
    })
}

/// It is not there, whether the user or role is or not.
async fn not_there(call: &Call<'_>, name: IdentityName, what: &str) -> Result<Response> {
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().get_identity(&allowed, &name).await?;
    let message = format!("{what} for {} {} cannot be found.", name.kind.word(), name.name);
    Err(Error::not_found(ResourceType::Other, &name.name, message))
}

pub(super) async fn list_instance_profiles(call: &Call<'_>) -> Result<Response> {
    nothing(call, call.name(IdentityKind::Role)?, "InstanceProfiles").await
}

pub(super) async fn list_ssh_keys(call: &Call<'_>) -> Result<Response> {
    nothing(call, call.user_or_caller()?, "SSHPublicKeys").await
}

pub(super) async fn list_devices(call: &Call<'_>) -> Result<Response> {
    nothing(call, call.user_or_caller()?, "MFADevices").await
}

pub(super) async fn list_virtual_devices(call: &Call<'_>) -> Result<Response> {
    call.allow(IamTarget::Any).await?;
    empty(call, "VirtualMFADevices")
}

pub(super) async fn list_certificates(call: &Call<'_>) -> Result<Response> {
    nothing(call, call.user_or_caller()?, "Certificates").await
}

pub(super) async fn list_service_credentials(call: &Call<'_>) -> Result<Response> {
    nothing(call, call.user_or_caller()?, "ServiceSpecificCredentials").await
}

pub(super) async fn password(call: &Call<'_>) -> Result<Response> {
    not_there(call, call.user_or_caller()?, "Login Profile").await
}

/// Refused in the words of the calls that create something with a boundary.
pub(super) async fn put_boundary(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    let name = call.name(kind)?;
    let allowed = call.allow(IamTarget::Identity(name.clone())).await?;
    call.identities().get_identity(&allowed, &name).await?;
    call.form.require("PermissionsBoundary")?;
    call.refuse_boundary()?;
    call.done()
}

pub(super) async fn delete_boundary(call: &Call<'_>, kind: IdentityKind) -> Result<Response> {
    not_there(call, call.name(kind)?, "Permissions boundary").await
}
