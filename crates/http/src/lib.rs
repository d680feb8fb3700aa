//! What the API, the package formats and the console share of HTTP.
//!
//! * [`path`], [`credentials`], [`peer`] and [`RequestBody`] read requests; nothing else parses them.
//! * [`serve_document`] and [`serve_asset`] answer reads: conditional requests, ranges, encodings.
//! * [`Body`] and [`response`] carry and build answers.
//! * [`FormatError`] is the refusal of every package format, printed in the format's [`Dialect`].
//! * A package format implements [`FormatRoutes`], the API [`ApiHandler`]; [`Endpoint`] decides whose a request is and
//!   lets it in, [`Server`] takes it off the wire, names it and logs it.

pub mod asset;
mod body;
pub mod conditional;
pub mod credentials;
mod directory;
mod document;
mod endpoint;
mod format_error;
#[doc(hidden)]
pub mod fuzzing;
mod log;
pub mod path;
mod patience;
pub mod peer;
mod repeat;
mod request_id;
pub mod response;
mod routes;
mod server;
mod url_table;

pub use asset::{AssetHeaders, serve_asset};
pub use body::{BlobBody, Body, BodyError, PacedBody, ReadAhead, RequestBody};
pub use directory::Directory;
pub use document::serve_document;
pub use endpoint::{Endpoint, EndpointSettings};
pub use format_error::{Dialect, FormatError};
pub use log::{Auditor, log_failure, note_principal};
pub use path::{BadPath, PathRules, RequestPath};
pub use peer::PeerInfo;
pub use repeat::{answer_asset, answer_asset_with, answer_attachment, answer_document, answer_text};
pub use request_id::RequestId;
pub use response::Response;
pub use routes::{AnonymousRequest, ApiHandler, Failure, FormatRoutes, RepositoryRequest};
pub use server::{EncryptedStream, Encryption, Ends, Handler, Server, ServerSettings};
pub use url_table::{RouteTemplate, SegmentTemplate};
