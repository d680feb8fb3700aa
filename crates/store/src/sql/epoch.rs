//! Whether anything was committed to an SQLite file, by whichever process, without asking SQLite.
//!
//! Every commit in WAL mode changes the header of the WAL index, the `-shm` file beside the database, before it returns
//! (<https://www.sqlite.org/walformat.html>, section 2.1): two copies of 48 bytes with a change counter, salts and
//! checksums. `PRAGMA data_version` compares the same bytes, but locks and unlocks the file to do so, which costs some
//! ten times as much as one read of them.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use larder_core::{Error, Result};
use rusqlite::Connection;

/// Both copies of the header. One that is being written differs from what was there and from what will be, so that a
/// torn read only makes a look too many.
type Header = [u8; 96];

/// Looks at the WAL index.
pub(super) struct Watcher {
    index: &'static File,
    /// What was seen last and how often it had changed by then.
    seen: Mutex<(Box<Header>, u64)>,
    /// The index exists for as long as somebody has the database open.
    _connection: Mutex<Connection>,
}

impl Watcher {
    /// Watches the database at `path`, which `connection` has open.
    pub(super) fn new(path: &Path, connection: Connection) -> Result<Self> {
        // The first read makes the index.
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(|error| super::sqlite::failure("watching the database", error))?;
        let mut name = path.as_os_str().to_owned();
        name.push("-shm");
        let index = File::open(&name).map_err(|error| unreadable(&error))?;
        // Never closed: closing any descriptor of a file ends all locks that this process holds on it, SQLite's too.
        let index: &'static File = Box::leak(Box::new(index));
        Ok(Self { index, seen: Mutex::new((Box::new([0; 96]), 0)), _connection: Mutex::new(connection) })
    }

    /// A number that differs from all earlier ones if anything was committed since.
    pub(super) fn epoch(&self) -> Result<u64> {
        let mut header: Header = [0; 96];
        self.index.read_exact_at(&mut header, 0).map_err(|error| unreadable(&error))?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen.0 != header {
            *seen.0 = header;
            seen.1 += 1;
        }
        Ok(seen.1)
    }
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::Unavailable {
        message: "the metadata database cannot be read at the moment".to_owned(),
        source: format!("the WAL index: {error}").into(),
    }
}
