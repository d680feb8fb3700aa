//! The services on their real ports. A new format is one line here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use larder_auth::{policy::Evaluator, token::RandomSecrets, web_identity::JsonWebTokens};
use larder_core::access::{Allowed, Caller, ServerTarget, Via};
use larder_core::model::{AccountId, ExternalConnection, Principal, PrincipalKind, SystemClock};
use larder_core::ports::Format;
use larder_core::services::{Formats, Ports, SealedJournal, Services, WebIdentityPorts};
use larder_external::{Client, ClientSettings, Credentials, Issuers, Registries, RegistryAddress};
use larder_http::FormatRoutes;
use larder_store::blob::{StorageOptions, open_storage};
use larder_store::{DatabaseUrl, Store};

use crate::cli::{DataOptions, Failure, Outcome, ServeOptions};
use crate::config::{RegistryTable, Settings};
use crate::external_file::ExternalFile;
use crate::journal::{FileWitness, load_key};

/// The rules of every format that is served.
fn formats() -> Formats {
    let formats: Vec<Arc<dyn Format>> = vec![
        Arc::new(larder_npm::Npm),
        Arc::new(larder_pypi::PypiFormat),
        Arc::new(larder_cargo::CargoFormat::default()),
        Arc::new(larder_maven::MavenFormat),
        Arc::new(larder_generic::Generic),
        Arc::new(larder_nuget::NugetFormat),
        Arc::new(larder_swift::SwiftFormat),
        Arc::new(larder_ruby::RubyFormat),
    ];
    Formats::new(formats)
}

/// The routes of every format that has a package manager.
pub(crate) fn routes(services: &Arc<Services>, settings: &Settings) -> Vec<Arc<dyn FormatRoutes>> {
    let npm = larder_npm::Routes::new(Arc::clone(services));
    let generic = larder_generic::Routes::new(Arc::clone(services));
    let swift = larder_swift::Routes::new(Arc::clone(services));
    vec![
        Arc::new(if settings.npm_tags_win { npm.with_upstream_tags_winning() } else { npm }),
        Arc::new(larder_pypi::Routes::new(Arc::clone(services))),
        Arc::new(larder_cargo::Routes::new(Arc::clone(services))),
        Arc::new(larder_maven::Routes::new(Arc::clone(services))),
        Arc::new(if settings.generic_uploads_final { generic.with_final_uploads() } else { generic }),
        Arc::new(larder_nuget::Routes::new(Arc::clone(services))),
        Arc::new(if settings.swift_signatures_required { swift.requiring_signatures() } else { swift }),
        Arc::new(larder_ruby::Routes::new(Arc::clone(services))),
    ]
}

/// The services of a configuration, with the registries whose addresses may change while they run.
pub(crate) struct Wired {
    pub(crate) services: Arc<Services>,
    pub(crate) registries: Arc<Registries>,
    pub(crate) journal: Arc<SealedJournal>,
    /// The only way out, for what the configuration names.
    pub(crate) client: Client,
}

/// Opens database and blob store and wires the services to them.
pub(crate) async fn wire(settings: &Settings) -> Outcome<Wired> {
    settings.data_dir.create()?;
    let external = ExternalFile::read(&settings.data_dir.external_file())?;
    let client = Client::new(ClientSettings::default());
    let registries = Arc::new(Registries::new(client.clone(), &addresses(settings.all_registries(&external)?))?);
    let store = Store::open(&settings.database, settings.region.as_str()).await?;
    let storage = StorageOptions {
        staging: Some(settings.data_dir.staging()),
        transport: Some(Arc::new(client.clone())),
        ..StorageOptions::default()
    };
    let blobs = open_storage(&settings.storage_url, &storage)?;
    let store = Arc::new(store);
    let witness = Arc::new(FileWitness::new(&settings.data_dir));
    let key = load_key(&settings.data_dir)?;
    let journal = SealedJournal::new(Arc::clone(&store) as _, Arc::new(SystemClock), key, witness);
    let services = Services::new(Ports {
        store,
        blobs,
        registries: Arc::clone(&registries) as _,
        policies: Arc::new(Evaluator::new()),
        secrets: Arc::new(RandomSecrets),
        clock: Arc::new(SystemClock),
        formats: formats(),
        limits: settings.limits.clone(),
        region: settings.region.as_str().into(),
    });
    let issuers = Issuers::new(client.clone(), settings.internal_issuers.iter().cloned())?;
    let services = services.with_web_identities(WebIdentityPorts {
        tokens: Arc::new(JsonWebTokens),
        issuers: Arc::new(issuers),
        reusable_tokens: settings.reusable_identity_tokens,
    });
    Ok(Wired { services: Arc::new(services), registries, journal: Arc::new(journal), client })
}

/// Configuration as the outgoing client takes it.
pub(crate) fn addresses(
    tables: BTreeMap<ExternalConnection, RegistryTable>,
) -> HashMap<ExternalConnection, RegistryAddress> {
    tables.into_iter().map(|(connection, table)| (connection, address(table))).collect()
}

fn address(table: RegistryTable) -> RegistryAddress {
    let RegistryTable { url, username, password, token, allow_hosts } = table;
    let credentials = match (token, username) {
        (Some(token), _) => Some(Credentials::Bearer { token }),
        (None, Some(username)) => Some(Credentials::Basic { username, password: password.unwrap_or_default() }),
        (None, None) => None,
    };
    RegistryAddress { url, credentials, allow_hosts, ..RegistryAddress::default() }
}

/// The services as the machine's owner uses them: from the command line, without credentials.
pub(crate) struct Machine {
    pub(crate) services: Arc<Services>,
    pub(crate) journal: Arc<SealedJournal>,
}

impl Machine {
    /// Opens the data that the options name, also while a server runs on it.
    pub(crate) async fn open(options: &DataOptions) -> Outcome<Self> {
        let settings = Settings::load(&ServeOptions::from(options.clone()))?;
        // Serving makes a database; looking at one that is not there would make an empty one in the wrong place.
        if let DatabaseUrl::Sqlite(path) = &settings.database
            && !path.exists()
        {
            return Err(Failure::new(format!(
                "there is no database at {}; name the server's data directory with --data-dir, or start a server there \
                 first: larder serve",
                path.display()
            )));
        }
        let Wired { services, journal, .. } = wire(&settings).await?;
        Ok(Self { services, journal })
    }

    /// The machine's owner, acting for an account.
    pub(crate) fn caller_in(&self, account: &AccountId) -> Caller {
        Caller {
            principal: Principal { account: account.clone(), kind: PrincipalKind::System },
            via: Via::Machine,
            address: None,
            secure_transport: true,
            request_id: "command-line".to_owned(),
        }
    }

    /// Proof that the machine's owner may manage identities.
    pub(crate) fn allowed(&self, operation: &'static str) -> Outcome<Allowed<ServerTarget>> {
        let nobody = AccountId::new("000000000000")?;
        Ok(self.services.access.authorize_machine(&self.caller_in(&nobody), operation)?)
    }
}
