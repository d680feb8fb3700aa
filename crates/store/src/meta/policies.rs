//! Policies: inline ones of users, and the resource policies of domains and repositories.

use std::sync::Arc;

use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{AccountId, DomainId, RepositoryId, Revision, User, UserName};
use larder_core::{Error, Result};

use super::{Transaction, domains, repositories};
use crate::sql::{Conn, Row, params, statements};

statements! {
    LIST_OF_USER = "SELECT name, document FROM user_policy WHERE user_id = $1 ORDER BY name";
    FIND_OF_USER = "SELECT document FROM user_policy WHERE user_id = $1 AND name = $2";
    PUT_OF_USER = "
        INSERT INTO user_policy (user_id, name, document) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, name) DO UPDATE SET document = excluded.document";
    DELETE_OF_USER = "DELETE FROM user_policy WHERE user_id = $1 AND name = $2";
    PUT_OF_DOMAIN = "UPDATE domain SET policy = $2, policy_revision = $3 WHERE id = $1";
    PUT_OF_REPOSITORY = "UPDATE repository SET policy = $2, policy_revision = $3 WHERE id = $1";
}

/// Name and document, in name order.
pub(super) async fn list_of_user(conn: &mut Conn, user: &User) -> Result<Vec<(String, Arc<str>)>> {
    let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), Arc::from(row.text(1)?)));
    conn.list(&LIST_OF_USER, params![&user.id], read).await
}

/// The two columns of a resource policy.
pub(super) fn read_policy(row: &Row<'_>, text: usize, revision: usize) -> Result<Option<(Arc<str>, Revision)>> {
    match (row.optional_text(text)?, row.optional_text(revision)?) {
        (Some(text), Some(revision)) => Ok(Some((Arc::from(text), Revision(revision.to_owned())))),
        _ => Ok(None),
    }
}

/// The revision of an inline policy, as the journal tells it: AWS gives these none.
fn document_revision(document: &str) -> Revision {
    Revision::of([document.as_bytes()])
}

/// Reference 2.12: `expected`, when given, must be the current revision.
fn check_revision(resource: &str, current: Option<&Revision>, expected: Option<&Revision>) -> Result<()> {
    if expected.is_none() || expected == current {
        return Ok(());
    }
    let (current, expected) = (current.map_or("none", Revision::as_str), expected.map_or("", Revision::as_str));
    let message = format!("the policy was changed: current revision: {current}, expected revision: {expected}");
    Err(Error::conflict(ConflictKind::Revision, ResourceType::Other, resource, message))
}

impl Transaction<'_> {
    async fn find_policy_of_user(&mut self, user: &User, policy: &str) -> Result<Option<Revision>> {
        let read = |row: &Row<'_>| Ok(document_revision(row.text(0)?));
        self.conn.find(&FIND_OF_USER, params![&user.id, policy], read).await
    }

    pub(super) async fn put_user_policy(
        &mut self,
        account: &AccountId,
        name: &UserName,
        policy: &str,
        document: &str,
    ) -> Result<()> {
        let user = self.get_user(account, name).await?;
        let before = self.find_policy_of_user(&user, policy).await?;
        self.conn.execute(&PUT_OF_USER, params![&user.id, policy, document]).await?;
        let resource = format!("{}/policy/{policy}", user.arn());
        let after = document_revision(document);
        self.record(&resource, before.as_ref().map(Revision::as_str), Some(after.as_str())).await
    }

    pub(super) async fn delete_user_policy(
        &mut self,
        account: &AccountId,
        name: &UserName,
        policy: &str,
    ) -> Result<()> {
        let user = self.get_user(account, name).await?;
        let before = self.find_policy_of_user(&user, policy).await?;
        if self.conn.execute(&DELETE_OF_USER, params![&user.id, policy]).await? == 0 {
            let message = format!("The user policy with name {policy} cannot be found.");
            return Err(Error::not_found(ResourceType::Other, policy, message));
        }
        let resource = format!("{}/policy/{policy}", user.arn());
        self.record(&resource, before.as_ref().map(Revision::as_str), None).await
    }

    pub(super) async fn put_domain_policy(
        &mut self,
        id: DomainId,
        expected: Option<&Revision>,
        document: Option<&(String, Revision)>,
    ) -> Result<()> {
        let domain = self.get_domain(id).await?;
        let current = domain.policy.as_ref().map(|(_, revision)| revision);
        check_revision(domain.name.as_str(), current, expected)?;
        if document.is_none() && current.is_none() {
            let message = format!("No policy found for (domain): ({})", domain.name);
            return Err(Error::not_found(ResourceType::Other, domain.name.as_str(), message));
        }
        let (text, revision) = document.map(|(text, revision)| (text, revision.as_str())).unzip();
        self.conn.execute(&PUT_OF_DOMAIN, params![id, text, revision]).await?;
        let resource = format!("{}#policy", domains::arn(self.region, &domain));
        self.record(&resource, current.map(Revision::as_str), revision).await
    }

    pub(super) async fn put_repository_policy(
        &mut self,
        id: RepositoryId,
        expected: Option<&Revision>,
        document: Option<&(String, Revision)>,
    ) -> Result<()> {
        let repository = self.get_repository(id).await?;
        let current = repository.policy.as_ref().map(|(_, revision)| revision);
        check_revision(repository.name.as_str(), current, expected)?;
        if document.is_none() && current.is_none() {
            let message = format!("No policy found for (repository): ({})", repository.name);
            return Err(Error::not_found(ResourceType::Other, repository.name.as_str(), message));
        }
        let (text, revision) = document.map(|(text, revision)| (text, revision.as_str())).unzip();
        self.conn.execute(&PUT_OF_REPOSITORY, params![id, text, revision]).await?;
        let resource = format!("{}#policy", repositories::arn(self.region, &repository));
        self.record(&resource, current.map(Revision::as_str), revision).await
    }
}
