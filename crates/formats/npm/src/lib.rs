//! npm's registry protocol.

mod archive;
mod asset;
mod attestations;
mod deprecate;
mod details;
mod dist_tags;
mod documents;
mod error;
mod external;
mod index;
mod json;
mod login;
mod names;
mod packument;
mod publish;
mod put;
mod routes;
mod unpublish;
mod wire;

pub use external::Npm;
pub use routes::NpmRoutes;
