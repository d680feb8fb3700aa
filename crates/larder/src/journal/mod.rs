//! What the program adds to the sealed journal: its files in the data directory, and the tasks that run beside a server.

mod files;
mod retention;
mod webhooks;

pub(crate) use files::{FileWitness, load_key, make_key, node_name};
pub(crate) use retention::Retention;
pub(crate) use webhooks::events;
