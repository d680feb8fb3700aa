//! What the API, the package formats and the console share of HTTP.
//!
//! * [`path`], [`credentials`], [`peer`] and [`RequestBody`] read requests; nothing else parses them.
//! * [`serve_document`] and [`serve_asset`] answer reads: conditional requests, ranges, encodings.
//! * [`Body`] and [`response`] carry and build answers.
//! * A package format implements [`FormatRoutes`], the API [`ApiHandler`].

pub mod asset;
mod body;
pub mod conditional;
pub mod credentials;
mod document;
pub mod path;
pub mod peer;
pub mod response;
mod routes;

pub use asset::{AssetHeaders, Opened, serve_asset};
pub use body::{BlobBody, Body, BodyError, RequestBody};
pub use document::serve_document;
pub use path::{BadPath, PathRules, RequestPath};
pub use peer::PeerInfo;
pub use response::Response;
pub use routes::{AnonymousRequest, ApiHandler, Failure, FormatRoutes, RepositoryRequest};
