//! All services, wired to the ports.

use std::sync::Arc;

use moka::sync::Cache;

use super::downloads::Retention;
use super::fetch::Fetches;
use super::graph::Graph;
use super::registry_index::RegistryIndexes;
use super::view::Views;
use super::{
    Associations, Background, Control, Cooldowns, DomainService, Downloads, Explain, Formats, IdentityService,
    IndexService, Ingestion, KeyUses, Limits, Maintenance, PackageGroupService, PackageService, PolicyService,
    Publishing, RepositoryService, StsService, TagService, Throttle, TokenService, VersionService, WebIdentityPorts,
};
use crate::access::Access;
use crate::model::Clock;
use crate::ports::{BlobStore, MetadataStore, PolicyEvaluator, PublicRegistries, Secrets};

/// What the outside provides.
pub struct Ports {
    pub store: Arc<dyn MetadataStore>,
    pub blobs: Arc<dyn BlobStore>,
    pub registries: Arc<dyn PublicRegistries>,
    pub policies: Arc<dyn PolicyEvaluator>,
    pub secrets: Arc<dyn Secrets>,
    pub clock: Arc<dyn Clock>,
    pub formats: Formats,
    pub limits: Limits,
    pub region: Arc<str>,
}

/// Everything that protocols call.
pub struct Services {
    pub access: Arc<Access>,
    pub tokens: TokenService,
    pub index: IndexService,
    pub downloads: Arc<Downloads>,
    pub publishing: Arc<Publishing>,
    pub explain: Explain,
    pub domains: DomainService,
    pub repositories: RepositoryService,
    pub packages: PackageService,
    pub package_groups: PackageGroupService,
    pub versions: VersionService,
    pub policies: PolicyService,
    pub tags: TagService,
    pub sts: StsService,
    pub identities: IdentityService,
    pub key_uses: KeyUses,
    pub maintenance: Maintenance,
    pub store: Arc<dyn MetadataStore>,
    pub blobs: Arc<dyn BlobStore>,
    pub registries: Arc<dyn PublicRegistries>,
    pub clock: Arc<dyn Clock>,
    pub formats: Formats,
    pub limits: Limits,
    /// Counts requests, if rates are set.
    pub throttle: Option<Throttle>,
    /// The region that stands in every ARN.
    pub region: Arc<str>,
    /// Work that goes on after answers; a shutdown drains it.
    pub background: Background,
}

impl Services {
    /// Wires the services to the ports.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        let Ports { store, blobs, registries, policies, secrets, clock, formats, limits, region } = ports;
        let control = Arc::new(Control::new(Arc::clone(&store)));
        let background = Background::default();
        let access = Arc::new(Access::new(
            Arc::clone(&control),
            Arc::clone(&store),
            Arc::clone(&policies),
            Arc::clone(&clock),
            Arc::clone(&region),
        ));
        let indexes = Arc::new(RegistryIndexes::new(
            Arc::clone(&store),
            Arc::clone(&registries),
            formats.clone(),
            Arc::clone(&clock),
            limits.clone(),
        ));
        let associations = Arc::new(Associations::new(Arc::clone(&store), Arc::clone(&control)));
        let graph = Arc::new(Graph::new(Arc::clone(&store), Arc::clone(&control), Arc::clone(&associations), &limits));
        let cooldowns = Arc::new(Cooldowns {
            store: Arc::clone(&store),
            control: Arc::clone(&control),
            clock: Arc::clone(&clock),
            formats: formats.clone(),
            indexes: Arc::clone(&indexes),
            region: Arc::clone(&region),
            repositories: Cache::new(50_000),
            groups: Cache::new(50_000),
        });
        let views = Arc::new(Views {
            store: Arc::clone(&store),
            control: Arc::clone(&control),
            clock: Arc::clone(&clock),
            graph: Arc::clone(&graph),
            indexes,
            cooldowns: Arc::clone(&cooldowns),
            limits: limits.clone(),
        });
        let ingestion =
            Arc::new(Ingestion { store: Arc::clone(&store), blobs: Arc::clone(&blobs), formats: formats.clone() });
        let downloads = Arc::new(Downloads {
            views: Arc::clone(&views),
            blobs: Arc::clone(&blobs),
            fetches: Arc::new(Fetches::new(
                Arc::clone(&registries),
                Arc::clone(&blobs),
                ingestion,
                background.clone(),
                limits.clone(),
            )),
            formats: formats.clone(),
            retention: Arc::new(Retention {
                store: Arc::clone(&store),
                background: background.clone(),
                running: std::sync::Mutex::default(),
            }),
            found: Cache::new(50_000),
        });
        let publishing = Arc::new(Publishing {
            views: Arc::clone(&views),
            associations: Arc::clone(&associations),
            store: Arc::clone(&store),
            blobs: Arc::clone(&blobs),
            formats: formats.clone(),
            limits: limits.clone(),
        });
        let explain = Explain {
            access: Arc::clone(&access),
            downloads: Arc::clone(&downloads),
            publishing: Arc::clone(&publishing),
            store: Arc::clone(&store),
        };
        Self {
            tokens: TokenService::new(Arc::clone(&store), control, Arc::clone(&clock), Arc::clone(&secrets)),
            index: IndexService::new(Arc::clone(&views)),
            downloads,
            publishing,
            explain,
            domains: DomainService::new(Arc::clone(&store), Arc::clone(&region), &limits),
            repositories: RepositoryService::new(Arc::clone(&store), &limits),
            packages: PackageService::new(Arc::clone(&store)),
            package_groups: PackageGroupService {
                store: Arc::clone(&store),
                associations: Arc::clone(&associations),
                limits: limits.clone(),
            },
            versions: VersionService {
                store: Arc::clone(&store),
                blobs: Arc::clone(&blobs),
                formats: formats.clone(),
                graph,
                cooldowns,
            },
            policies: PolicyService::new(Arc::clone(&store), Arc::clone(&policies), Arc::clone(&region)),
            sts: StsService::new(
                Arc::clone(&store),
                Arc::clone(&access),
                Arc::clone(&policies),
                Arc::clone(&secrets),
                Arc::clone(&clock),
            ),
            tags: TagService::new(Arc::clone(&store), Arc::clone(&region)),
            identities: IdentityService::new(Arc::clone(&store), policies, secrets),
            key_uses: KeyUses::new(Arc::clone(&store), background.clone()),
            maintenance: Maintenance {
                store: Arc::clone(&store),
                blobs: Arc::clone(&blobs),
                clock: Arc::clone(&clock),
            },
            access,
            store,
            blobs,
            registries,
            clock,
            formats,
            throttle: Throttle::new(&limits.rates),
            limits,
            region,
            background,
        }
    }

    /// With identity providers, whose tokens are exchanged for sessions of roles.
    #[must_use]
    pub fn with_web_identities(self, ports: WebIdentityPorts) -> Self {
        Self { sts: self.sts.with_web_identities(ports), ..self }
    }
}
