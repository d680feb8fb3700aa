//! Assets, the blobs they refer to, and what those add up to per domain.
//!
//! A blob's row counts the assets that refer to it, so that a domain's size counts it once and `gc` finds out with one
//! look whether it is still needed. Whoever adds or removes assets does it here.

use larder_core::model::{Asset, AssetKind, AssetName, Digests, DomainId, PackageId, Sha256, VersionId};
use larder_core::{Error, Result};

use super::Transaction;
use crate::sql::{Conn, Row, corrupt, params, statements};

/// Into how many rows a domain's size is split.
const SHARDS: u8 = 16;

/// Columns of an asset, read by [`read_asset`].
macro_rules! asset {
    ($rest:literal) => {
        concat!(
            "SELECT a.version_id, a.name, a.kind, a.size_bytes, a.md5, a.sha1, a.sha256, a.sha512, a.metadata FROM ",
            $rest
        )
    };
}

/// Lowers the counts of the blobs that some assets of a domain refer to. The domain is a column of what is joined, not
/// a condition on the blobs: SQLite would go through all blobs of the domain.
macro_rules! release {
    ($assets:literal) => {
        concat!(
            "UPDATE blob SET asset_count = blob.asset_count - gone.assets
               FROM (SELECT CAST($1 AS BIGINT) AS domain_id, a.sha256 AS sha256, COUNT(*) AS assets FROM ",
            $assets,
            " GROUP BY a.sha256) AS gone
              WHERE blob.domain_id = gone.domain_id AND blob.sha256 = gone.sha256"
        )
    };
}

statements! {
    LIST_OF_VERSION = asset!("asset a WHERE a.version_id = $1 ORDER BY a.name");
    LIST_OF_PACKAGE = asset!("
        package_version v JOIN asset a ON a.version_id = v.id WHERE v.package_id = $1");
    PAGE_OF_VERSION = asset!("
        asset a WHERE a.version_id = $1 AND a.name > $2 AND a.kind = 'asset' ORDER BY a.name LIMIT $3");
    CREATE = "
        INSERT INTO asset (version_id, name, kind, size_bytes, md5, sha1, sha256, sha512, metadata)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    DELETE_ONE = "DELETE FROM asset WHERE version_id = $1 AND name = $2";
    DELETE_OF_VERSION = "DELETE FROM asset WHERE version_id = $1";

    REFER = "
        INSERT INTO blob (domain_id, sha256, size_bytes, usage_shard, asset_count) VALUES ($1, $2, $3, $4, 1)
        ON CONFLICT (domain_id, sha256) DO UPDATE SET asset_count = blob.asset_count + 1
        RETURNING asset_count";
    ADD_USAGE = "
        INSERT INTO domain_usage (domain_id, shard, size_bytes) VALUES ($1, $2, $3)
        ON CONFLICT (domain_id, shard) DO UPDATE SET size_bytes = domain_usage.size_bytes + excluded.size_bytes";
    RELEASE_ONE = release!("asset a WHERE a.version_id = $2 AND a.name = $3");
    RELEASE_VERSION = release!("asset a WHERE a.version_id = $2");
    RELEASE_PACKAGE = release!("package_version v JOIN asset a ON a.version_id = v.id WHERE v.package_id = $2");
    SUBTRACT_USAGE = "
        UPDATE domain_usage SET size_bytes = domain_usage.size_bytes - gone.size_bytes
          FROM (SELECT domain_id, usage_shard, CAST(SUM(size_bytes) AS BIGINT) AS size_bytes
                  FROM blob
                 WHERE domain_id = $1 AND asset_count = 0
                 GROUP BY domain_id, usage_shard) AS gone
         WHERE domain_usage.domain_id = gone.domain_id AND domain_usage.shard = gone.usage_shard";
    FORGET_BLOBS = "DELETE FROM blob WHERE domain_id = $1 AND asset_count = 0";
    USAGE = "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM domain_usage WHERE domain_id = $1";

    LIST_BLOBS = "
        SELECT domain_id, sha256, size_bytes
          FROM blob
         WHERE (domain_id, sha256) > ($1, $2)
         ORDER BY domain_id, sha256
         LIMIT $3";
    IS_REFERRED = "SELECT size_bytes FROM blob WHERE domain_id = $1 AND sha256 = $2";
}

fn read_asset(row: &Row<'_>) -> Result<(VersionId, Asset)> {
    let version = VersionId(row.integer(0)?);
    let name = row.text(1)?;
    let broken = |what: String| corrupt("asset", format!("{}/{name}", version.0), what);
    let kind = match row.text(2)? {
        "asset" => AssetKind::Asset,
        "sidecar" => AssetKind::Sidecar,
        other => return Err(broken(format!("unknown kind '{other}'"))),
    };
    let asset = Asset {
        name: AssetName::new(name).map_err(|error| broken(error.to_string()))?,
        kind,
        digests: Digests {
            size_bytes: row.unsigned(3)?,
            md5: row.array(4)?,
            sha1: row.array(5)?,
            sha256: Sha256(row.array(6)?),
            sha512: row.array(7)?,
        },
        metadata: bytes::Bytes::copy_from_slice(row.bytes(8)?),
    };
    Ok((version, asset))
}

/// All of a version, by name.
pub(super) async fn list_of_version(conn: &mut Conn, version: VersionId) -> Result<Vec<Asset>> {
    conn.list(&LIST_OF_VERSION, params![version], |row| read_asset(row).map(|(_, asset)| asset)).await
}

/// All of a package with their versions, in no order.
pub(super) async fn list_of_package(conn: &mut Conn, package: PackageId) -> Result<Vec<(VersionId, Asset)>> {
    conn.list(&LIST_OF_PACKAGE, params![package], read_asset).await
}

/// Those of kind `Asset` after a name, in name order.
pub(super) async fn page_of_version(conn: &mut Conn, version: VersionId, after: &str, rows: i64) -> Result<Vec<Asset>> {
    let values = params![version, after, rows];
    conn.list(&PAGE_OF_VERSION, values, |row| read_asset(row).map(|(_, asset)| asset)).await
}

/// The bytes of all blobs that the domain's assets refer to.
pub(super) async fn size_of_domain(conn: &mut Conn, domain: DomainId) -> Result<u64> {
    let size = conn.find(&USAGE, params![domain], |row| row.unsigned(0)).await?;
    Ok(size.unwrap_or(0))
}

/// Blobs that assets refer to, by address.
pub(super) async fn list_blobs(
    conn: &mut Conn,
    after: Option<(DomainId, Sha256)>,
    limit: usize,
) -> Result<Vec<(DomainId, Sha256, u64)>> {
    let (domain, sha256) = after.map_or((0, Vec::new()), |(domain, sha256)| (domain.0, sha256.0.to_vec()));
    let values = params![domain, sha256.as_slice(), i64::try_from(limit).unwrap_or(i64::MAX)];
    let read = |row: &Row<'_>| Ok((DomainId(row.integer(0)?), Sha256(row.array(1)?), row.unsigned(2)?));
    conn.list(&LIST_BLOBS, values, read).await
}

/// Whether any asset refers to the blob.
pub(super) async fn is_referred(conn: &mut Conn, domain: DomainId, sha256: &Sha256) -> Result<bool> {
    Ok(conn.find(&IS_REFERRED, params![domain, sha256], |_| Ok(())).await?.is_some())
}

fn size(digests: &Digests) -> Result<i64> {
    i64::try_from(digests.size_bytes).map_err(Error::internal)
}

fn shard(sha256: &Sha256) -> i64 {
    i64::from(sha256.0[0] % SHARDS)
}

impl Transaction<'_> {
    /// Adds assets, which the version has not, to it.
    pub(super) async fn add_assets(&mut self, domain: DomainId, version: VersionId, assets: &[&Asset]) -> Result<()> {
        // In the order of addresses, so that two transactions never wait for each other's blobs crosswise.
        let mut assets: Vec<_> = assets.to_vec();
        assets.sort_by_key(|asset| asset.digests.sha256);
        let mut added = [0_i64; SHARDS as usize];
        for asset in assets {
            let digests = &asset.digests;
            let (size, shard) = (size(digests)?, shard(&digests.sha256));
            let kind = match asset.kind {
                AssetKind::Asset => "asset",
                AssetKind::Sidecar => "sidecar",
            };
            let values = params![
                version,
                asset.name.as_str(),
                kind,
                size,
                digests.md5.as_slice(),
                digests.sha1.as_slice(),
                &digests.sha256,
                digests.sha512.as_slice(),
                &*asset.metadata,
            ];
            self.conn.execute(&CREATE, values).await?;
            let values = params![domain, &digests.sha256, size, shard];
            let count = self.conn.find(&REFER, values, |row| row.integer(0)).await?;
            if count == Some(1)
                && let Some(added) = usize::try_from(shard).ok().and_then(|shard| added.get_mut(shard))
            {
                *added += size;
            }
        }
        for (shard, size) in (0_i64..).zip(added).filter(|(_, size)| *size != 0) {
            self.conn.execute(&ADD_USAGE, params![domain, shard, size]).await?;
        }
        Ok(())
    }

    /// Removes one asset of a version.
    pub(super) async fn remove_asset(&mut self, domain: DomainId, version: VersionId, name: &AssetName) -> Result<()> {
        self.conn.execute(&RELEASE_ONE, params![domain, version, name.as_str()]).await?;
        self.conn.execute(&DELETE_ONE, params![version, name.as_str()]).await?;
        self.forget_blobs(domain).await
    }

    /// Removes all assets of a version.
    pub(super) async fn delete_assets(&mut self, domain: DomainId, version: VersionId) -> Result<()> {
        self.conn.execute(&RELEASE_VERSION, params![domain, version]).await?;
        self.conn.execute(&DELETE_OF_VERSION, params![version]).await?;
        self.forget_blobs(domain).await
    }

    /// Gives up the blobs of a package, whose rows the caller deletes.
    pub(super) async fn release_package(&mut self, domain: DomainId, package: PackageId) -> Result<()> {
        self.conn.execute(&RELEASE_PACKAGE, params![domain, package]).await?;
        self.forget_blobs(domain).await
    }

    async fn forget_blobs(&mut self, domain: DomainId) -> Result<()> {
        self.conn.execute(&SUBTRACT_USAGE, params![domain]).await?;
        self.conn.execute(&FORGET_BLOBS, params![domain]).await.map(drop)
    }
}
