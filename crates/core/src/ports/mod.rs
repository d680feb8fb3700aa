//! What core needs from outside. Each trait is implemented once: metadata and blobs in `store`, policy evaluation in
//! `auth`, outgoing requests in `external`, and [`Format`] once per package format.

mod blobs;
mod change;
mod events;
mod format;
mod identities;
mod log;
mod metadata;
mod package_groups;
mod policy;
mod registry;
mod secrets;
mod sessions;
mod transport;
mod web_identity;

pub use blobs::{Blob, BlobStore, ByteRange, ByteStream, HELD_LIMIT_BYTES, KEPT_FOR, StagedBlob, Staging};
pub use change::{Applied, BatchOutcome, BatchSelection, Change, NewRepository, PublishAs, VersionSelector};
pub use events::{EventMessage, EventSender};
pub use format::{Format, Gate, IndexRequest, Inspected, Promise, PromisedAsset};
pub use identities::{Identities, IdentityChange};
pub use log::{
    CursorBatch, Delivery, DeliveryState, EventCursor, JournalLog, LogState, Outcome, Seal, Sealed, Signer, StoredTile,
    Witness,
};
pub use metadata::{
    Accounts, Domains, HostedPackage, Journal, MetadataStore, PackageFilter, Packages, Repositories, RepositoryFilter,
    Sightings, StoredIndex, Tokens, UpstreamIndexes, Usage, VersionFilter,
};
pub use package_groups::{AllowedRepositoryUpdate, NewPackageGroup, PackageGroupOriginUpdate, PackageGroups};
pub use policy::{AccessQuestion, Effect, Grant, PolicyEvaluator, PolicyKind, TrustQuestion, Varies, Verdict};
pub use registry::{Download, PublicRegistries, RegistryAnswer, RegistryDocuments, RegistryQuestion, RegistryRequest};
pub use secrets::Secrets;
pub use sessions::{AssumableRole, IdentityProvider, NewRole, Sessions, SpentToken};
pub use transport::{HttpTransport, IncomingResponse, OutgoingBody, OutgoingRequest};
pub use web_identity::{Claims, IssuerKeys, Unproven, UnprovenToken, WebIdentityTokens};
