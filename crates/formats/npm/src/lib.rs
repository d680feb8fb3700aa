//! npm's registry protocol, for npm, pnpm, yarn and bun.
//!
//! There is no standard: what clients send and read is written down in the documents of the public registry's API, in
//! the `couchdb` conventions that they grew from, and in the clients themselves (`npm-registry-fetch`, `pacote`,
//! `libnpmpublish`). Where they differ, the newest npm counts and no older client may break.
//!
//! * **Documents.** A version's manifest is kept as JSON text ([`larder_core::model::PackageVersion::metadata`]), the
//!   public registry's document as it came. `index` merges and renders both without parsing what it does not rewrite.
//!   Only `dist.tarball` and `dist.attestations.url` are rewritten.
//! * **Versions.** Build metadata is no part of a version's coordinate (`names::coordinate`): `1.0.0+a` is stored as
//!   `1.0.0` and shown as published.
//! * **Publishing** takes a JSON body with the tarball in Base64. `publish` streams it: the tarball goes to staging,
//!   the rest, bounded, to memory.
//! * **Unpublishing** disposes versions: their numbers are never free again by npm's own means.
//! * **Tags** are stored where somebody set them, not when a version is fetched from a public registry, whose own tags
//!   go on moving. Of tags that clash, the one nearest to the client counts.
//! * **Login** exchanges an access key for a token.
//! * **Search** looks at what is held, without asking a registry. **Advisories** come from the registry, which is told of
//!   no package but those that it told of itself (`audit`).
//!
//! Deliberately not done, and answered with 404 and a sentence: stars, teams and access (IAM has
//! them), web login, trusted publishing, staged publishing.

mod archive;
mod asset;
mod attestations;
mod audit;
mod deprecate;
mod details;
mod dist_tags;
mod documents;
mod error;
mod external;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod json;
mod login;
mod names;
mod packument;
mod publish;
mod put;
mod routes;
#[cfg(test)]
mod samples;
mod search;
mod unpublish;
mod wire;
mod withhold;

pub use external::Npm;
pub use routes::Routes;
