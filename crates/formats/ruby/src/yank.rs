//! `DELETE api/v1/gems/yank` (protocols 6.4): the version is Unlisted, so that no index has it and lock files that name
//! it still install. Whoever wants the file gone archives or deletes the version through the API.

use http::StatusCode;
use larder_core::access::Action;
use larder_core::model::VersionStatus;
use larder_core::ports::{BatchSelection, VersionSelector};
use larder_http::{RepositoryRequest, response};
use percent_encoding::percent_decode_str;

use crate::error::RubyError;
use crate::names;
use crate::routes::{Answer, Routes};

/// A name, a version and a platform.
const BODY_LIMIT_BYTES: u64 = 16 << 10;

impl Routes {
    /// Takes one platform's version out of the index. What is asked may stand in the query or in the body.
    pub(crate) async fn yank(&self, mut request: RepositoryRequest) -> Answer {
        let body = request.take_body().collect(BODY_LIMIT_BYTES).await?;
        let form = format!("{}&{}", request.query.as_deref().unwrap_or_default(), String::from_utf8_lossy(&body));
        let value = |name: &str| {
            let pair = form.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
            Some(percent_decode_str(&pair.1.replace('+', " ")).decode_utf8_lossy().into_owned())
        };
        let missing = |what: &str| RubyError::bad_request(format!("a yank needs '{what}'"));
        let name = value("gem_name").ok_or_else(|| missing("gem_name"))?;
        let number = value("version").ok_or_else(|| missing("version"))?;
        let platform = value("platform").filter(|platform| !platform.is_empty());
        let platform = platform.unwrap_or_else(|| names::ANY_PLATFORM.to_owned());
        let repository = &request.target.repository;
        let unknown = || {
            let (name, number) = (names::printable(&name), names::printable(&number));
            let text = format!(
                "there is no gem {name} ({number}) for platform {} in repository '{}'",
                names::printable(&platform),
                repository.name
            );
            RubyError::not_found(text)
        };
        let key = names::gem_key(&name).map_err(|_| unknown())?;
        let allowed = request.may(&self.services.access, Action::UpdatePackageVersionsStatus, key.clone()).await?;
        let version = names::version_text(&number, &platform).map_err(|_| unknown())?;
        let stored = self.services.store.find_version(repository.id, &key, &version).await?;
        if stored.is_none_or(|stored| stored.status != VersionStatus::Published) {
            return Err(unknown());
        }
        let selection = BatchSelection {
            versions: vec![VersionSelector { version: version.clone(), revision: None }],
            expected_status: None,
        };
        let outcome = self.services.versions.update_status(&allowed, selection, VersionStatus::Unlisted).await?;
        if let Some((_, Err(failure))) = outcome.into_iter().next() {
            return Err(RubyError::conflict(failure.message));
        }
        Ok(response::text(StatusCode::OK, &format!("Successfully deleted gem: {name} ({version})")))
    }
}
