//! Generic packages: plain files under a package and a version, for curl, wget and build tools.
//!
//! The service whose API this server speaks has no protocol for them beside its API, which needs signed requests and an
//! SDK. This tree of addresses is Larder's own (protocol reference 8.3); both see the same packages.
//!
//! | address below the repository | answer |
//! |---|---|
//! | `PUT [{namespace}/]{package}/{version}/{asset}` | uploads: 201, 200 if it was there, 409 if it is there with other bytes |
//! | `GET`, `HEAD` of it | the bytes, with ranges and conditions, as an attachment |
//! | `DELETE` of it | removes the asset; needs `DeletePackageVersions` |
//! | `POST …?uploads`, then `PATCH`, `GET`, `PUT ?digest=`, `DELETE` on what `Location` says | an upload in pieces, see [`resume`] |
//! | `GET [{namespace}/]{package}/{version}/` | the version's assets, as JSON or HTML by `Accept` |
//! | `GET …/{version}/SHA256SUMS` | what `sha256sum -c` reads, unless an asset has that name |
//! | `GET …/{package}/latest/{asset}` | 302 to the newest published version, see [`latest`] |
//! | `POST …/{version}/?finish` | makes the version `Published`: it takes no more assets |
//! | `DELETE …/{version}/` | removes the version |
//!
//! Segments are percent-encoded once. Three segments name an asset of a package without namespace, four one with; a
//! namespace may also be given as `?namespace=`, but not twice. The API cannot name a package without namespace, so
//! those have the namespace `_` there.
//!
//! A version that is uploaded to stays `Unfinished`, and can be read all the same, until an upload says
//! `?unfinished=false` or the version is finished; [`Routes::with_final_uploads`] makes every upload final unless it says
//! `?unfinished=true`, as the API does. Names are compared as they are, in Unicode's form NFC; a package whose name
//! differs from a known one in case only is refused.
//!
//! How it is stored: nothing beyond names, digests and bytes. Never fetched from upstream, and no archive is looked into:
//! so there is no `archive.rs`, no `external.rs`, and `index.rs` lists one version.

mod address;
mod asset;
mod delete;
mod digests;
mod error;
mod format;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod latest;
mod names;
mod parameters;
mod publish;
mod resume;
mod routes;
mod uploads;
mod versions;
mod wire;

pub use format::Generic;
pub use routes::Routes;

#[cfg(test)]
mod tests;
