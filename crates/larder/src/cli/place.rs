//! Which account, domain and repository a command is about, and packages as people name them.

use std::sync::Arc;

use clap::Args;
use larder_core::access::{Caller, RepositoryTarget};
use larder_core::model::{AccountId, Domain, DomainName, PackageFormat, PackageKey, RepositoryName, VersionText};

use super::{DataOptions, Failure, Outcome};
use crate::wiring::Machine;

/// Which domain.
#[derive(Debug, Args)]
pub(super) struct DomainOptions {
    /// The domain.
    #[arg(long, default_value = "my-domain")]
    domain: DomainName,
    /// The account that owns it, if there is more than one account.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    #[command(flatten)]
    data: DataOptions,
}

/// A domain, and the machine's owner acting for the account that owns it.
pub(super) struct Place {
    pub(super) machine: Machine,
    pub(super) caller: Caller,
    pub(super) domain: Arc<Domain>,
}

impl DomainOptions {
    /// Opens the data and finds the domain.
    pub(super) async fn open(&self) -> Outcome<Place> {
        let machine = Machine::open(&self.data).await?;
        let account = match &self.account {
            Some(account) => account.clone(),
            None => {
                let accounts = machine.services.identities.list_accounts(&machine.allowed("ListAccounts")?).await?;
                match accounts.as_slice() {
                    [account] => account.clone(),
                    [] => return Err(Failure::new("there is no account yet; create one with `larder account create`")),
                    _ => return Err(Failure::new("there is more than one account; choose with --account ID")),
                }
            }
        };
        let domain = machine.services.access.get_domain(&account, &self.domain).await?;
        Ok(Place { caller: machine.caller_in(&account), domain, machine })
    }
}

impl Place {
    /// A repository of the domain.
    pub(super) async fn repository(&self, name: &RepositoryName) -> Outcome<RepositoryTarget> {
        let repository = self.machine.services.access.get_repository(&self.domain, name).await?;
        Ok(RepositoryTarget { domain: Arc::clone(&self.domain), repository })
    }

    /// The package and version that `NAME@VERSION` means. Without a format it is that of the one package of this name
    /// that the repository has.
    pub(super) async fn version(
        &self,
        target: &RepositoryTarget,
        format: Option<PackageFormat>,
        spec: &str,
    ) -> Outcome<(PackageKey, VersionText)> {
        let Some((name, version)) = spec.rsplit_once('@').filter(|(name, _)| !name.is_empty()) else {
            return Err(Failure::new(format!("'{spec}' is no version of a package; write NAME@VERSION")));
        };
        let services = &self.machine.services;
        let key = match format {
            Some(format) => {
                package_key(format, name, |namespace, name| services.formats.package_key(format, namespace, name))?
            }
            None => {
                let mut found = Vec::new();
                for format in PackageFormat::ALL {
                    let key = package_key(format, name, |namespace, name| {
                        services.formats.package_key(format, namespace, name)
                    });
                    if let Ok(key) = key
                        && services.store.find_package(target.repository.id, &key).await?.is_some()
                    {
                        found.push(key);
                    }
                }
                match <[PackageKey; 1]>::try_from(found) {
                    Ok([key]) => key,
                    Err(_) => return Err(Failure::new("say which format the package has: --format npm, for example")),
                }
            }
        };
        let version = services.formats.version(key.format(), version)?;
        Ok((key, version))
    }
}

/// The package as users of its format write it: `@scope/name`, `group:artifact`, `scope.name`, `namespace/name`.
fn package_key<E>(
    format: PackageFormat,
    text: &str,
    key: impl FnOnce(Option<&str>, &str) -> Result<PackageKey, E>,
) -> Result<PackageKey, E> {
    let parts = match format {
        PackageFormat::Npm => text.strip_prefix('@').and_then(|rest| rest.split_once('/')),
        PackageFormat::Maven => text.split_once(':'),
        PackageFormat::Swift => text.split_once('.'),
        PackageFormat::Generic => text.split_once('/'),
        _ => None,
    };
    match parts {
        Some((namespace, name)) => key(Some(namespace), name),
        None => key(None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_as_their_users_write_them() {
        for (format, text, shown) in [
            (PackageFormat::Npm, "@a/b", "npm/a/b"),
            (PackageFormat::Npm, "b", "npm//b"),
            (PackageFormat::Maven, "g.h:a", "maven/g.h/a"),
            (PackageFormat::Swift, "mona.linked", "swift/mona/linked"),
            (PackageFormat::Generic, "tools/x", "generic/tools/x"),
            (PackageFormat::Pypi, "foo", "pypi//foo"),
        ] {
            let key = package_key(format, text, |namespace, name| PackageKey::new(format, namespace, name));
            assert_eq!(key.map(|key| key.to_string()), Ok(shown.to_owned()));
        }
    }
}
