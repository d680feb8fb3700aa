//! What deleted repositories held is removed bit by bit, in transactions of some milliseconds, so that deleting a large
//! one makes nobody wait. It is out of reach from the deletion on; a purge that was interrupted goes on when a store is
//! opened on the database.

use larder_core::Result;
use larder_core::model::{Actor, DomainId, PackageId, RepositoryId, Timestamp, VersionId};

use super::{Store, Transaction};
use crate::sql::{Conn, Row, Work, params, statements};

/// Rows (versions, packages, index documents) that one transaction removes.
const STEP: usize = 100;

statements! {
    NEXT = "SELECT id, domain_id FROM repository WHERE gone > 0 ORDER BY gone LIMIT 1";
    NEXT_OF_DOMAIN = "SELECT id, domain_id FROM repository WHERE domain_id = $1 AND gone > 0";
    PACKAGE = "SELECT id FROM package WHERE repository_id = $1 LIMIT 1";
    /// Waits for whoever changes it.
    LOCK_PACKAGE = "UPDATE package SET revision = revision WHERE id = $1";
    VERSIONS = "SELECT id FROM package_version WHERE package_id = $1 LIMIT $2";
    DELETE_PACKAGE = "DELETE FROM package WHERE id = $1";
    INDEXES = "SELECT id FROM upstream_index WHERE repository_id = $1 LIMIT $2";
    DELETE_INDEX = "DELETE FROM upstream_index WHERE id = $1";
    DELETE = "DELETE FROM repository WHERE id = $1";
}

fn read_repository(row: &Row<'_>) -> Result<(RepositoryId, DomainId)> {
    Ok((RepositoryId(row.integer(0)?), DomainId(row.integer(1)?)))
}

/// Removes some of what a deleted repository held; answers nothing, because the next one asks anew.
struct PurgeStep;

impl Work for PurgeStep {
    type Output = ();

    async fn run(&self, conn: &mut Conn) -> Result<()> {
        let Some((repository, domain)) = conn.find(&NEXT, params![], read_repository).await? else { return Ok(()) };
        // Not journaled: it is a part of what the repository's deletion recorded.
        let actor = Actor {
            principal: String::new(),
            address: None,
            operation: "DeleteRepository",
            at: Timestamp(0),
            request_id: String::new(),
            client: None,
        };
        let mut transaction = Transaction { conn, actor: &actor, region: "", recorded: false };
        transaction.purge_some(repository, domain, STEP).await
    }
}

impl Store {
    /// Removes all that deleted repositories held. Runs by itself after a deletion and after opening.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn purge(&self) -> Result<()> {
        while self.database.read().await?.find(&NEXT, params![], read_repository).await?.is_some() {
            self.database.write(PurgeStep).await?;
        }
        Ok(())
    }

    /// Purges without making anybody wait.
    pub(super) fn purge_in_background(&self) {
        // Without a runtime, the next store that is opened does it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let this = self.clone();
        runtime.spawn(async move {
            if let Err(error) = this.purge().await {
                tracing::warn!(?error, "could not remove all that a deleted repository held; the next purge goes on");
            }
        });
    }
}

impl Transaction<'_> {
    /// Removes all that deleted repositories of a domain held, before the domain itself goes.
    pub(super) async fn purge_domain(&mut self, domain: DomainId) -> Result<()> {
        for (repository, domain) in self.conn.list(&NEXT_OF_DOMAIN, params![domain], read_repository).await? {
            self.purge_some(repository, domain, usize::MAX).await?;
        }
        Ok(())
    }

    /// Removes up to so many rows, last the repository's own.
    async fn purge_some(&mut self, repository: RepositoryId, domain: DomainId, rows: usize) -> Result<()> {
        let mut left = rows;
        while let Some(package) = self.conn.find(&PACKAGE, params![repository], |row| row.integer(0)).await? {
            let package = PackageId(package);
            self.conn.execute(&LOCK_PACKAGE, params![package]).await?;
            let limit = i64::try_from(left).unwrap_or(i64::MAX);
            let versions = self.conn.list(&VERSIONS, params![package, limit], |row| row.integer(0)).await?;
            for version in &versions {
                self.delete_version(domain, VersionId(*version)).await?;
            }
            left -= versions.len();
            if left == 0 {
                return Ok(());
            }
            self.conn.execute(&DELETE_PACKAGE, params![package]).await?;
            left -= 1;
        }
        let limit = i64::try_from(left).unwrap_or(i64::MAX);
        let indexes = self.conn.list(&INDEXES, params![repository, limit], |row| row.integer(0)).await?;
        for index in &indexes {
            self.conn.execute(&DELETE_INDEX, params![*index]).await?;
        }
        if indexes.len() < left {
            self.conn.execute(&DELETE, params![repository]).await?;
        }
        Ok(())
    }
}
