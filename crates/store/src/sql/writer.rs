//! SQLite's one writer: a thread that puts all changes waiting for it into one transaction with one commit, so that a
//! flush of the disk is shared by as many as came in during the last one. Where there are several, each has its own
//! savepoint: one that fails takes nobody with it. Nobody is answered before the commit.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;

use larder_core::{Error, Result};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::sqlite::Session;
use super::{Conn, Work};

/// Changes in one transaction at most.
const BATCH: usize = 128;
/// Changes waiting at most; more callers than that wait to queue.
const QUEUE: usize = 1024;

/// The thread and the way to it.
pub(super) struct Writer {
    /// `None` only while being dropped.
    queue: Option<mpsc::Sender<Box<dyn Waiting>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("metadata-writer".to_owned())
            .spawn(move || write_all(connection, waiting))
            .map_err(|error| Error::Unavailable {
                message: "cannot start the thread that writes the metadata database".to_owned(),
                source: error.into(),
            })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues a write and waits for its commit. A caller that stops waiting does not stop the write.
    pub(super) async fn write<W: Work>(&self, work: W) -> Result<W::Output> {
        let gone = || Error::Unavailable {
            message: "the metadata database is being closed".to_owned(),
            source: "the writer's queue is closed".into(),
        };
        let (answer, answered) = oneshot::channel();
        let item = Box::new(Item { work, result: None, answer });
        self.queue.as_ref().ok_or_else(gone)?.send(item).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the queue lets the thread finish what is in it; the file is closed when it is done.
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported by its hook.
            let _ = thread.join();
        }
    }
}

/// A write in the queue, whatever its type.
trait Waiting: Send {
    /// Runs it, keeping the result; answers whether it succeeded.
    fn run(&mut self, conn: &mut Conn) -> bool;
    /// Tells the caller the result, or what became of the transaction.
    fn answer(self: Box<Self>, commit: Result<()>);
}

struct Item<W: Work> {
    work: W,
    result: Option<Result<W::Output>>,
    answer: oneshot::Sender<Result<W::Output>>,
}

impl<W: Work> Waiting for Item<W> {
    fn run(&mut self, conn: &mut Conn) -> bool {
        // The savepoint is rolled back after a panic, so nothing half done is seen.
        let result = catch_unwind(AssertUnwindSafe(|| at_once(self.work.run(conn))))
            .unwrap_or_else(|_| Err(Error::internal("a change panicked; it was rolled back")));
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn answer(self: Box<Self>, commit: Result<()>) {
        let result = match (self.result, commit) {
            // Its own failure is the better answer, whatever the others' fate.
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error),
            (Some(result), Ok(())) => result,
            (None, Ok(())) => Err(Error::internal("a change was not run")),
        };
        // Whoever asked may be gone.
        let _ = self.answer.send(result);
    }
}

/// Polls a future that is ready at once, because all it awaits runs inline.
pub(super) fn at_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::internal("a change waited for something while the database was locked for it")),
    }
}

fn write_all(connection: Connection, mut waiting: mpsc::Receiver<Box<dyn Waiting>>) {
    let mut conn = Conn::Sqlite(Session::of_writer(connection));
    while let Some(first) = waiting.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        let committed = commit(&mut conn, &mut batch);
        for item in batch {
            let outcome = match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(Error::Unavailable {
                    message: error.to_string(),
                    source: format!("the shared commit failed: {error:?}").into(),
                }),
            };
            item.answer(outcome);
        }
    }
}

/// Runs a batch in one transaction.
fn commit(conn: &mut Conn, batch: &mut [Box<dyn Waiting>]) -> Result<()> {
    control(conn, "BEGIN IMMEDIATE")?;
    let run = match batch {
        [only] => run_only(conn, only.as_mut()),
        several => several.iter_mut().try_for_each(|item| run(conn, item.as_mut())),
    };
    // A change that was alone and failed has ended the transaction.
    let result = run.and_then(|()| if in_transaction(conn) { control(conn, "COMMIT") } else { Ok(()) });
    if result.is_err() && in_transaction(conn) {
        control(conn, "ROLLBACK")?;
    }
    result
}

