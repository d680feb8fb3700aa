//! Changes: each runs in one transaction, with its journal records, and moves the control generation if what it touches
//! decides about rights or the upstream graph.

use std::sync::Arc;

use async_trait::async_trait;
use larder_core::access::RequestNotes;
use larder_core::model::{Actor, TagHolder};
use larder_core::ports::{Applied, Change, MetadataStore};
use larder_core::{Error, Result};

use super::{Store, Transaction};
use crate::sql::{Conn, Work, params, statements};

statements! {
    GENERATION = "SELECT generation FROM control WHERE id = 1";
    NEXT_GENERATION = "UPDATE control SET generation = generation + 1 WHERE id = 1";
    PING = "SELECT id FROM control WHERE id = 1";
}

struct Apply {
    actor: Actor,
    change: Change,
    region: Arc<str>,
}

impl Work for Apply {
    /// And whether a journal record tells of it.
    type Output = (Applied, bool);

    async fn run(&self, conn: &mut Conn) -> Result<(Applied, bool)> {
        let mut transaction = Transaction { conn, actor: &self.actor, region: &self.region, recorded: false };
        // Boxed, because the futures of the larger changes are large.
        let applied = Box::pin(transaction.apply(&self.change)).await?;
        Ok((applied, transaction.recorded))
    }
}

#[async_trait]
impl MetadataStore for Store {
    async fn apply(&self, actor: &Actor, change: Change) -> Result<Applied> {
        let deletes = matches!(change, Change::DeleteRepository { .. });
        let work = Apply { actor: actor.clone(), change, region: Arc::clone(&self.region) };
        let (applied, recorded) = self.database.write(work).await?;
        if recorded {
            RequestNotes::note_written();
        }
        if deletes {
            self.purge_in_background();
        }
        Ok(applied)
    }

    async fn epoch(&self) -> Result<u64> {
        self.database.epoch().await
    }

    async fn control_generation(&self) -> Result<u64> {
        let generation = self.database.read().await?.find(&GENERATION, params![], |row| row.unsigned(0)).await?;
        generation.ok_or_else(|| Error::internal("table control has no row"))
    }

    async fn ping(&self) -> Result<()> {
        self.database.read().await?.find(&PING, params![], |_| Ok(())).await.map(drop)
    }
}

/// Whether a change moves the control generation.
fn is_control(change: &Change) -> bool {
    match change {
        Change::CreateAccount { .. }
        | Change::CreateUser { .. }
        | Change::DeleteUser { .. }
        | Change::CreateAccessKey { .. }
        | Change::SetAccessKeyStatus { .. }
        | Change::DeleteAccessKey { .. }
        | Change::PutUserPolicy { .. }
        | Change::DeleteUserPolicy { .. }
        | Change::CreateRole(_)
        | Change::DeleteRole { .. }
        | Change::PutRolePolicy { .. }
        | Change::CreateIdentityProvider { .. }
        | Change::DeleteIdentityProvider { .. }
        | Change::Identity(_)
        | Change::DeleteToken { .. }
        | Change::CreateDomain { .. }
        | Change::DeleteDomain { .. }
        | Change::PutDomainPolicy { .. }
        | Change::CreateRepository(_)
        | Change::UpdateRepository { .. }
        | Change::DeleteRepository { .. }
        | Change::AssociateExternalConnection { .. }
        | Change::DisassociateExternalConnection { .. }
        | Change::PutRepositoryPolicy { .. }
        | Change::CreatePackageGroup(_)
        | Change::UpdatePackageGroup { .. }
        | Change::UpdatePackageGroupOrigin(_)
        | Change::DeletePackageGroup { .. }
        | Change::Tag { .. }
        | Change::Untag { .. } => true,
        Change::CreateSession { .. }
        | Change::CreateToken { .. }
        | Change::Publish(_)
        | Change::PublishAs(_)
        | Change::Retain { .. }
        | Change::PutOriginRestrictions { .. }
        | Change::DeletePackage { .. }
        | Change::PutTag { .. }
        | Change::PutVersionMetadata { .. }
        | Change::DeleteAsset { .. }
        | Change::UpdateVersionsStatus { .. }
        | Change::DisposeVersions { .. }
        | Change::DeleteVersions { .. }
        | Change::CopyVersions { .. } => false,
    }
}

