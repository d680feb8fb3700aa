//! RubyGems: the compact index, the Marshal index of older clients, pushing, yanking and downloads, as `gem` and Bundler
//! speak them.
//!
//! Documents that define it: RubyGems' guides on its API and compact index, and the sources of both clients. Numbers in
//! comments such as "protocols 6.2" name the sections of Larder's protocol reference.
//!
//! | address below the repository | answer |
//! |---|---|
//! | `GET versions`, `names`, `info/{gem}` | the compact index |
//! | `GET specs.4.8.gz`, `latest_specs.4.8.gz`, `prerelease_specs.4.8.gz` | all versions, in Marshal's form |
//! | `GET quick/Marshal.4.8/{full_name}.gemspec.rz` | a gemspec, in Marshal's form |
//! | `GET gems/{full_name}.gem` | a gem |
//! | `POST api/v1/gems` | push |
//! | `DELETE api/v1/gems/yank` | yanking; needs `UpdatePackageVersionsStatus` |
//!
//! How it is stored: a gem's key is its name. A version is `NUMBER` or `NUMBER-PLATFORM`, so that each platform's gem is
//! a version of its own. Its metadata column holds its line of `info/{gem}`, for what came from a public registry byte
//! for byte; the gemspec in Marshal's form lies beside the gem. A yanked version is Unlisted: no index has it, lock files
//! that name it still install.
//!
//! How it is merged: see [`index`] for a gem and [`versions`] for the lists of all gems.
//!
//! Deliberately not done: the dependency API (clients go on without it), attestations, owners and keys (IAM policies and
//! authorization tokens do that work), and the JSON API.

mod archive;
mod asset;
mod error;
mod external;
mod gemspec;
mod index;
mod line;
mod marshal;
mod names;
mod publish;
mod routes;
mod versions;
mod yaml;
mod yank;

pub use external::RubyFormat;
pub use routes::Routes;

#[cfg(test)]
mod tests;
