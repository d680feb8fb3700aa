//! TBD
mod archive;
mod metadata;
mod names;
mod negotiate;
mod registry_page;
mod wire;