impl Transaction<'_> {
    async fn apply(&mut self, change: &Change) -> Result<Applied> {
        if is_control(change) {
            // First, because it makes such changes wait for each other: what they check stays true until they end.
            self.conn.execute(&NEXT_GENERATION, params![]).await?;
            if let Change::UpdatePackageGroupOrigin(update) = change {
                return self.update_package_group_origin(update).await.map(Applied::AllowedRepositories);
            }
            Box::pin(self.apply_control(change)).await.map(|()| Applied::Done)
        } else {
            Box::pin(self.apply_package(change)).await
        }
    }

    async fn apply_control(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::CreateAccount { account } => self.create_account(account).await,
            Change::CreateUser { user } => self.create_user(user).await,
            Change::DeleteUser { account, name } => self.delete_user(account, name).await,
            Change::CreateAccessKey { key, limit } => self.create_access_key(key, *limit).await,
            Change::SetAccessKeyStatus { account, user, id, status } => {
                self.set_access_key_status(account, user, id, *status).await
            }
            Change::DeleteAccessKey { account, user, id } => self.delete_access_key(account, user, id).await,
            Change::PutUserPolicy { account, user, policy, document } => {
                self.put_user_policy(account, user, policy, document).await
            }
            Change::DeleteUserPolicy { account, user, policy } => self.delete_user_policy(account, user, policy).await,
            Change::CreateRole(new) => self.create_role(new).await,
            Change::DeleteRole { account, name } => self.delete_role(account, name).await,
            Change::PutRolePolicy { account, role, policy, document } => {
                self.put_role_policy(account, role, policy, document.as_deref()).await
            }
            Change::CreateIdentityProvider { account, provider, thumbprints, tags } => {
                self.create_identity_provider(account, provider).await?;
                if !thumbprints.is_empty() {
                    self.put_thumbprints(&provider.arn, thumbprints).await?;
                }
                if tags.is_empty() {
                    return Ok(());
                }
                self.tag_holder(&TagHolder::Provider(provider.arn.clone()), tags).await
            }
            Change::DeleteIdentityProvider { arn } => self.delete_identity_provider(arn).await,
            Change::Identity(change) => Box::pin(self.apply_identity(change)).await,
            Change::DeleteToken { principal, id } => self.delete_token(principal, id).await,
            Change::CreateDomain { domain, tags, limit } => self.create_domain(domain, tags, *limit).await,
            Change::DeleteDomain { domain } => self.delete_domain(*domain).await,
            Change::PutDomainPolicy { domain, expected, document } => {
                self.put_domain_policy(*domain, expected.as_ref(), document.as_ref()).await
            }
            Change::CreateRepository(new) => self.create_repository(new).await,
            Change::UpdateRepository { repository, description, upstreams } => {
                self.update_repository(*repository, description.as_ref(), upstreams.as_ref()).await
            }
            Change::DeleteRepository { repository } => self.delete_repository(*repository).await,
            Change::AssociateExternalConnection { repository, connection } => {
                self.associate(*repository, *connection).await
            }
            Change::DisassociateExternalConnection { repository, connection } => {
                self.disassociate(*repository, *connection).await
            }
            Change::PutRepositoryPolicy { repository, expected, document } => {
                self.put_repository_policy(*repository, expected.as_ref(), document.as_ref()).await
            }
            Change::CreatePackageGroup(new) => self.create_package_group(new).await,
            Change::UpdatePackageGroup { domain, pattern, contact_info, description } => {
                self.update_package_group(*domain, pattern, contact_info.as_ref(), description.as_ref()).await
            }
            Change::DeletePackageGroup { domain, pattern } => self.delete_package_group(*domain, pattern).await,
            Change::Tag { resource, tags } => self.tag(resource, tags).await,
            Change::Untag { resource, keys } => self.untag(resource, keys).await,
            other => Err(Error::internal(format!("not a change of the control plane: {other:?}"))),
        }
    }

    async fn apply_package(&mut self, change: &Change) -> Result<Applied> {
        match change {
            Change::CreateSession { session, spent } => self.create_session(session, spent.as_ref()).await?,
            Change::CreateToken { token } => self.create_token(token).await?,
            Change::Publish(publication) => return self.publish(publication).await.map(Applied::Published),
            Change::PublishAs(wanted) => self.publish_as(wanted).await?,
            Change::Retain { repository, source, restrictions } => {
                self.retain(*repository, *source, *restrictions).await?;
            }
            Change::PutOriginRestrictions { repository, package, restrictions } => {
                self.put_origin_restrictions(*repository, package, *restrictions).await?;
            }
            Change::DeletePackage { package } => self.delete_package(*package).await?,
            Change::PutTag { package, tag, version } => self.put_tag(*package, tag, version.as_ref()).await?,
            Change::PutVersionMetadata { version, expected, metadata } => {
                self.put_version_metadata(*version, expected, metadata).await?;
            }
            Change::DeleteAsset { version, expected, asset } => self.delete_asset(*version, expected, asset).await?,
            Change::UpdateVersionsStatus { package, selection, target } => {
                return self.update_versions_status(*package, selection, *target).await.map(Applied::Versions);
            }
            Change::DisposeVersions { package, selection } => {
                return self.dispose_versions(*package, selection).await.map(Applied::Versions);
            }
            Change::DeleteVersions { package, selection } => {
                return self.delete_versions(*package, selection).await.map(Applied::Versions);
            }
            Change::CopyVersions { sources, destination, package, allow_overwrite, restrictions } => {
                let copied = self.copy_versions(sources, *destination, package, *allow_overwrite, *restrictions);
                return copied.await.map(Applied::Versions);
            }
            other => return Err(Error::internal(format!("not a change of packages: {other:?}"))),
        }
        Ok(Applied::Done)
    }
}
