//! The rules, one file per aggregate.

mod background;
mod control;
mod document;
mod downloads;
mod fetch;
mod formats;
mod graph;
mod index;
mod ingestion;
mod keyed_lock;
mod limits;
mod publishing;
mod registry_index;
mod tokens;
mod view;
mod wiring;

pub use background::Background;
pub use control::Control;
pub use document::{Document, Rendered};
pub use downloads::{Downloads, OpenedAsset};
pub use formats::Formats;
pub use index::IndexService;
pub(crate) use ingestion::{Ingest, Ingestion};
pub use limits::Limits;
pub use publishing::{Publishing, Upload, UploadedAsset};
pub use tokens::{DEFAULT_LIFETIME, SHORTEST_LIFETIME, TokenOptions, TokenService};
pub use view::{Layer, View};
pub use wiring::{Ports, Services};
