//! The model, the rules and the ports of Larder: no HTTP, no SQL.
//!
//! * [`model`] holds the nouns: names, ARNs, packages, versions, assets, origins, principals.
//! * [`ports`] holds the traits that the outside implements: metadata, blobs, outgoing HTTP, policy evaluation, formats.
//!   A write is a value ([`ports::Change`]) that the store applies in one transaction together with its journal record.
//! * [`services`] holds the rules, one file per aggregate. A service takes an [`access::Allowed`], which only
//!   [`access::Access::authorize`] can make, so that no rule is reached without a decision.
//! * [`merkle`] holds the hash tree that the journal is sealed into.
//! * [`refusal`] holds the refusals by policy: a stable code and the sentence that clients print.
//! * [`error::Error`] is the closed list of failures; each protocol turns it into its client's form at the edge.

pub mod access;
pub mod error;
pub mod merkle;
pub mod model;
pub mod ports;
pub mod refusal;
pub mod services;

pub use error::{Error, Result};
pub use refusal::{Refusal, RefusalCode};
