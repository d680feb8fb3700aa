//! The journal: appended to by every change, in its transaction.

use async_trait::async_trait;
use larder_core::model::{
    Asset, EventType, JournalRecord, PackageKey, Revision, Timestamp, VersionChanges, VersionEvent, VersionStatus,
    VersionText,
};
use larder_core::ports::Journal;
use larder_core::{Error, Result};

use super::places::Place;
use super::versions::told;
use super::{Store, Transaction};
use crate::sql::{Row, params, statements};

/// Columns of a record, read by [`read_record`].
macro_rules! record {
    ($rest:literal) => {
        concat!(
            "SELECT sequence, recorded_at, principal, address, operation, resource, state_before, state_after,
                    request_id, client, event, leaf
               FROM journal
              WHERE ",
            $rest
        )
    };
}
pub(super) use record;

statements! {
    APPEND = "
        INSERT INTO journal
               (recorded_at, principal, address, operation, resource, state_before, state_after, request_id, client,
                event)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        RETURNING sequence";
    LIST = record!("sequence > $1 ORDER BY sequence LIMIT $2");
}

/// A state of a version: before or after a change.
type State<'a> = Option<(VersionStatus, &'a Revision)>;

/// What a change did to one version.
#[derive(Default)]
pub(super) struct VersionChange<'a> {
    /// `None` if it was not there.
    pub(super) before: State<'a>,
    /// `None` if it is gone.
    pub(super) after: State<'a>,
    pub(super) assets_added: usize,
    pub(super) assets_removed: usize,
    pub(super) assets_updated: usize,
    pub(super) metadata_updated: bool,
}

impl VersionChange<'_> {
    fn event(&self, place: &Place, key: &PackageKey, version: &VersionText) -> Option<VersionEvent> {
        let (state, revision) = self.after.or(self.before)?;
        Some(VersionEvent {
            domain_name: place.domain_name.to_string(),
            domain_owner: place.owner.to_string(),
            repository_name: place.name.to_string(),
            repository_administrator: place.administrator.to_string(),
            package_format: key.format().to_string(),
            package_namespace: key.namespace().map(str::to_owned),
            package_name: key.name().to_owned(),
            package_version: version.to_string(),
            package_version_state: state.to_string(),
            package_version_revision: revision.as_str().to_owned(),
            previous_package_version_state: self.before.map(|(status, _)| status.to_string()),
            changes: VersionChanges {
                assets_added: self.assets_added as u64,
                assets_removed: self.assets_removed as u64,
                metadata_updated: self.metadata_updated,
                assets_updated: self.assets_updated as u64,
                status_changed: self.before.map(|(status, _)| status) != self.after.map(|(status, _)| status),
            },
            operation_type: match (self.before, self.after) {
                (None, _) => EventType::Created,
                (Some(_), None) => EventType::Deleted,
                (Some(_), Some(_)) => EventType::Updated,
            },
        })
    }
}

/// How the assets of a version changed that was replaced by another.
pub(super) fn replaced(before: &[Asset], after: &[Asset]) -> VersionChange<'static> {
    let mut change = VersionChange::default();
    for asset in after {
        match before.iter().find(|other| other.name == asset.name) {
            None => change.assets_added += 1,
            Some(other) if other.digests.sha256 != asset.digests.sha256 => change.assets_updated += 1,
            Some(_) => {}
        }
    }
    let is_gone = |asset: &&Asset| !after.iter().any(|other| other.name == asset.name);
    change.assets_removed = before.iter().filter(is_gone).count();
    change
}

/// Reads the columns of [`record!`].
pub(super) fn read_record(row: &Row<'_>) -> Result<JournalRecord> {
    Ok(JournalRecord {
        sequence: row.integer(0)?,
        at: Timestamp(row.integer(1)?),
        principal: row.text(2)?.to_owned(),
        address: row.optional_text(3)?.map(str::to_owned),
        operation: row.text(4)?.to_owned(),
        resource: row.text(5)?.to_owned(),
        before: row.optional_text(6)?.map(str::to_owned),
        after: row.optional_text(7)?.map(str::to_owned),
        request_id: row.text(8)?.to_owned(),
        client: row.optional_text(9)?.map(str::to_owned),
        event: row.optional_text(10)?.map(str::to_owned),
        leaf: row.optional_integer(11)?.map(u64::try_from).transpose().map_err(Error::internal)?,
    })
}

impl Transaction<'_> {
    /// Appends the record of what this transaction did to one resource.
    pub(super) async fn record(&mut self, resource: &str, before: Option<&str>, after: Option<&str>) -> Result<()> {
        self.append(resource, before, after, None).await.map(drop)
    }

    /// Appends the record, with its event, of what this transaction did to one version.
    pub(super) async fn record_version(
        &mut self,
        place: &Place,
        key: &PackageKey,
        version: &VersionText,
        change: &VersionChange<'_>,
    ) -> Result<()> {
        let resource = place.version(self.region, key, version);
        let told = |state: State<'_>| state.map(|(status, revision)| told(status, revision));
        let (before, after) = (told(change.before), told(change.after));
        let event = change.event(place, key, version);
        let event = event.map(|event| serde_json::to_string(&event)).transpose().map_err(Error::internal)?;
        self.append(&resource, before.as_deref(), after.as_deref(), event.as_deref()).await.map(drop)
    }

    /// As [`Transaction::record`], with an event; answers the record's sequence.
    pub(super) async fn append(
        &mut self,
        resource: &str,
        before: Option<&str>,
        after: Option<&str>,
        event: Option<&str>,
    ) -> Result<i64> {
        self.recorded = true;
        let address = self.actor.address.map(|address| address.to_string());
        let values = params![
            self.actor.at,
            &self.actor.principal,
            address.as_ref(),
            self.actor.operation,
            resource,
            before,
            after,
            &self.actor.request_id,
            self.actor.client.as_deref(),
            event,
        ];
        let sequence = self.conn.find(&APPEND, values, |row| row.integer(0)).await?;
        sequence.ok_or_else(|| Error::internal("a record was not appended"))
    }
}

#[async_trait]
impl Journal for Store {
    async fn list_journal(&self, after: i64, limit: usize) -> Result<Vec<JournalRecord>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database.read().await?.list(&LIST, params![after, limit], read_record).await
    }
}
