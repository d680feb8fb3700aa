//! The only outgoing HTTP of Larder (promise 6: no request goes to an address the operator did not configure).
//!
//! * [`Client`] is one connection pool with time limits, for everything. It is also the transport of the object store.
//! * [`Registries`] is the public registries, at the addresses of the configuration: which URL may be asked, with
//!   which credentials, is decided in `addresses.rs` for every request and every redirect.
//! * [`Issuers`] is the identity providers that accounts registered: only the keys of their tokens are fetched.
//! * `reach.rs` says which IP addresses are public. Addresses are looked at after DNS resolution, at the moment of
//!   connecting, so that a name which changes its mind reaches nothing either.
//!
//! Proxies named by environment variables are not used: they would decide where requests go, and they do not apply the
//! rules above. TLS trusts the machine's certificate store; `SSL_CERT_FILE` and `SSL_CERT_DIR` choose another.

mod addresses;
mod answer;
mod body;
mod client;
mod configuration;
mod exchange;
mod guard;
mod issuers;
mod origins;
mod reach;
mod registries;
mod transport;

#[doc(hidden)]
pub mod fuzzing;

#[cfg(test)]
mod testing;

pub use client::{Client, ClientSettings};
pub use configuration::{Credentials, FileHosts, RegistryAddress};
pub use issuers::Issuers;
pub use registries::Registries;
