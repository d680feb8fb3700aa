//! The rules, one file per aggregate.

mod background;
mod control;
mod cooldown;
mod copies;
mod document;
mod domains;
mod downloads;
mod fetch;
mod formats;
mod graph;
mod identities;
mod index;
mod ingestion;
mod keyed_lock;
mod limits;
mod maintenance;
mod package_groups;
mod packages;
mod policies;
mod publishing;
mod registry_index;
mod repositories;
mod roles;
mod sts;
mod tags;
mod throttle;
mod tokens;
mod versions;
mod view;
mod wiring;

pub use background::Background;
pub use control::Control;
pub(crate) use cooldown::Cooldowns;
pub use cooldown::{AppliedRule, Rules, SetBy, Withheld};
pub use copies::CopyRequest;
pub use document::{Document, Rendered};
pub use domains::{DescribedDomain, DomainService, NewDomain};
pub use downloads::{Downloads, OpenedAsset};
pub use formats::Formats;
pub use identities::{IdentityService, NewManagedPolicy};
pub use index::IndexService;
pub(crate) use ingestion::{Ingest, Ingestion};
pub use limits::Limits;
pub use maintenance::{GarbageReport, Maintenance, Problem, VerifyReport};
pub(crate) use package_groups::Associations;
pub use package_groups::{OriginUpdate, PackageGroupService, PackageGroupSettings, PackageGroupUpdate};
pub use packages::PackageService;
pub use policies::{PolicyService, PolicyTarget, ResourcePolicy};
pub use publishing::{Publishing, Upload, UploadedAsset};
pub use repositories::{LinkableUpstream, RepositorySearch, RepositoryService, RepositorySettings, RepositoryUpdate};
pub use roles::{DEFAULT_MAX_SESSION, RoleSettings};
pub use sts::{
    AssumeRole, AssumeRoleWithWebIdentity, Assumed, AssumedWithWebIdentity, Credentials, FoundSession, RequestedTag,
    SessionLookup, SessionRequest, StsError, StsService, WebIdentityPorts,
};
pub use tags::TagService;
pub use throttle::{Effort, Rates, Throttle};
pub use tokens::{Client, DEFAULT_LIFETIME, SHORTEST_LIFETIME, TokenOptions, TokenService};
pub use versions::{DescribedVersion, ListedVersions, OfVersion, VersionService};
pub use view::{Layer, Sources, View};
pub use wiring::{Ports, Services};
