//! What core needs from outside. Each trait is implemented once: metadata and blobs in `store`, policy evaluation in
//! `auth`, outgoing requests in `external`, and [`Format`] once per package format.

mod blobs;
mod change;
mod format;
mod metadata;
mod package_groups;
mod policy;
mod registry;
mod secrets;
mod transport;

pub use blobs::{Blob, BlobStore, ByteRange, ByteStream, HELD_LIMIT_BYTES, StagedBlob, Staging};
pub use change::{Applied, BatchOutcome, BatchSelection, Change, NewRepository, PublishAs, VersionSelector};
pub use format::{Format, Gate, IndexRequest, Inspected, Promise, PromisedAsset};
pub use metadata::{
    Accounts, Domains, HostedPackage, Journal, MetadataStore, PackageFilter, Packages, Repositories, RepositoryFilter,
    Sightings, StoredIndex, Tokens, UpstreamIndexes, Usage, VersionFilter,
};
pub use package_groups::{AllowedRepositoryUpdate, NewPackageGroup, PackageGroupOriginUpdate, PackageGroups};
pub use policy::{AccessQuestion, Effect, PolicyEvaluator, PolicyKind, Verdict};
pub use registry::{Download, PublicRegistries, RegistryAnswer, RegistryDocuments, RegistryRequest};
pub use secrets::Secrets;
pub use transport::{HttpTransport, IncomingResponse, OutgoingBody, OutgoingRequest};
