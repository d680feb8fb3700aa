//! SQLite and PostgreSQL under one face: [`Conn`] runs a [`Sql`] with `$n` parameters on either.
//!
//! On SQLite every method is ready at once, because the work happens inline; on PostgreSQL it waits for the server.
//! SQLite has one writer thread, which puts queued changes into one transaction ([`Database::write`]); on PostgreSQL
//! each change is its own transaction, repeated when it collides with another.

mod epoch;
mod migrations;
mod postgres;
mod row;
mod sqlite;
mod statement;
mod url;
mod value;
mod writer;

use std::future::Future;

use larder_core::error::{ConflictKind, ResourceType};
use larder_core::{Error, Result};

pub(crate) use row::{Row, corrupt};
pub(crate) use statement::{Sql, statements};
pub use url::DatabaseUrl;
pub(crate) use value::{Value, params};

/// One of the two databases, opened.
pub(crate) enum Database {
    Sqlite(Box<sqlite::SqliteDatabase>),
    Postgres(postgres::PostgresDatabase),
}

/// A write: run inside a transaction, possibly more than once (its effects are undone before a repetition).
pub(crate) trait Work: Send + Sync + 'static {
    type Output: Send + 'static;

    /// Does it. An error undoes everything this run did and nothing else.
    fn run(&self, conn: &mut Conn) -> impl Future<Output = Result<Self::Output>> + Send;
}

impl Database {
    /// Opens the database and brings its schema up to date. `statements` is how many there are to keep prepared.
    pub(crate) async fn open(url: &DatabaseUrl, statements: usize) -> Result<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => Ok(Self::Sqlite(Box::new(sqlite::SqliteDatabase::open(path, statements)?))),
            DatabaseUrl::Postgres(url) => Ok(Self::Postgres(postgres::PostgresDatabase::open(url).await?)),
        }
    }

    /// A connection for reading; each statement sees what was committed when it began.
    pub(crate) async fn read(&self) -> Result<Conn> {
        match self {
            Self::Sqlite(database) => Ok(Conn::Sqlite(database.reader()?)),
            Self::Postgres(database) => Ok(Conn::Postgres(database.session().await?)),
        }
    }

    /// A connection whose statements all see the same state. Ends when dropped.
    pub(crate) async fn snapshot(&self) -> Result<Conn> {
        let mut conn = self.read().await?;
        match &mut conn {
            Conn::Sqlite(session) => session.begin_snapshot()?,
            Conn::Postgres(session) => session.begin_snapshot().await?,
        }
        Ok(conn)
    }

    /// A read that may be long, off the runtime's threads where it would run inline.
    pub(crate) async fn long_read<W: Work>(&self, work: W) -> Result<W::Output> {
        match self {
            Self::Sqlite(database) => database.long_read(work).await,
            Self::Postgres(_) => work.run(&mut self.snapshot().await?).await,
        }
    }

    /// Runs a write in a transaction; durable when it returns.
    pub(crate) async fn write<W: Work>(&self, work: W) -> Result<W::Output> {
        match self {
            Self::Sqlite(database) => database.write(work).await,
            Self::Postgres(database) => database.write(work).await,
        }
    }

    /// A number that differs whenever anything was committed by anybody.
    pub(crate) async fn epoch(&self) -> Result<u64> {
        match self {
            Self::Sqlite(database) => database.epoch(),
            Self::Postgres(database) => database.epoch().await,
        }
    }
}

/// A constraint that a change violated which did not foresee it. Which one is for the log.
fn contradiction(what: &str, error: &dyn std::fmt::Display) -> Error {
    tracing::debug!(statement = what, %error, "a constraint refused a change");
    let message = "the change contradicts what is stored: it names something that exists already or is gone";
    Error::conflict(ConflictKind::State, ResourceType::Other, "", message)
}

/// A connection.
pub(crate) enum Conn {
    Sqlite(sqlite::Session),
    Postgres(postgres::Session),
}

impl Conn {
    /// All rows.
    pub(crate) async fn list<T: Send>(
        &mut self,
        sql: &'static Sql,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        match self {
            Self::Sqlite(session) => session.list(sql, params, read),
            Self::Postgres(session) => session.list(sql, params, read).await,
        }
    }

    /// The first row, if there is one.
    pub(crate) async fn find<T: Send>(
        &mut self,
        sql: &'static Sql,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T> + Send,
    ) -> Result<Option<T>> {
        match self {
            Self::Sqlite(session) => session.find(sql, params, read),
            Self::Postgres(session) => session.find(sql, params, read).await,
        }
    }

    /// Shares a lock until the transaction ends: nobody takes it meanwhile. On SQLite nobody else writes.
    pub(crate) async fn share(&mut self, lock: i64) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(session) => session.share(lock).await,
        }
    }

    /// Takes a lock until the transaction ends, once nobody has or shares it. On SQLite nobody else writes.
    pub(crate) async fn take(&mut self, lock: i64) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(session) => session.take(lock).await,
        }
    }

    /// Runs a statement; answers how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &'static Sql, params: &[Value<'_>]) -> Result<u64> {
        match self {
            Self::Sqlite(session) => session.execute(sql, params),
            Self::Postgres(session) => session.execute(sql, params).await,
        }
    }
}
