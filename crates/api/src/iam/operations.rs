//! Which operations of IAM there are, and what answers them.

use larder_core::error::Result;
use larder_core::model::IdentityKind;
use larder_core::model::IdentityKind::{Group, Role, User};
use larder_http::Response;

use super::call::Call;
use super::{
    access_keys, account, attachments, groups, inline_policies, managed_policies, providers, roles, tags, unheld, users,
};

/// Declares the table: name, and the function that answers it, with the kind of identity it is about where several share
/// one.
macro_rules! operations {
    ($($name:literal => $noun:ident::$function:ident $(($kind:ident))?,)*) => {
        /// The operation's name, if it is one.
        pub(super) fn find(action: &str) -> Option<&'static str> {
            [$($name),*].into_iter().find(|name| *name == action)
        }

        /// Answers a call.
        pub(super) async fn dispatch(call: &Call<'_>) -> Result<Response> {
            match call.operation {
                // Boxed, because the future would be as large as the largest of them all.
                $($name => Box::pin($noun::$function(call $(, $kind as IdentityKind)?)).await,)*
                other => Err(larder_core::Error::internal(format!("operation {other} is in no table"))),
            }
        }
    };
}

operations! {
    "CreateUser" => users::create,
    "GetUser" => users::get,
    "ListUsers" => users::list,
    "UpdateUser" => users::update,
    "DeleteUser" => users::delete,
    "CreateAccessKey" => access_keys::create,
    "ListAccessKeys" => access_keys::list,
    "UpdateAccessKey" => access_keys::update,
    "DeleteAccessKey" => access_keys::delete,
    "GetAccessKeyLastUsed" => access_keys::last_used,
    "CreateGroup" => groups::create,
    "GetGroup" => groups::get,
    "ListGroups" => groups::list,
    "UpdateGroup" => groups::update,
    "DeleteGroup" => groups::delete,
    "AddUserToGroup" => groups::add_user,
    "RemoveUserFromGroup" => groups::remove_user,
    "ListGroupsForUser" => groups::list_for_user,
    "CreateRole" => roles::create,
    "GetRole" => roles::get,
    "ListRoles" => roles::list,
    "UpdateRole" => roles::update,
    "UpdateRoleDescription" => roles::update_description,
    "UpdateAssumeRolePolicy" => roles::update_trust,
    "DeleteRole" => roles::delete,
    "PutUserPolicy" => inline_policies::put(User),
    "GetUserPolicy" => inline_policies::get(User),
    "ListUserPolicies" => inline_policies::list(User),
    "DeleteUserPolicy" => inline_policies::delete(User),
    "PutGroupPolicy" => inline_policies::put(Group),
    "GetGroupPolicy" => inline_policies::get(Group),
    "ListGroupPolicies" => inline_policies::list(Group),
    "DeleteGroupPolicy" => inline_policies::delete(Group),
    "PutRolePolicy" => inline_policies::put(Role),
    "GetRolePolicy" => inline_policies::get(Role),
    "ListRolePolicies" => inline_policies::list(Role),
    "DeleteRolePolicy" => inline_policies::delete(Role),
    "AttachUserPolicy" => attachments::attach(User),
    "DetachUserPolicy" => attachments::detach(User),
    "ListAttachedUserPolicies" => attachments::list(User),
    "AttachGroupPolicy" => attachments::attach(Group),
    "DetachGroupPolicy" => attachments::detach(Group),
    "ListAttachedGroupPolicies" => attachments::list(Group),
    "AttachRolePolicy" => attachments::attach(Role),
    "DetachRolePolicy" => attachments::detach(Role),
    "ListAttachedRolePolicies" => attachments::list(Role),
    "ListEntitiesForPolicy" => attachments::list_entities,
    "CreatePolicy" => managed_policies::create,
    "GetPolicy" => managed_policies::get,
    "ListPolicies" => managed_policies::list,
    "DeletePolicy" => managed_policies::delete,
    "CreatePolicyVersion" => managed_policies::create_version,
    "GetPolicyVersion" => managed_policies::get_version,
    "ListPolicyVersions" => managed_policies::list_versions,
    "SetDefaultPolicyVersion" => managed_policies::set_default_version,
    "DeletePolicyVersion" => managed_policies::delete_version,
    "CreateOpenIDConnectProvider" => providers::create,
    "GetOpenIDConnectProvider" => providers::get,
    "ListOpenIDConnectProviders" => providers::list,
    "DeleteOpenIDConnectProvider" => providers::delete,
    "AddClientIDToOpenIDConnectProvider" => providers::add_client,
    "RemoveClientIDFromOpenIDConnectProvider" => providers::remove_client,
    "UpdateOpenIDConnectProviderThumbprint" => providers::update_thumbprints,
    "TagUser" => tags::tag_identity(User),
    "UntagUser" => tags::untag_identity(User),
    "ListUserTags" => tags::list_identity(User),
    "TagRole" => tags::tag_identity(Role),
    "UntagRole" => tags::untag_identity(Role),
    "ListRoleTags" => tags::list_identity(Role),
    "TagPolicy" => tags::tag_policy,
    "UntagPolicy" => tags::untag_policy,
    "ListPolicyTags" => tags::list_policy,
    "TagOpenIDConnectProvider" => tags::tag_provider,
    "UntagOpenIDConnectProvider" => tags::untag_provider,
    "ListOpenIDConnectProviderTags" => tags::list_provider,
    "ListAccountAliases" => account::list_aliases,
    "ListInstanceProfilesForRole" => unheld::list_instance_profiles,
    "ListSSHPublicKeys" => unheld::list_ssh_keys,
    "ListMFADevices" => unheld::list_devices,
    "ListVirtualMFADevices" => unheld::list_virtual_devices,
    "ListSigningCertificates" => unheld::list_certificates,
    "ListServiceSpecificCredentials" => unheld::list_service_credentials,
    "GetLoginProfile" => unheld::password,
    "DeleteLoginProfile" => unheld::password,
    "PutUserPermissionsBoundary" => unheld::put_boundary(User),
    "PutRolePermissionsBoundary" => unheld::put_boundary(Role),
    "DeleteUserPermissionsBoundary" => unheld::delete_boundary(User),
    "DeleteRolePermissionsBoundary" => unheld::delete_boundary(Role),
}
