//! Versions with several spellings: which is the same as another (`package_version.canonical`). What a version's canonical
//! text is, its format says. It is kept since schema 10; versions of before get theirs when their package is published to
//! again.

use larder_core::Result;
use larder_core::model::{PackageId, VersionId, VersionText};

use super::Transaction;
use crate::sql::{Conn, Row, Work, corrupt, params, statements};

statements! {
    FIND = "SELECT version FROM package_version WHERE package_id = $1 AND canonical = $2 LIMIT 1";
    FIND_OF = "SELECT canonical FROM package_version WHERE id = $1";
    LIST_WITHOUT = "SELECT id, version FROM package_version WHERE package_id = $1 AND canonical = '?' LIMIT $2";
    SET = "UPDATE package_version SET canonical = $2 WHERE id = $1";
}

fn read_text(row: &Row<'_>) -> Result<VersionText> {
    let id = row.integer(0)?;
    VersionText::new(row.text(1)?).map_err(|error| corrupt("package_version", id, error))
}

/// Some of the package's versions that were stored without their canonical text.
pub(super) async fn list_without(
    conn: &mut Conn,
    package: PackageId,
    limit: i64,
) -> Result<Vec<(VersionId, VersionText)>> {
    conn.list(&LIST_WITHOUT, params![package, limit], |row| Ok((VersionId(row.integer(0)?), read_text(row)?))).await
}

/// Fills canonical texts in.
pub(super) struct PutCanonical(pub(super) Vec<(VersionId, String)>);

impl Work for PutCanonical {
    type Output = ();

    async fn run(&self, conn: &mut Conn) -> Result<()> {
        for (version, canonical) in &self.0 {
            conn.execute(&SET, params![*version, canonical]).await?;
        }
        Ok(())
    }
}

impl Transaction<'_> {
    /// The text of a version of the package with this canonical text.
    pub(super) async fn find_same_version(&mut self, package: PackageId, canonical: &str) -> Result<Option<String>> {
        self.conn.find(&FIND, params![package, canonical], |row| row.text(0).map(str::to_owned)).await
    }

    /// The canonical text of a version, if its format has that.
    pub(super) async fn canonical_of(&mut self, version: VersionId) -> Result<Option<String>> {
        let read = |row: &Row<'_>| Ok(row.optional_text(0)?.map(str::to_owned));
        Ok(self.conn.find(&FIND_OF, params![version], read).await?.flatten())
    }
}
