//! One S3 server for all tests.

use std::io::{self, Write as _};
use std::sync::OnceLock;

use larder_testkit::ObjectStore;

/// The server; without its program, `None`, and a line on the terminal says so.
pub(super) fn server() -> Option<&'static ObjectStore> {
    static SERVER: OnceLock<Option<ObjectStore>> = OnceLock::new();
    let start = || match ObjectStore::try_start() {
        Ok(server) => Some(server),
        Err(reason) => {
            // Not by the macro, whose output a passing test hides.
            let _ = writeln!(io::stderr(), "SKIPPED: the blob suite does not run on S3, because {reason}");
            None
        }
    };
    SERVER.get_or_init(start).as_ref()
}
