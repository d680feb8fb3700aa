//! Swift: the package registry that SwiftPM and Xcode speak with.
//!
//! Documents that define it: SE-0292 (the registry service), SE-0321 (publishing), SE-0378 (authentication) and SE-0391
//! (publishing with signatures), and where they leave things open what SwiftPM sends and reads.
//!
//! | address below the repository | answer |
//! |---|---|
//! | `GET {scope}/{name}` | releases, newest first, in pages |
//! | `GET {scope}/{name}/{version}` | one release: checksum, signature, metadata |
//! | `GET {scope}/{name}/{version}/Package.swift` | the manifest, or its variant for `?swift-version=` |
//! | `GET {scope}/{name}/{version}.zip` | the source archive |
//! | `PUT {scope}/{name}/{version}` | publish |
//! | `GET identifiers?url=` | packages that name this source repository |
//! | `POST login`, `GET availability` | whether the token is good, whether the server is there |
//!
//! The two JSON documents are also at their address with `.json`.
//!
//! How it is stored: scope and name in lower case are the package's namespace and name; the spelling of the first publish
//! is its display name, `Scope.Name`. The source archive is the version's one asset, the manifests lie beside it as
//! sidecars under their own file names. A version's metadata column holds the publisher's metadata as it was sent, the
//! signatures and the list of manifests ([`wire::VersionMetadata`]).
//!
//! How it is merged: the first repository that has a package supplies all of it, see [`releases`]. There are no public
//! registries of Swift packages.
//!
//! Deliberately not done: signatures are checked for their form and kept, not verified (clients do that, with their own
//! roots); publishing is answered at once, never with 202; dependencies are not read, because a manifest is a program.

mod accept;
mod archive;
mod asset;
mod cms;
mod error;
mod external;
#[doc(hidden)]
pub mod fuzzing;
mod identifiers;
mod index;
mod links;
mod login;
mod manifest;
mod metadata;
mod names;
mod publish;
mod releases;
mod routes;
mod scm_url;
mod wire;

pub use external::SwiftFormat;
pub use routes::Routes;
