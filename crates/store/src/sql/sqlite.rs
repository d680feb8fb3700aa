//! The SQLite driver: reader connections used inline, and one writer thread.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use larder_core::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};
use tokio::sync::Semaphore;

use super::epoch::Watcher;
use super::writer::{Writer, at_once};
use super::{Conn, Row, Sql, Value, Work, contradiction, migrations};

/// How long a statement waits for another process that writes (the command line beside a running server).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Page cache of a reader and of the writer. Readers are about as many as cores, so idle memory stays small.
const READER_CACHE_KIB: i64 = 2048;
const WRITER_CACHE_KIB: i64 = 8192;

/// Reader connections kept at rest, and long reads at once.
const IDLE_READERS: usize = 16;
const LONG_READS: usize = 4;

/// An opened file.
pub(crate) struct SqliteDatabase {
    readers: Arc<Readers>,
    writer: Writer,
    watcher: Watcher,
    long_reads: Semaphore,
}

/// Reader connections at rest. A taken one is used without interruption, so no more are taken than threads run.
struct Readers {
    path: PathBuf,
    statements: usize,
    idle: Mutex<Vec<Connection>>,
}

impl SqliteDatabase {
    /// Opens or creates the file and brings its schema up to date.
    pub(super) fn open(path: &Path, statements: usize) -> Result<Self> {
        create(path)?;
        let mut connection = connect(path, statements, WRITER_CACHE_KIB)?;
        migrations::migrate_sqlite(&mut connection)?;
        let watcher = Watcher::new(path, connect(path, 1, 64)?)?;
        let readers = Readers { path: path.to_owned(), statements, idle: Mutex::new(Vec::new()) };
        Ok(Self {
            readers: Arc::new(readers),
            writer: Writer::start(connection)?,
            watcher,
            long_reads: Semaphore::new(LONG_READS),
        })
    }

    /// A connection for reading, at rest in the pool or newly opened.
    pub(super) fn reader(&self) -> Result<Session> {
        let idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.readers.path, self.readers.statements, READER_CACHE_KIB)?;
                connection.pragma_update(None, "query_only", true).map_err(opening)?;
                connection
            }
        };
        Ok(Session { connection: Some(connection), home: Some(Arc::clone(&self.readers)) })
    }

    /// Runs a read that may take milliseconds on a blocking thread, in one snapshot.
    pub(super) async fn long_read<W: Work>(&self, work: W) -> Result<W::Output> {
        let _permit = self.long_reads.acquire().await.map_err(Error::internal)?;
        let mut session = self.reader()?;
        let read = move || {
            session.begin_snapshot()?;
            at_once(work.run(&mut Conn::Sqlite(session)))
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }

    /// Queues a write for the writer's next transaction.
    pub(super) async fn write<W: Work>(&self, work: W) -> Result<W::Output> {
        self.writer.write(work).await
    }

    /// See [`Watcher::epoch`].
    pub(super) fn epoch(&self) -> Result<u64> {
        self.watcher.epoch()
    }
}

/// Creates the file readable by its owner only: it holds secrets. The WAL beside it gets the same mode from SQLite.
fn create(path: &Path) -> Result<()> {
    let cannot = |error: std::io::Error| Error::Unavailable {
        message: format!("cannot create the metadata database '{}': {error}", path.display()),
        source: error.into(),
    };
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(cannot)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(cannot)
}

/// Opens a connection with the settings that bind one connection.
fn connect(path: &Path, statements: usize, cache_kib: i64) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(opening)?;
    let configure = || -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Without QPSG, joins are prepared again on every run, at four times the cost of running them.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_prepared_statement_cache_capacity(statements + 16);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        connection.pragma_update(None, "temp_store", "MEMORY")
    };
    configure().map_err(opening)?;
    Ok(connection)
}

fn opening(error: rusqlite::Error) -> Error {
    failure("opening the database", error)
}

/// A connection in use. A reader goes back to its pool when dropped.
pub(crate) struct Session {
    /// `None` only while being dropped.
    connection: Option<Connection>,
    home: Option<Arc<Readers>>,
}

impl Session {
    /// The writer's own.
    pub(super) fn of_writer(connection: Connection) -> Self {
        Self { connection: Some(connection), home: None }
    }

    pub(super) fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or_else(|| Error::internal("a closed database connection was used"))
    }

    /// Starts a read transaction, which the pool ends.
    pub(super) fn begin_snapshot(&mut self) -> Result<()> {
        self.control("BEGIN")
    }

    /// Runs a statement of transaction control.
    pub(super) fn control(&self, text: &str) -> Result<()> {
        let run = |connection: &Connection| connection.prepare_cached(text)?.execute([]);
        run(self.connection()?).map(drop).map_err(|error| failure(text, error))
    }

    pub(super) fn list<T>(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql, params)?;
        let mut rows = statement.raw_query();
        let mut items = Vec::new();
        while let Some(row) = rows.next().map_err(|error| failure(sql.name(), error))? {
            items.push(read(&Row::Sqlite(row))?);
        }
        Ok(items)
    }

    pub(super) fn find<T>(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.prepare(sql, params)?;
        let mut rows = statement.raw_query();
        match rows.next().map_err(|error| failure(sql.name(), error))? {
            Some(row) => read(&Row::Sqlite(row)).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn execute(&self, sql: &'static Sql, params: &[Value<'_>]) -> Result<u64> {
        let changed = self.prepare(sql, params)?.raw_execute().map_err(|error| failure(sql.name(), error))?;
        Ok(changed as u64)
    }

    fn prepare(&self, sql: &'static Sql, params: &[Value<'_>]) -> Result<CachedStatement<'_>> {
        let bind = |connection| -> rusqlite::Result<CachedStatement<'_>> {
            let mut statement = Connection::prepare_cached(connection, sql.sqlite())?;
            for (index, value) in params.iter().enumerate() {
                statement.raw_bind_parameter(index + 1, value)?;
            }
            Ok(statement)
        };
        bind(self.connection()?).map_err(|error| failure(sql.name(), error))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let in_transaction = self.connection.as_ref().is_some_and(|connection| !connection.is_autocommit());
        if in_transaction && self.control("ROLLBACK").is_err() {
            return;
        }
        if let (Some(connection), Some(home)) = (self.connection.take(), &self.home) {
            let mut idle = home.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_READERS {
                idle.push(connection);
            }
        }
    }
}

/// Sorts a failure of SQLite into ours. `what` is the statement's name.
pub(super) fn failure(what: &str, error: rusqlite::Error) -> Error {
    let code = error.sqlite_error_code();
    let unavailable = |message: &str| Error::Unavailable { message: message.to_owned(), source: "sqlite".into() };
    let mut sorted = match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            unavailable("the metadata database is busy, repeat the request")
        }
        Some(ErrorCode::DiskFull) => unavailable("the disk that holds the metadata database is full"),
        Some(
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied,
        ) => unavailable("the metadata database cannot be read or written at the moment"),
        Some(ErrorCode::ConstraintViolation) => return contradiction(what, &error),
        _ => Error::internal("sqlite"),
    };
    if let Error::Unavailable { source, .. } | Error::Internal { source } = &mut sorted {
        *source = Box::new(StatementFailed { what: what.to_owned(), source: error });
    }
    sorted
}

/// Which statement failed and why; for the log.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
struct StatementFailed {
    what: String,
    source: rusqlite::Error,
}
