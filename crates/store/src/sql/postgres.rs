//! The PostgreSQL driver: a pool of connections, and transactions repeated when they collide.
//!
//! Transactions run at READ COMMITTED. Changes take the row they contend for with their first statement: the control
//! row (control plane) or the package's row (packages and versions), so that what they read afterwards holds. What is
//! read besides, and changed by others, stands under an advisory lock ([`Session::share`]), which comes before a package
//! and after the control row.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use larder_core::error::Source;
use larder_core::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::{Conn, Row, Sql, Value, Work, contradiction, migrations};

/// Connections of one node. A request holds one for the length of a query, a change for that of its transaction.
const CONNECTIONS: usize = 16;
/// How long a connection, a statement's answer or a free place in the pool is waited for. Statements take milliseconds;
/// a server that is gone without closing its connections would be waited for without end.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often a change is tried that collides with others; and one that found a unique key taken, which is either due
/// to another transaction, and found by the checks of the next attempt, or stays so.
const ATTEMPTS: u32 = 10;
const ATTEMPTS_FOR_KEYS: u32 = 2;

/// Which transactions are visible: equal texts mean that the same are. (A row count or the last value of a sequence
/// would not do: it is taken before the commit that makes it visible.)
static EPOCH: Sql = Sql::new("postgres::EPOCH", "SELECT CAST(pg_current_snapshot() AS TEXT)");

static SHARE: Sql = Sql::new("postgres::SHARE", "SELECT pg_advisory_xact_lock_shared($1)");
static TAKE: Sql = Sql::new("postgres::TAKE", "SELECT pg_advisory_xact_lock($1)");

/// An opened server.
pub(crate) struct PostgresDatabase {
    pool: Arc<Pool>,
}

struct Pool {
    config: Config,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connected>>,
}

/// A connection and what is prepared on it, by the address of the statement's text.
struct Connected {
    client: Client,
    prepared: HashMap<usize, Statement>,
}

impl PostgresDatabase {
    /// Connects and brings the schema up to date.
    pub(super) async fn open(url: &str) -> Result<Self> {
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Error::validation("database", format!("the address of the PostgreSQL database is not valid: {reason}"))
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(Error::validation(
                "database",
                "sslmode=require is not possible: this program has no TLS to PostgreSQL; use sslmode=disable on a network you trust, a local socket or a tunnel",
            ));
        }
        if config.get_application_name().is_none() {
            config.application_name("larder");
        }
        let mut connected = connect(&config).await?;
        migrations::migrate_postgres(&mut connected.client).await?;
        let pool = Pool { config, permits: Arc::new(Semaphore::new(CONNECTIONS)), idle: Mutex::new(vec![connected]) };
        Ok(Self { pool: Arc::new(pool) })
    }

    /// A connection, at rest in the pool or newly opened.
    pub(super) async fn session(&self) -> Result<Session> {
        let permit = timeout(PATIENCE, Arc::clone(&self.pool.permits).acquire_owned());
        let permit = permit.await.map_err(|_| no_answer("waiting for a connection"))?.map_err(Error::internal)?;
        let idle = self.pool.take();
        let connected = match idle {
            Some(connected) => connected,
            None => connect(&self.pool.config).await?,
        };
        let pool = Arc::clone(&self.pool);
        Ok(Session { connected: Some(connected), pool, permit: Some(permit), in_transaction: false, attempts: 1 })
    }

    /// Runs a write in a transaction of its own.
    pub(super) async fn write<W: Work>(&self, work: W) -> Result<W::Output> {
        for attempt in 1.. {
            let mut session = self.session().await?;
            session.control("BEGIN").await?;
            let mut conn = Conn::Postgres(session);
            let result = work.run(&mut conn).await;
            let Conn::Postgres(mut session) = conn else {
                return Err(Error::internal("the connection changed its kind"));
            };
            let result = match result {
                Ok(output) => session.control("COMMIT").await.map(|()| output),
                Err(error) => Err(error),
            };
            if result.is_ok() || attempt >= session.attempts {
                return result;
            }
            drop(session);
            // Spread, so that those who collided do not meet again.
            let spread = u64::from(getrandom::u32().unwrap_or(0) % 8);
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * spread)).await;
        }
        Err(Error::internal("no attempt was made"))
    }

    /// The visible transactions, hashed.
    pub(super) async fn epoch(&self) -> Result<u64> {
        let hash = |row: &Row<'_>| {
            let mut hasher = DefaultHasher::new();
            row.text(0)?.hash(&mut hasher);
            Ok(hasher.finish())
        };
        let epoch = self.session().await?.find(&EPOCH, &[], hash).await?;
        epoch.ok_or_else(|| Error::internal("PostgreSQL names no snapshot"))
    }
}

impl Pool {
    fn take(&self) -> Option<Connected> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connected) = idle.pop() {
            if !connected.client.is_closed() {
                return Some(connected);
            }
        }
        None
    }

    fn put(&self, connected: Connected) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connected);
    }
}

async fn connect(config: &Config) -> Result<Connected> {
    let connected = timeout(PATIENCE, config.connect(NoTls)).await.map_err(|_| no_answer("connecting"))?;
    let (client, connection) = connected.map_err(|error| failure("connecting", error))?;
    tokio::spawn(async move {
        // Its failure is also that of the statement that was running, which is reported.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to PostgreSQL ended");
        }
    });
    Ok(Connected { client, prepared: HashMap::new() })
}

