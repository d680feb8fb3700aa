//! Users, groups and roles: finding, creating, renaming and deleting them.

use super::IdentityService;
use crate::access::{Allowed, ServerTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{
    AccessKey, AccessKeyId, AccountId, Identity, IdentityKind, IdentityName, KeyUse, Page, PageRequest, RoleDetails,
    Tag, User, UserName, check_identity_name, check_identity_path,
};
use crate::ports::{Change, IdentityChange, PolicyKind};

/// The most access keys of a user.
const ACCESS_KEYS: u32 = 2;

impl IdentityService {
    /// Applies a change of IAM.
    pub(super) async fn change(&self, allowed: &Allowed<ServerTarget>, change: IdentityChange) -> Result<()> {
        self.apply(allowed, Change::Identity(Box::new(change))).await
    }

    /// The user, group or role of that name.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn get_identity(&self, _allowed: &Allowed<ServerTarget>, name: &IdentityName) -> Result<Identity> {
        self.identity(name).await
    }

    pub(super) async fn identity(&self, name: &IdentityName) -> Result<Identity> {
        self.store.find_identity(name).await?.ok_or_else(|| {
            let message = format!("The {} with name {} cannot be found.", name.kind.word(), name.name);
            Error::not_found(ResourceType::Other, &name.name, message)
        })
    }

    /// Those of an account whose path begins with `prefix`, in name order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_identities(
        &self,
        _allowed: &Allowed<ServerTarget>,
        kind: IdentityKind,
        account: &AccountId,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<Identity>> {
        self.store.list_identities(kind, account, prefix, page).await
    }

    /// Creates a user with tags and without any right.
    ///
    /// # Errors
    /// [`Error::Validation`] for the path, [`Error::Conflict`] if the name is taken.
    pub async fn create_tagged_user(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        path: String,
        name: UserName,
        tags: Vec<Tag>,
    ) -> Result<User> {
        check_identity_path(&path).map_err(|rule| rule.in_field("path"))?;
        let user = User { account, path, name, id: self.secrets.user_id() };
        self.change(allowed, IdentityChange::CreateUser { user: user.clone(), tags }).await?;
        Ok(user)
    }

    /// Creates a random access key, if the user does not have two.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the user, [`Error::QuotaExceeded`].
    pub async fn issue_access_key(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        user: &UserName,
    ) -> Result<AccessKey> {
        self.add_access_key(allowed, account, user, None, Some(ACCESS_KEYS)).await
    }

    /// Whose key this is, and its last use if one is known.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`], for a key of another account too.
    pub async fn find_key_use(
        &self,
        _allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        id: &AccessKeyId,
    ) -> Result<(User, Option<KeyUse>)> {
        let key = self.store.find_access_key(id).await?.filter(|key| key.user.account == *account);
        let key = key.ok_or_else(|| {
            Error::not_found(ResourceType::Other, id.as_str(), format!("The Access Key with id {id} cannot be found."))
        })?;
        Ok((key.user, self.store.find_key_use(id).await?))
    }

    /// Creates a group.
    ///
    /// # Errors
    /// [`Error::Validation`], [`Error::Conflict`] if the name is taken.
    pub async fn create_group(
        &self,
        allowed: &Allowed<ServerTarget>,
        name: IdentityName,
        path: String,
    ) -> Result<Identity> {
        check_identity_name(&name.name, name.kind.longest_name()).map_err(|rule| rule.in_field("groupName"))?;
        check_identity_path(&path).map_err(|rule| rule.in_field("path"))?;
        let group = Identity {
            kind: IdentityKind::Group,
            account: name.account,
            id: self.secrets.group_id(),
            path,
            name: name.name,
            created_at: allowed.actor().at,
        };
        self.change(allowed, IdentityChange::CreateGroup { group: group.clone() }).await?;
        Ok(group)
    }

    /// Gives a user or group another name or path.
    ///
    /// # Errors
    /// [`Error::Validation`], [`Error::ResourceNotFound`], [`Error::Conflict`] if the name is taken.
    pub async fn rename(
        &self,
        allowed: &Allowed<ServerTarget>,
        identity: IdentityName,
        name: Option<String>,
        path: Option<String>,
    ) -> Result<()> {
        if let Some(name) = &name {
            check_identity_name(name, identity.kind.longest_name()).map_err(|rule| rule.in_field("newName"))?;
        }
        if let Some(path) = &path {
            check_identity_path(path).map_err(|rule| rule.in_field("newPath"))?;
        }
        self.change(allowed, IdentityChange::Rename { identity, name, path }).await
    }

    /// Deletes a user, group or role that nothing hangs on any more.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`], [`Error::Conflict`] while it has keys, policies, groups or members.
    pub async fn delete_identity(&self, allowed: &Allowed<ServerTarget>, identity: IdentityName) -> Result<()> {
        self.change(allowed, IdentityChange::Delete { identity }).await
    }

    /// A role with what it has besides its name.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn get_role(
        &self,
        allowed: &Allowed<ServerTarget>,
        name: &IdentityName,
    ) -> Result<(Identity, RoleDetails)> {
        let role = self.identity(name).await?;
        self.describe_roles(allowed, vec![role]).await?.pop().ok_or_else(|| {
            let message = format!("The role with name {} cannot be found.", name.name);
            Error::not_found(ResourceType::Other, &name.name, message)
        })
    }

    /// What each of these roles has besides its name; those deleted meanwhile are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn describe_roles(
        &self,
        _allowed: &Allowed<ServerTarget>,
        roles: Vec<Identity>,
    ) -> Result<Vec<(Identity, RoleDetails)>> {
        let mut described = Vec::with_capacity(roles.len());
        for role in roles {
            if let Some(details) = self.store.find_role_details(&role.id).await? {
                described.push((role, details));
            }
        }
        Ok(described)
    }

    /// Changes who may assume a role.
    ///
    /// # Errors
    /// [`Error::Validation`] for a document that is no trust policy, [`Error::ResourceNotFound`].
    pub async fn update_trust_policy(
        &self,
        allowed: &Allowed<ServerTarget>,
        role: IdentityName,
        document: String,
    ) -> Result<()> {
        self.policies.validate(PolicyKind::Trust, &document).map_err(|invalid| invalid.in_field("policyDocument"))?;
        let change = IdentityChange::UpdateRole {
            account: role.account,
            name: role.name,
            trust_policy: Some(document),
            description: None,
            max_session_seconds: None,
        };
        self.change(allowed, change).await
    }

    /// Changes a role's description or longest session; `None` leaves it.
    ///
    /// # Errors
    /// [`Error::Validation`], [`Error::ResourceNotFound`].
    pub async fn update_role(
        &self,
        allowed: &Allowed<ServerTarget>,
        role: IdentityName,
        description: Option<String>,
        max_session_seconds: Option<u64>,
    ) -> Result<()> {
        if max_session_seconds.is_some_and(|seconds| !(3600..=43_200).contains(&seconds)) {
            return Err(Error::validation("maxSessionDuration", "maxSessionDuration is 3600 to 43200 seconds"));
        }
        let (account, name) = (role.account, role.name);
        let change = IdentityChange::UpdateRole { account, name, trust_policy: None, description, max_session_seconds };
        self.change(allowed, change).await
    }

    /// Adds a user to a group or removes it.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`], [`Error::QuotaExceeded`] if the user would be in more than ten groups.
    pub async fn set_member(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        group: String,
        user: String,
        member: bool,
    ) -> Result<()> {
        self.change(allowed, IdentityChange::SetMember { account, group, user, member }).await
    }

    /// A group and its users.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn list_members(
        &self,
        _allowed: &Allowed<ServerTarget>,
        group: &IdentityName,
        page: &PageRequest,
    ) -> Result<(Identity, Page<Identity>)> {
        let group = self.identity(group).await?;
        let members = self.store.list_members(&group, page).await?;
        Ok((group, members))
    }

    /// The groups of a user, in name order.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn list_groups_of(&self, _allowed: &Allowed<ServerTarget>, user: &IdentityName) -> Result<Vec<Identity>> {
        let user = self.identity(user).await?;
        self.store.list_groups_of(&user.id).await
    }
}
