//! PyPI: the simple index, uploads and what installers and bots ask for around them.
//!
//! Documents that define it: PEP 503 (names, HTML index), 691 and 700 (JSON index), 592 (yanking), 658 and 714 (core
//! metadata beside wheels), 740 (attestations), 792 (project status), 427 and 625 (wheel and sdist names), 440 (versions),
//! and for the upload form and the JSON API what the public index's own server does.
//!
//! | address below the repository | answer |
//! |---|---|
//! | `GET simple/`, `simple/{project}/` | index as JSON (API 1.4) or HTML, by `Accept` |
//! | `GET simple/{project}/{version}/{file}` | a file; `.metadata` and `.asc` behind its name for what lies beside it |
//! | `POST` on the repository itself and on `legacy/` | upload |
//! | `GET pypi/{project}/json`, `pypi/{project}/{version}/json` | the older JSON API |
//! | `GET integrity/{project}/{version}/{file}/provenance` | attestations |
//! | `PUT`, `DELETE -/yank/{project}/{version}` | **Larder's own**: yanks a release, with `{"reason": "…"}` if wanted, or undoes it; needs `PutPackageMetadata` |
//!
//! How it is stored: a version's metadata column holds which files are yanked ([`wire::VersionMetadata`]), an asset's what
//! the index says of the file beyond its digests ([`wire::FileMetadata`]). Core metadata, signature and provenance are
//! sidecar assets named `{file}.metadata`, `{file}.asc` and `{file}.provenance`. A version is stored under the PEP 440
//! spelling that came first; later files of an equal version (`1.0.0` for `1.0`) join it.
//!
//! How it is merged: see [`project`]. The nearest layer that knows a release supplies it, and no release mixes files of
//! two origins.
//!
//! Deliberately not done: XML-RPC and search (gone upstream too), `twine register` (not needed), trusted publishing,
//! upload API 2.0 (a draft), PEP 708 (rejected), eggs and installers as uploads.

mod archive;
mod asset;
mod attestations;
mod error;
mod external;
#[doc(hidden)]
pub mod fuzzing;
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
