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
//! | `GET api/v1/versions/{gem}.json`, `…/latest.json`, `gems/{gem}.json`, `search.json`, `api/v2/rubygems/…` | what tools ask |
//! | `GET api/v1/gems/{gem}/owners` | the caller, if it may push; changing owners is refused, it is IAM's |
//! | `GET api/v1/attestations/{full_name}.json` | the attestations that a gem was pushed with |
//! | `GET`, `POST`, `PUT api/v1/api_key` | signing in: the token that is the password is the key |
//!
//! How it is stored: a gem's key is its name. A version is `NUMBER` or `NUMBER-PLATFORM`, so that each platform's gem is
//! a version of its own. Its metadata column holds its line of `info/{gem}`, for what came from a public registry byte
//! for byte; the gemspec in Marshal's form and the attestations lie beside the gem. A yanked version is Unlisted: no index has it, lock files
//! that name it still install.
//!
//! How it is merged: see [`index`] for a gem and [`versions`] for the lists of all gems.
//!
//! Deliberately not done: the dependency API (clients go on without it) and lists of owners (IAM policies do that work).
//! Signatures of attestations are left to whoever relies on them to verify.

mod api;
mod archive;
mod asset;
mod attestations;
mod error;
mod external;
#[doc(hidden)]
pub mod fuzzing;
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
