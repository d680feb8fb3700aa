//! Tags of users, roles, managed policies and OpenID Connect providers.

use larder_core::error::ResourceType;
use larder_core::model::{IdentityKind, Tag, TagHolder};
use larder_core::{Error, Result};

use super::{Transaction, identities, identity_providers, managed_policies};
use crate::sql::{Conn, Row, Sql, params, statements};

/// The most tags of one of them.
const TAGS: usize = 50;

macro_rules! tag {
    (list $table:literal, $owner:literal) => {
        concat!("SELECT key, value FROM ", $table, " WHERE ", $owner, " = $1 ORDER BY key")
    };
    (put $table:literal, $owner:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (",
            $owner,
            ", key, value) VALUES ($1, $2, $3) ON CONFLICT (",
            $owner,
            ", key) DO UPDATE SET value = excluded.value"
        )
    };
    (delete $table:literal, $owner:literal) => {
        concat!("DELETE FROM ", $table, " WHERE ", $owner, " = $1 AND key = $2")
    };
}

statements! {
    LIST_OF_USER = tag!(list "user_tag", "user_id");
    LIST_OF_ROLE = tag!(list "role_tag", "role_id");
    LIST_OF_POLICY = tag!(list "managed_policy_tag", "policy_arn");
    LIST_OF_PROVIDER = tag!(list "oidc_provider_tag", "provider_arn");
    PUT_OF_USER = tag!(put "user_tag", "user_id");
    PUT_OF_ROLE = tag!(put "role_tag", "role_id");
    PUT_OF_POLICY = tag!(put "managed_policy_tag", "policy_arn");
    PUT_OF_PROVIDER = tag!(put "oidc_provider_tag", "provider_arn");
    DELETE_OF_USER = tag!(delete "user_tag", "user_id");
    DELETE_OF_ROLE = tag!(delete "role_tag", "role_id");
    DELETE_OF_POLICY = tag!(delete "managed_policy_tag", "policy_arn");
    DELETE_OF_PROVIDER = tag!(delete "oidc_provider_tag", "provider_arn");
}

/// Where the tags of one thing stand.
struct Place {
    /// Its id or ARN, as its table of tags has it.
    owner: String,
    /// As the journal names it.
    resource: String,
    list: &'static Sql,
    put: &'static Sql,
    delete: &'static Sql,
}

async fn find_place(conn: &mut Conn, holder: &TagHolder) -> Result<Option<Place>> {
    Ok(match holder {
        TagHolder::Identity(name) => {
            let Some(identity) = identities::find(conn, name).await? else { return Ok(None) };
            let (list, put, delete) = match name.kind {
                IdentityKind::User => (&LIST_OF_USER, &PUT_OF_USER, &DELETE_OF_USER),
                IdentityKind::Role => (&LIST_OF_ROLE, &PUT_OF_ROLE, &DELETE_OF_ROLE),
                IdentityKind::Group => return Ok(None),
            };
            Some(Place { resource: identity.arn().to_string(), owner: identity.id, list, put, delete })
        }
        TagHolder::Policy(arn) => managed_policies::find(conn, arn).await?.map(|policy| Place {
            resource: policy.arn.clone(),
            owner: policy.arn,
            list: &LIST_OF_POLICY,
            put: &PUT_OF_POLICY,
            delete: &DELETE_OF_POLICY,
        }),
        TagHolder::Provider(arn) => identity_providers::find(conn, arn).await?.map(|provider| Place {
            resource: provider.arn.clone(),
            owner: provider.arn,
            list: &LIST_OF_PROVIDER,
            put: &PUT_OF_PROVIDER,
            delete: &DELETE_OF_PROVIDER,
        }),
    })
}

fn read(row: &Row<'_>) -> Result<Tag> {
    Ok(Tag { key: row.text(0)?.to_owned(), value: row.text(1)?.to_owned() })
}

async fn list(conn: &mut Conn, place: &Place) -> Result<Vec<Tag>> {
    conn.list(place.list, params![&place.owner], read).await
}

/// The tags of a user with this id.
pub(super) async fn list_of_user(conn: &mut Conn, user_id: &str) -> Result<Vec<Tag>> {
    conn.list(&LIST_OF_USER, params![user_id], read).await
}

/// The tags of something; none if it is not there.
pub(super) async fn list_of(conn: &mut Conn, holder: &TagHolder) -> Result<Vec<Tag>> {
    match find_place(conn, holder).await? {
        Some(place) => list(conn, &place).await,
        None => Ok(Vec::new()),
    }
}

/// Tags as the journal tells them.
fn told(tags: &[Tag]) -> String {
    let pairs: Vec<_> = tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect();
    format!("tags=[{}]", pairs.join(","))
}

impl Transaction<'_> {
    /// The tags that a user is created with.
    pub(super) async fn add_user_tags(&mut self, user_id: &str, tags: &[Tag]) -> Result<()> {
        for tag in tags {
            self.conn.execute(&PUT_OF_USER, params![user_id, &tag.key, &tag.value]).await?;
        }
        Ok(())
    }

    async fn get_tag_place(&mut self, holder: &TagHolder) -> Result<Place> {
        find_place(self.conn, holder).await?.ok_or_else(|| {
            let (kind, name) = match holder {
                TagHolder::Identity(name) => (name.kind.word(), &name.name),
                TagHolder::Policy(arn) => ("policy", arn),
                TagHolder::Provider(arn) => ("OpenIDConnect provider", arn),
            };
            Error::not_found(ResourceType::Other, name, format!("The {kind} with name {name} cannot be found."))
        })
    }

    pub(super) async fn tag_holder(&mut self, holder: &TagHolder, tags: &[Tag]) -> Result<()> {
        let place = self.get_tag_place(holder).await?;
        let before = list(self.conn, &place).await?;
        for tag in tags {
            // Keys that differ in case only are one (IAM User Guide, Tags for IAM resources).
            let renamed = before.iter().filter(|old| old.key != tag.key && old.key.eq_ignore_ascii_case(&tag.key));
            for old in renamed {
                self.conn.execute(place.delete, params![&place.owner, &old.key]).await?;
            }
            self.conn.execute(place.put, params![&place.owner, &tag.key, &tag.value]).await?;
        }
        let after = list(self.conn, &place).await?;
        if after.len() > TAGS {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                resource_id: place.resource,
                message: format!("The number of tags has reached the maximum limit: {TAGS}"),
            });
        }
        self.record(&place.resource, Some(&told(&before)), Some(&told(&after))).await
    }

    pub(super) async fn untag_holder(&mut self, holder: &TagHolder, keys: &[String]) -> Result<()> {
        let place = self.get_tag_place(holder).await?;
        let before = list(self.conn, &place).await?;
        for key in keys {
            self.conn.execute(place.delete, params![&place.owner, key]).await?;
        }
        let after = list(self.conn, &place).await?;
        self.record(&place.resource, Some(&told(&before)), Some(&told(&after))).await
    }
}
