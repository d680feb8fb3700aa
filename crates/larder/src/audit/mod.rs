//! The audit log: JSON lines in the form of CloudTrail, in files that are rotated.
//!
//! Writes come from the sealed journal: which of its records are in the files is known after a crash, and the rest is
//! added. Requests that left no journal record (reads, refusals) come over a bounded queue that nobody waits for; how
//! many found it full is a record, too.

mod files;
mod queue;
mod writer;

pub(crate) use files::{AuditFiles, FileLimits, list};
pub(crate) use queue::Queue;
pub(crate) use writer::AuditWriter;
