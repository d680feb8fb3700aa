//! Cargo: the sparse index, publishing, yanking and downloads, as cargo has spoken them since 1.68.
//!
//! Documents that define it: the chapters "Registry Index", "Registry Web API" and "Registry Authentication" of the Cargo
//! book, and what the public crates registry answers around them. Numbers in comments such as "protocols 7.2" name the
//! sections of Larder's protocol reference.
//!
//! | address below the repository | answer |
//! |---|---|
//! | `GET config.json` | where crates and the web API are; `auth-required` |
//! | `GET {prefix}/{crate}` | a file of the sparse index: one JSON line per version |
//! | `PUT api/v1/crates/new` | publish |
//! | `GET api/v1/crates/{crate}/{version}/download` | the `.crate` file |
//! | `DELETE api/v1/crates/{crate}/{version}/yank`, `PUT …/unyank` | yanking; needs `PutPackageMetadata` |
//! | `GET`, `PUT`, `DELETE api/v1/crates/{crate}/owners` | who may publish; changing that is refused, it is IAM's |
//! | `GET api/v1/crates?q=` | search by name |
//! | `GET api/v1/crates/{crate}`, `…/versions`, `…/{version}`, `…/dependencies`, `…/readme` | what bots ask for |
//! | `GET me` | how to get a token, without one |
//!
//! How it is stored: a crate's key is its name in lower case, because that is how the index is asked; the published
//! spelling is the display name. `-` and `_` stay what they are. A version is stored without its build metadata, since
//! `1.0.0+a` and `1.0.0+b` cannot both be there. A version's metadata column holds its index line, for what came from a
//! public registry byte for byte; yanking changes the `yanked` member of a line that was written here.
//!
//! How it is merged: see [`index`]. Lines of public registries are relayed verbatim, and a version that a nearer
//! repository knows is supplied, or hidden, by that.
//!
//! How the public registry is read: a connection's address is the root of its sparse index. What is stored of a crate is
//! the registry's download template followed by the index file as it came, see [`external`].
//!
//! Deliberately not done: the git index, asymmetric tokens (unstable), owners (IAM policies do that work), categories
//! and badges.

mod archive;
mod asset;
mod crates;
mod error;
mod external;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod line;
mod names;
mod owners;
mod pages;
mod publish;
mod routes;
mod search;
mod wire;
mod yank;

pub use external::CargoFormat;
pub use routes::Routes;

#[cfg(test)]
mod tests;
