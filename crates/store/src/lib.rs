//! Metadata in SQL and blobs in files or buckets: the implementations of `core`'s storage ports.
//!
//! [`meta`] holds the queries, one module per aggregate, each the owner of its tables; `sql` holds the two thin drivers
//! under them. One SQL text serves SQLite and PostgreSQL. To add a query: write it into the `statements!` block of its
//! aggregate (the plan test then checks by itself that it does not scan). To add a table: a new numbered file under
//! `migrations/`, named in `sql/migrations.rs`. [`blob`] holds the bytes.

pub mod blob;
pub mod meta;
mod sql;

pub use meta::Store;
pub use sql::DatabaseUrl;
