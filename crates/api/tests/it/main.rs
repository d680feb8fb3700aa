//! The API over real services on SQLite and local blobs, without a listener: signed requests in, answers out.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic as tests do")]

mod domains;
mod endpoints;
mod iam;
mod package_groups;
mod packages;
mod policies;
mod publishing;
mod repositories;
mod signatures;
mod sts;
mod tags;
mod tokens;
mod versions;
mod world;
