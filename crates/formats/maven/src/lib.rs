//! Maven: a tree of files over GET, HEAD and PUT, as Maven, Gradle, sbt, Ivy and their kin use it.
//!
//! Documents that define it: the repository layout and the metadata format as Maven Resolver implements them, the POM
//! (4.0.0), the version order of Resolver's generic version scheme, and for states and snapshots what CodeArtifact does.
//!
//! | address below the repository | answer |
//! |---|---|
//! | `GET {group/path}/{artifact}/{version}/{file}` | a file, with its checksums in `x-checksum-*` |
//! | `GET …/{file}.sha1`, `.md5`, `.sha256`, `.sha512` | its checksum, computed here |
//! | `GET {group/path}/{artifact}/maven-metadata.xml` | the versions, merged over all sources |
//! | `GET {group/path}/{artifact}/{base}-SNAPSHOT/maven-metadata.xml` | the newest build of a snapshot |
//! | `GET {group/path}/maven-metadata.xml` | the plugin prefixes of a group |
//! | `PUT` of a file | adds it to its version, which is Unfinished until its metadata comes |
//! | `PUT` of a checksum | compared, not stored |
//! | `PUT …/{artifact}/maven-metadata.xml` | publishes the Unfinished versions that it lists |
//! | `PUT …/{base}-SNAPSHOT/maven-metadata.xml` | publishes a build as `{base}-SNAPSHOT`, see [`finish`] |
//!
//! How it is stored: groupId is the namespace, artifactId the name, the file name the asset. Each build of a snapshot is a
//! version of its own (`1.0-20261122.192108-1`, Unlisted), and `1.0-SNAPSHOT` is a version with the newest build's assets.
//! A version's metadata column is [`wire::VersionMetadata`]. No metadata file is stored: all are made from the versions.
//!
//! How it is merged: the nearest layer that knows a release says whether it is listed; of a snapshot that several
//! repositories have, the furthest one's build wins (reference 3.4). Public registries give releases only.
//!
//! Deliberately not done: non-unique snapshots (refused with a sentence), directory listings, `archetype-catalog.xml`,
//! `.meta/prefixes.txt` (404, which means "ask for everything"), the Maven index, DELETE (versions are deleted through the
//! API).

mod asset;
mod checksum;
mod error;
mod external;
mod finish;
#[doc(hidden)]
pub mod fuzzing;
mod held;
mod index;
mod layout;
mod maven_metadata;
mod names;
mod plugins;
mod pom;
mod publish;
mod registry_file;
mod routes;
mod settings;
mod version_order;
mod wire;
mod xml;

pub use external::MavenFormat;
pub use routes::Routes;

#[cfg(test)]
mod tests;
