//! npm's registry protocol.

mod archive;
mod attestations;
mod details;
mod external;
mod index;
mod json;
mod names;
mod packument;
mod publish;
mod wire;

pub use external::Npm;
