//! What tests need to drive a real Larder from outside: the program itself on a port of its own, requests no client
//! would send, the real clients in clean homes, and public registries that can be made to misbehave.
//!
//! Everything here blocks: a test is a plain function that reads from top to bottom. The server is the program whose
//! path is in `LARDER_BIN`; the clients are those that `cargo xtask clients` installed into `LARDER_TOOLS`.
//! `cargo xtask e2e` sets both.

pub mod client;
pub mod http;
pub mod issuer;
pub mod object_store;
pub mod packages;
pub mod postgres;
pub mod registry;
pub mod runner;
pub mod server;
pub mod sigv4;
pub mod tls;
pub mod tools;

pub use client::{Client, Ran};
pub use http::{Request, Response};
pub use issuer::Issuer;
pub use object_store::ObjectStore;
pub use postgres::Postgres;
pub use registry::{Fault, Registry};
pub use runner::{Test, skip};
pub use server::{Server, Stopped};