/// A connection in use; goes back to the pool when dropped, after a roll-back if a transaction is open.
pub(crate) struct Session {
    /// `None` after a statement without an answer, and while being dropped.
    connected: Option<Connected>,
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
    in_transaction: bool,
    /// How often the transaction may be tried, by its last failure.
    attempts: u32,
}

impl Session {
    /// Starts a transaction whose reads all see the same state.
    pub(super) async fn begin_snapshot(&mut self) -> Result<()> {
        self.control("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    async fn control(&mut self, text: &'static str) -> Result<()> {
        let ends = text == "COMMIT";
        // Before it is sent: whoever waits for the answer may give up, and the transaction is open all the same.
        self.in_transaction = true;
        let result = timeout(PATIENCE, self.connected()?.client.batch_execute(text)).await;
        self.in_transaction = !ends;
        self.checked(text, result)
    }

    pub(super) async fn list<T>(
        &mut self,
        sql: &'static Sql,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let rows = self.query(sql, params).await?;
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    pub(super) async fn find<T>(
        &mut self,
        sql: &'static Sql,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let rows = self.query(sql, params).await?;
        rows.first().map(|row| read(&Row::Postgres(row))).transpose()
    }

    pub(super) async fn execute(&mut self, sql: &'static Sql, params: &[Value<'_>]) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        let result = timeout(PATIENCE, self.connected()?.client.execute(&statement, &as_parameters(params))).await;
        self.checked(sql.name(), result)
    }

    /// Shares an advisory lock until the transaction ends. Statements after this one see what its last taker committed.
    pub(super) async fn share(&mut self, lock: i64) -> Result<()> {
        self.execute(&SHARE, &[Value::Integer(lock)]).await.map(drop)
    }

    /// Takes an advisory lock until the transaction ends.
    pub(super) async fn take(&mut self, lock: i64) -> Result<()> {
        self.execute(&TAKE, &[Value::Integer(lock)]).await.map(drop)
    }

    async fn query(&mut self, sql: &'static Sql, params: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>> {
        let statement = self.prepare(sql).await?;
        let result = timeout(PATIENCE, self.connected()?.client.query(&statement, &as_parameters(params))).await;
        self.checked(sql.name(), result)
    }

    async fn prepare(&mut self, sql: &'static Sql) -> Result<Statement> {
        let key = sql.postgres().as_ptr() as usize;
        if let Some(statement) = self.connected()?.prepared.get(&key) {
            return Ok(statement.clone());
        }
        let result = timeout(PATIENCE, self.connected()?.client.prepare(sql.postgres())).await;
        let statement = self.checked(sql.name(), result)?;
        self.connected()?.prepared.insert(key, statement.clone());
        Ok(statement)
    }

    fn connected(&mut self) -> Result<&mut Connected> {
        self.connected.as_mut().ok_or_else(|| Error::internal("a closed database connection was used"))
    }

    fn checked<T>(&mut self, what: &str, result: Result<Result<T, tokio_postgres::Error>, Elapsed>) -> Result<T> {
        let Ok(result) = result else {
            // What it would answer next is the answer to this.
            self.connected = None;
            self.attempts = 1;
            return Err(no_answer(what));
        };
        result.map_err(|error| {
            self.attempts = match error.code() {
                Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => ATTEMPTS,
                Some(&SqlState::UNIQUE_VIOLATION) => ATTEMPTS_FOR_KEYS,
                _ => 1,
            };
            failure(what, error)
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (Some(connected), permit) = (self.connected.take(), self.permit.take()) else { return };
        if !self.in_transaction {
            self.pool.put(connected);
            return;
        }
        // Without a runtime the connection is closed, which ends its transaction, too.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let pool = Arc::clone(&self.pool);
        runtime.spawn(async move {
            if let Ok(Ok(())) = timeout(PATIENCE, connected.client.batch_execute("ROLLBACK")).await {
                pool.put(connected);
            }
            drop(permit);
        });
    }
}

fn as_parameters<'a>(params: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// Sorts a failure of PostgreSQL into ours. `what` is the statement's name.
pub(super) fn failure(what: &str, error: tokio_postgres::Error) -> Error {
    let class = error.code().map_or("", |code| &code.code()[..2]).to_owned();
    let code = error.code().map(|code| code.code().to_owned()).unwrap_or_default();
    let source = Box::new(StatementFailed { what: what.to_owned(), source: error });
    match (class.as_str(), code.as_str()) {
        // integrity constraint violation
        ("23", _) => contradiction(what, &source.source),
        // connection exception, transaction rollback, insufficient resources, operator intervention, read-only; no code
        // at all: the connection is gone
        ("" | "08" | "40" | "53" | "57" | "58", _) | (_, "25006") => unavailable(source),
        _ => Error::Internal { source },
    }
}

fn no_answer(what: &str) -> Error {
    unavailable(format!("{what}: PostgreSQL did not answer within {} s", PATIENCE.as_secs()).into())
}

fn unavailable(source: Source) -> Error {
    let message = "the metadata database is not available at the moment, repeat the request".to_owned();
    Error::Unavailable { message, source }
}

/// Which statement failed and why; for the log.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
struct StatementFailed {
    what: String,
    source: tokio_postgres::Error,
}
