//! TBD
mod archive;
mod asset;
mod attestations;
mod error;
mod external;
mod index;
mod json_api;
mod list;
mod metadata;
mod names;
mod negotiate;
mod pages;
mod project;
mod projects;
mod publish;
mod registry_page;
mod routes;
mod urls;
mod wire;
mod yank;

pub use external::PypiFormat;
pub use routes::Routes;

#[cfg(test)]
mod tests;