/// Runs the only change of a transaction, which ends here if the change fails: a savepoint would have SQLite copy every
/// page that the change touches.
fn run_only(conn: &mut Conn, item: &mut dyn Waiting) -> Result<()> {
    let succeeded = item.run(conn);
    if !in_transaction(conn) {
        return Err(rolled_back());
    }
    if succeeded { Ok(()) } else { control(conn, "ROLLBACK") }
}

/// Runs one change in its savepoint. Fails only when the whole transaction has to.
fn run(conn: &mut Conn, item: &mut dyn Waiting) -> Result<()> {
    control(conn, "SAVEPOINT change")?;
    let succeeded = item.run(conn);
    if !in_transaction(conn) {
        return Err(rolled_back());
    }
    if !succeeded {
        control(conn, "ROLLBACK TO change")?;
    }
    control(conn, "RELEASE change")
}

/// A full disk or a failing one makes SQLite roll back everything.
fn rolled_back() -> Error {
    Error::Unavailable {
        message: "the metadata database cannot be written at the moment".to_owned(),
        source: "sqlite rolled the transaction back".into(),
    }
}

fn session(conn: &Conn) -> Result<&Session> {
    match conn {
        Conn::Sqlite(session) => Ok(session),
        Conn::Postgres(_) => Err(Error::internal("the writer thread is SQLite's")),
    }
}

fn control(conn: &Conn, text: &str) -> Result<()> {
    session(conn)?.control(text)
}

fn in_transaction(conn: &Conn) -> bool {
    session(conn).and_then(Session::connection).is_ok_and(|connection| !connection.is_autocommit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Sql, params};

    static ADD: Sql = Sql::new("tests::ADD", "INSERT INTO filler (bytes) VALUES ($1)");
    static COUNT: Sql = Sql::new("tests::COUNT", "SELECT COUNT(*) FROM filler");

    struct Add(usize);

    impl Work for Add {
        type Output = ();

        async fn run(&self, conn: &mut Conn) -> Result<()> {
            conn.execute(&ADD, params![vec![0_u8; self.0].as_slice()]).await.map(drop)
        }
    }

    struct Count;

    impl Work for Count {
        type Output = Option<i64>;

        async fn run(&self, conn: &mut Conn) -> Result<Option<i64>> {
            conn.find(&COUNT, &[], |row| row.integer(0)).await
        }
    }

    #[tokio::test]
    async fn a_full_disk_refuses_what_does_not_fit_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = Connection::open(folder.path().join("test.db")).expect("opens");
        connection.execute_batch("CREATE TABLE filler (bytes BLOB)").expect("creates");
        // The file may grow to so many pages, as if the disk ended there.
        connection.pragma_update(None, "max_page_count", 20).expect("sets");
        let writer = Writer::start(connection).expect("starts");
        writer.write(Add(1000)).await.expect("fits");
        let error = writer.write(Add(1 << 20)).await.expect_err("does not fit");
        assert!(matches!(&error, Error::Unavailable { message, .. } if message.contains("full")), "{error:?}");
        writer.write(Add(1000)).await.expect("fits");
        assert_eq!(writer.write(Count).await.expect("reads"), Some(2));
    }

    #[tokio::test]
    async fn a_closing_writer_finishes_what_is_queued() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.db");
        let connection = Connection::open(&path).expect("opens");
        connection.execute_batch("CREATE TABLE filler (bytes BLOB)").expect("creates");
        let writer = Writer::start(connection).expect("starts");
        for _ in 0..100 {
            // Asked for once, so that it is queued, and never answered.
            let mut write = Box::pin(writer.write(Add(10)));
            let _ = futures_util::poll!(&mut write);
        }
        drop(writer);
        let count = Connection::open(&path)
            .and_then(|connection| connection.query_row(COUNT.sqlite(), [], |row| row.get::<_, i64>(0)));
        assert_eq!(count, Ok(100));
    }
}
