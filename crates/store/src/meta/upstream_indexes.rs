//! Index documents of public registries, as last seen. A cache: not journaled, replaced in place.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::model::{ExternalConnection, PackageKey, RepositoryId, Sha256, Timestamp};
use larder_core::ports::{Sightings, StoredIndex, UpstreamIndexes};
use larder_core::{Error, Result};
use sha2::{Digest as _, Sha256 as Hasher};

use super::Store;
use crate::sql::{Conn, Row, Value, Work, params, statements};

statements! {
    FIND = "
        SELECT b.body, i.content_type, i.etag, i.last_modified, i.checked_at, i.revision
          FROM upstream_index i LEFT JOIN upstream_index_body b ON b.index_id = i.id
         WHERE i.repository_id = $1 AND i.connection = $2 AND i.format = $3 AND i.namespace = $4 AND i.name = $5";
    /// The revision rises with a change of the body. The row's id and whether it is the first or rose.
    PUT = "
        INSERT INTO upstream_index (repository_id, connection, format, namespace, name, body_sha256, content_type,
                                    etag, last_modified, checked_at, revision)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)
        ON CONFLICT (repository_id, connection, format, namespace, name) DO UPDATE
           SET revision = upstream_index.revision
                          + CASE WHEN upstream_index.body_sha256 IS NOT DISTINCT FROM excluded.body_sha256
                                 THEN 0 ELSE 1 END,
               body_sha256 = excluded.body_sha256, content_type = excluded.content_type, etag = excluded.etag,
               last_modified = excluded.last_modified, checked_at = excluded.checked_at
        RETURNING id, revision";
    /// The revision of the body that is stored, which the row's may be ahead of until the transaction ends.
    BODY_REVISION = "SELECT revision FROM upstream_index_body WHERE index_id = $1";
    PUT_BODY = "
        INSERT INTO upstream_index_body (index_id, revision, body) VALUES ($1, $2, $3)
        ON CONFLICT (index_id) DO UPDATE SET revision = excluded.revision, body = excluded.body";
    FIND_SIGHTINGS = "
        SELECT s.versions
          FROM upstream_index i JOIN upstream_sighting s ON s.index_id = i.id
         WHERE i.repository_id = $1 AND i.connection = $2 AND i.format = $3 AND i.namespace = $4 AND i.name = $5";
    FIND_ID = "
        SELECT id FROM upstream_index
         WHERE repository_id = $1 AND connection = $2 AND format = $3 AND namespace = $4 AND name = $5";
    PUT_SIGHTINGS = "
        INSERT INTO upstream_sighting (index_id, versions) VALUES ($1, $2)
        ON CONFLICT (index_id) DO UPDATE SET versions = excluded.versions";
    DELETE_BODY = "DELETE FROM upstream_index_body WHERE index_id = $1";
}

fn key_values(repository: RepositoryId, connection: ExternalConnection, key: &PackageKey) -> [Value<'_>; 5] {
    [
        Value::from(repository),
        Value::from(connection.name()),
        Value::from(key.format().as_str()),
        Value::from(key.namespace().unwrap_or("")),
        Value::from(key.name()),
    ]
}

fn read_index(row: &Row<'_>) -> Result<StoredIndex> {
    Ok(StoredIndex {
        body: row.optional_bytes(0)?.map(Bytes::copy_from_slice),
        content_type: row.text(1)?.to_owned(),
        etag: row.optional_text(2)?.map(str::to_owned),
        last_modified: row.optional_text(3)?.map(str::to_owned),
        checked_at: Timestamp(row.integer(4)?),
        revision: row.integer(5)?,
    })
}

/// Stores a document, unless it is the same only confirmed: then its body is not written again.
struct PutIndex {
    repository: RepositoryId,
    connection: ExternalConnection,
    key: PackageKey,
    index: StoredIndex,
    sha256: Option<Sha256>,
}

impl Work for PutIndex {
    type Output = i64;

    async fn run(&self, conn: &mut Conn) -> Result<i64> {
        let [repository, connection, format, namespace, name] = key_values(self.repository, self.connection, &self.key);
        let index = &self.index;
        let values = [
            repository,
            connection,
            format,
            namespace,
            name,
            Value::from(self.sha256.as_ref()),
            Value::from(&index.content_type),
            Value::from(index.etag.as_ref()),
            Value::from(index.last_modified.as_ref()),
            Value::from(index.checked_at),
        ];
        let found = conn.find(&PUT, &values, |row| Ok((row.integer(0)?, row.integer(1)?))).await?;
        let (id, revision) = found.ok_or_else(|| Error::internal("an index was not stored"))?;
        match &index.body {
            None => {
                conn.execute(&DELETE_BODY, params![id]).await?;
            }
            Some(body) => {
                let stored = conn.find(&BODY_REVISION, params![id], |row| row.integer(0)).await?;
                if stored != Some(revision) {
                    conn.execute(&PUT_BODY, params![id, revision, &**body]).await?;
                }
            }
        }
        Ok(revision)
    }
}

/// Keeps since when versions are known.
struct PutSightings {
    repository: RepositoryId,
    connection: ExternalConnection,
    key: PackageKey,
    versions: String,
}

impl Work for PutSightings {
    type Output = ();

    async fn run(&self, conn: &mut Conn) -> Result<()> {
        let values = key_values(self.repository, self.connection, &self.key);
        if let Some(id) = conn.find(&FIND_ID, &values, |row| row.integer(0)).await? {
            conn.execute(&PUT_SIGHTINGS, params![id, &self.versions]).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl UpstreamIndexes for Store {
    async fn find_index(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        key: &PackageKey,
    ) -> Result<Option<StoredIndex>> {
        let mut conn = self.database.read().await?;
        conn.find(&FIND, &key_values(repository, connection, key), read_index).await
    }

    async fn put_index(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        key: &PackageKey,
        index: &StoredIndex,
    ) -> Result<StoredIndex> {
        let sha256 = index.body.as_ref().map(|body| Sha256(Hasher::digest(body).into()));
        let work = PutIndex { repository, connection, key: key.clone(), index: index.clone(), sha256 };
        let revision = self.database.write(work).await?;
        Ok(StoredIndex { revision, ..index.clone() })
    }

    async fn find_sightings(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        key: &PackageKey,
    ) -> Result<Sightings> {
        let mut conn = self.database.read().await?;
        let read = |row: &Row<'_>| Ok(row.text(0)?.to_owned());
        let Some(versions) = conn.find(&FIND_SIGHTINGS, &key_values(repository, connection, key), read).await? else {
            return Ok(Sightings::new());
        };
        let versions: BTreeMap<String, i64> = serde_json::from_str(&versions).map_err(Error::internal)?;
        Ok(versions.into_iter().map(|(version, at)| (version, Timestamp(at))).collect())
    }

    async fn put_sightings(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        key: &PackageKey,
        sightings: &Sightings,
    ) -> Result<()> {
        let versions: BTreeMap<&str, i64> = sightings.iter().map(|(version, at)| (version.as_str(), at.0)).collect();
        let versions = serde_json::to_string(&versions).map_err(Error::internal)?;
        let work = PutSightings { repository, connection, key: key.clone(), versions };
        self.database.write(work).await
    }
}
