//! TBD
mod archive;
mod external;
mod index;
mod metadata;
mod names;
mod negotiate;
mod project;
mod registry_page;
mod urls;
mod wire;
pub use external::PypiFormat;
