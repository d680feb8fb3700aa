//! The metadata store: one module per aggregate, which owns the SQL of its tables and implements its port.
//!
//! Reads are methods of [`Store`]. Writes are functions over a [`Transaction`], reached from [`change`] only, which
//! gives each its transaction and its journal.

mod accounts;
mod assets;
mod batch;
mod canonical;
mod change;
mod copy;
mod domains;
mod identities;
mod identity_policies;
mod identity_providers;
mod identity_tags;
mod journal;
mod key_uses;
mod log;
mod managed_policies;
mod package_group_changes;
mod package_groups;
mod packages;
mod paging;
mod places;
mod policies;
mod publish;
mod purge;
mod readers;
mod reading;
mod repositories;
mod roles;
mod sessions;
mod tags;
mod tokens;
mod upstream_indexes;
mod variations;
mod versions;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use larder_core::Result;
use larder_core::model::{Actor, Timestamp};

use crate::sql::{Conn, Database, DatabaseUrl, Sql};

/// The metadata store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    /// Stands in every ARN.
    region: Arc<str>,
}

impl Store {
    /// Opens the database, creating it if it is an SQLite file that is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`larder_core::Error::Unavailable`] if it cannot be reached, [`larder_core::Error::Validation`] for an address
    /// that makes no sense, [`larder_core::Error::Internal`] if a newer Larder wrote it.
    pub async fn open(url: &DatabaseUrl, region: impl Into<Arc<str>>) -> Result<Self> {
        let database = Database::open(url, statements().count()).await?;
        let store = Self { database: Arc::new(database), region: region.into() };
        store.refold_groups().await?;
        store.fold_packages_in_background();
        store.purge_in_background();
        Ok(store)
    }
}

/// Every statement that the store runs.
fn statements() -> impl Iterator<Item = &'static Sql> {
    [
        accounts::STATEMENTS,
        assets::STATEMENTS,
        canonical::STATEMENTS,
        change::STATEMENTS,
        domains::STATEMENTS,
        identities::STATEMENTS,
        identity_policies::STATEMENTS,
        identity_providers::STATEMENTS,
        identity_tags::STATEMENTS,
        journal::STATEMENTS,
        key_uses::STATEMENTS,
        log::STATEMENTS,
        managed_policies::STATEMENTS,
        package_group_changes::STATEMENTS,
        package_groups::STATEMENTS,
        packages::STATEMENTS,
        places::STATEMENTS,
        policies::STATEMENTS,
        purge::STATEMENTS,
        readers::STATEMENTS,
        repositories::STATEMENTS,
        roles::STATEMENTS,
        sessions::STATEMENTS,
        tags::STATEMENTS,
        tokens::STATEMENTS,
        upstream_indexes::STATEMENTS,
        variations::STATEMENTS,
        versions::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// A change in the making: its connection, inside a transaction, and on whose behalf it is made.
struct Transaction<'a> {
    conn: &'a mut Conn,
    actor: &'a Actor,
    region: &'a str,
    /// A journal record was appended.
    recorded: bool,
}

impl Transaction<'_> {
    /// The instant of the change.
    fn now(&self) -> Timestamp {
        self.actor.at
    }
}
