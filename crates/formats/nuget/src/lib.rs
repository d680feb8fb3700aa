//! NuGet: the v3 protocol of dotnet, nuget.exe, Visual Studio and Paket.
//!
//! What defines it: the documentation of the server API, and what its clients do; protocol reference 4.
//!
//! | address below the repository | answer |
//! |---|---|
//! | `GET v3/index.json` | service index; clients find everything else through it |
//! | `GET v3/flatcontainer/{id}/index.json`, `…/{version}/{id}.{version}.nupkg`, `….nuspec`, `…/readme` | versions and files |
//! | `GET v3/registration…/{id}/index.json`, `…/page/{lower}/{upper}.json`, `…/{version}.json` | metadata, in three hives ([`urls::Hive`]); `registration4` is CodeArtifact's address for scripts |
//! | `GET v3/vulnerabilities/index.json`, `…/{page}.json` | the public registry's pages, if it has any |
//! | `GET v3/search`, `v3/autocomplete` | what the repository and its upstreams hold |
//! | `PUT v3/publish`, `DELETE` and `POST v3/publish/{id}/{version}` | push, unlist, relist; also at `api/v2/package`, which clients make of a source without a path |
//! | `PUT v3/symbolpackage`, `GET v3/symbols/{file}/{id}/{file}` | symbol packages and the debug files in them |
//!
//! How it is stored: ids in lower case, versions normalized and in lower case ([`names`]). A version has one asset, the
//! package, and beside it its manifest and its symbol package. Its metadata column holds what the manifest or the registry
//! says ([`wire::PackageMetadata`]); the spelling of its publisher is kept there. The bytes of a package never change:
//! lock files and signatures depend on them.
//!
//! Unlisting is the API's status Unlisted, and needs `UpdatePackageVersionsStatus`; push needs `PublishPackageVersion` and
//! `ReadFromRepository`, as with CodeArtifact.
//!
//! How it is merged: see [`package`]. How a public registry is read: see [`resources`] and [`external`].
//!
//! Deliberately not done: the v2 protocol (OData), repository signatures (a server that claims them makes clients refuse
//! everything else), pages about a package, its owner or abuse of it (their
//! templates lead to a gallery's web site, and there is none here), download counts, the catalog.

mod archive;
mod asset;
mod documents;
mod error;
mod external;
mod form;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod listing;
mod names;
mod nuspec;
mod offered;
mod package;
mod pdb;
mod publish;
mod resources;
mod routes;
mod search;
mod service_index;
mod symbols;
mod urls;
mod vulnerabilities;
mod wire;
mod xml;

pub use external::NugetFormat;
pub use routes::Routes;
