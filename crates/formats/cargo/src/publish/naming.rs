//! Who may take which name (protocols 7.4, 7.5). A crate is always spelled as it was first, and a new one may not be
//! mistaken for another: neither here, nor in an upstream repository, nor in a public registry.

use larder_core::Error;
use larder_core::access::{Action, Allowed, Caller, RepositoryTarget};
use larder_core::model::{AllowUpstream, OriginType, Package, PackageKey, PageRequest};
use larder_core::ports::VersionFilter;
use larder_core::services::{Layer, View};

use crate::error::CargoError;
use crate::line::Head;
use crate::routes::Routes;
use crate::{index, names};

impl Routes {
    /// Checks the name of a publish and answers the package if it is here already.
    ///
    /// # Errors
    /// 400 for a reserved name, 409 for one that is another crate's.
    pub(super) async fn check_name(
        &self,
        caller: &Caller,
        target: &RepositoryTarget,
        key: &PackageKey,
        name: &str,
    ) -> Result<Option<Package>, CargoError> {
        let (store, repository) = (&self.services.store, &target.repository);
        let collides = |other: &str| {
            CargoError::conflict(format!(
                "the name '{name}' is too similar to crate '{other}', which is in repository '{}' or one of its sources",
                repository.name
            ))
        };
        let known = store.find_package(repository.id, key).await?;
        if let Some(package) = &known
            && let Some(spelled) = self.spelled(package).await?
        {
            // What this repository publishes already was checked when it was new.
            return if spelled == name { Ok(known) } else { Err(collides(&spelled)) };
        }
        names::check_new_name(name)?;
        let mut twins = names::twins(name);
        // The store finds spellings with several signs, too, and also names without any: `foobar` is not `foo-bar`.
        let twin = store.find_package_twin(repository.id, key).await?;
        twins.extend(twin.map(|twin| twin.name().to_owned()).filter(|twin| names::is_twin(twin, key.name())));
        for twin in &twins {
            if let Some(package) = store.find_package(repository.id, &names::crate_key(twin)?).await? {
                return Err(collides(&package.display_name));
            }
        }
        if known.as_ref().is_some_and(|package| package.restrictions.upstream == AllowUpstream::Block) {
            return Ok(known);
        }
        // Whoever may publish but not read is not told what lies upstream; origin controls hold all the same.
        let Ok(read) = self.services.access.authorize(caller, Action::ReadFromRepository, target.clone()).await else {
            return Ok(known);
        };
        if let Sources::Known(view) = self.sources(&read, key).await? {
            if is_public(&view) {
                return Err(CargoError::conflict(format!(
                    "crate '{name}' exists in a public registry that repository '{}' reaches, and Cargo.lock cannot tell the \
                     two apart; choose another name, or block upstream for the package with \
                     put-package-origin-configuration",
                    repository.name
                )));
            }
            let listed = index::merge(&view.layers)?;
            if let Some(other) = listed.iter().find(|listed| listed.head.name != name) {
                return Err(collides(&other.head.name));
            }
        }
        for twin in &twins {
            match self.sources(&read, &names::crate_key(twin)?).await? {
                Sources::Known(_) => return Err(collides(twin)),
                Sources::Unknown => {}
                // Nor would it answer for the next spelling; nobody waits for it that often.
                Sources::Away => break,
            }
        }
        Ok(known)
    }

    /// How the versions that are here spell the crate; `None` if there are none.
    async fn spelled(&self, package: &Package) -> Result<Option<String>, Error> {
        let page = PageRequest::first(1);
        let versions = self.services.store.list_versions(package, &VersionFilter::default(), &page).await?;
        let Some(version) = versions.items.first() else { return Ok(None) };
        let name = Head::parse(&version.metadata).map(|head| head.name.into_owned());
        Ok(Some(name.unwrap_or_else(|_| package.display_name.clone())))
    }

    async fn sources(&self, read: &Allowed<RepositoryTarget>, key: &PackageKey) -> Result<Sources, Error> {
        match self.services.index.view(read, key).await {
            Ok(view) => Ok(Sources::Known(view)),
            Err(Error::ResourceNotFound { .. }) => Ok(Sources::Unknown),
            Err(Error::Upstream { .. }) => Ok(Sources::Away),
            Err(error) => Err(error),
        }
    }
}

/// What is known of a crate now. A registry that is away does not stop publishing (reference 3.5).
enum Sources {
    Known(View),
    Unknown,
    Away,
}

/// Whether a public registry has the crate, or had it when somebody fetched it.
fn is_public(view: &View) -> bool {
    view.layers.iter().any(|layer| match layer {
        Layer::Registry { .. } => true,
        Layer::Hosted { package, .. } => {
            package.versions.iter().any(|version| version.origin.origin_type() == OriginType::External)
        }
    })
}
