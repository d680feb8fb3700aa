//! The first start: an account, an administrator with a key, a domain and its repositories, so that the next command
//! is already `aws codeartifact login`.

use larder_core::access::{Action, NewDomainTarget, NewRepositoryTarget, RepositoryTarget};
use larder_core::error::{Error, Invalid};
use larder_core::model::{
    AccessKey, AccessKeyId, AccountId, DomainName, ExternalConnection, RepositoryName, SecretAccessKey, UserName,
};
use larder_core::services::{NewDomain, RepositorySettings};

use crate::aws_files::AwsFiles;
use crate::cli::{Failure, Outcome};
use crate::data_dir::DataDir;
use crate::wiring::Machine;

/// The administrator's policy.
const FULL_RIGHTS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const DOMAIN: &str = "my-domain";
const REPOSITORY: &str = "my-repo";

/// What a person may choose instead of random values.
#[derive(Debug)]
struct Chosen {
    account: AccountId,
    key: Option<(AccessKeyId, SecretAccessKey)>,
}

impl Chosen {
    /// Reads LARDER_ACCOUNT_ID, LARDER_ACCESS_KEY_ID and LARDER_SECRET_ACCESS_KEY.
    fn from_environment() -> Outcome<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let account = match variable("LARDER_ACCOUNT_ID") {
            Some(text) => AccountId::new(text).map_err(|error| in_variable("LARDER_ACCOUNT_ID", &error))?,
            None => random_account()?,
        };
        let key = match (variable("LARDER_ACCESS_KEY_ID"), variable("LARDER_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => Some((
                AccessKeyId::new(id).map_err(|error| in_variable("LARDER_ACCESS_KEY_ID", &error))?,
                SecretAccessKey::new(secret).map_err(|error| in_variable("LARDER_SECRET_ACCESS_KEY", &error))?,
            )),
            (None, None) => None,
            _ => {
                return Err(Failure::new(
                    "LARDER_ACCESS_KEY_ID and LARDER_SECRET_ACCESS_KEY must be set together or not at all",
                ));
            }
        };
        Ok(Self { account, key })
    }
}

fn in_variable(name: &str, error: &Invalid) -> Failure {
    Failure::new(format!("{name}: {error}"))
}

/// Twelve random digits, the first of them not zero.
pub(crate) fn random_account() -> Outcome<AccountId> {
    let number = getrandom::u64().map_err(|error| Failure::new(format!("no randomness: {error}")))?;
    Ok(AccountId::new((100_000_000_000 + number % 900_000_000_000).to_string())?)
}

/// Sets up an empty Larder; `false` if it is not empty. `connections` are those with an address.
pub(crate) async fn bootstrap(
    machine: &Machine,
    data_dir: &DataDir,
    connections: &[ExternalConnection],
) -> Outcome<bool> {
    let identities = &machine.services.identities;
    if !identities.list_accounts(&machine.allowed("ListAccounts")?).await?.is_empty() {
        return Ok(false);
    }
    let Chosen { account, key } = Chosen::from_environment()?;
    match identities.create_account(&machine.allowed("CreateAccount")?, account.clone()).await {
        Ok(()) => {}
        // Another node of a new cluster was faster.
        Err(Error::Conflict { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let key = create_administrator(machine, &account, key).await?;
    AwsFiles::write_credentials(data_dir, key.id.as_str(), key.secret.expose())?;
    create_repositories(machine, &account, connections).await?;
    Ok(true)
}

async fn create_administrator(
    machine: &Machine,
    account: &AccountId,
    chosen: Option<(AccessKeyId, SecretAccessKey)>,
) -> Outcome<AccessKey> {
    let identities = &machine.services.identities;
    let name = UserName::new("admin")?;
    identities.create_user(&machine.allowed("CreateUser")?, account.clone(), name.clone()).await?;
    let allowed = machine.allowed("PutUserPolicy")?;
    let (policy, document) = ("AdministratorAccess".to_owned(), FULL_RIGHTS.to_owned());
    identities.put_user_policy(&allowed, account.clone(), name.clone(), policy, document).await?;
    Ok(identities.create_access_key(&machine.allowed("CreateAccessKey")?, account, &name, chosen).await?)
}

/// `my-domain` with one store repository per reachable public registry, and `my-repo` in front of them.
async fn create_repositories(
    machine: &Machine,
    account: &AccountId,
    connections: &[ExternalConnection],
) -> Outcome<()> {
    let services = &machine.services;
    let caller = machine.caller_in(account);
    let target = NewDomainTarget { owner: account.clone(), name: DomainName::new(DOMAIN)? };
    let allowed = services.access.authorize(&caller, Action::CreateDomain, target).await?;
    let domain = services.domains.create(&allowed, NewDomain::default()).await?.domain;

    let mut upstreams = Vec::new();
    for connection in connections {
        let name = RepositoryName::new(connection.store_repository())?;
        let settings = RepositorySettings {
            description: Some(format!("Provides packages of {connection}")),
            ..RepositorySettings::default()
        };
        let target = NewRepositoryTarget { domain: domain.clone(), name };
        let allowed = services.access.authorize(&caller, Action::CreateRepository, target).await?;
        let repository = services.repositories.create(&allowed, settings).await?.into();
        let target = RepositoryTarget { domain: domain.clone(), repository };
        let action = Action::AssociateExternalConnection;
        let allowed = services.access.authorize(&caller, action, target.clone()).await?;
        let repository = services.repositories.associate_external_connection(&allowed, *connection).await?.into();
        let target = RepositoryTarget { repository, ..target };
        let action = Action::AssociateWithDownstreamRepository;
        upstreams.push(services.access.authorize(&caller, action, target).await?);
    }
    let target = NewRepositoryTarget { domain, name: RepositoryName::new(REPOSITORY)? };
    let allowed = services.access.authorize(&caller, Action::CreateRepository, target).await?;
    services.repositories.create(&allowed, RepositorySettings { upstreams, ..RepositorySettings::default() }).await?;
    Ok(())
}

/// The lines that a person pastes next.
pub(crate) fn next_steps(data_dir: &DataDir) -> String {
    let folder = data_dir.path().display();
    format!(
        "  eval \"$(larder env --data-dir {folder})\"\n  \
           aws codeartifact login --tool npm --domain {DOMAIN} --repository {REPOSITORY}\n  \
           aws codeartifact login --tool pip --domain {DOMAIN} --repository {REPOSITORY}"
    )
}
