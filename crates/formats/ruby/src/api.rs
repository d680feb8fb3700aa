//! What tools ask of the web API beside `gem` and Bundler: versions, a gem, search; and what `gem owner` and
//! `gem signin` ask (protocols 6.1, 6.5).

use http::HeaderValue;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use larder_core::access::Action;
use larder_core::error::{Error, ResourceType};
use larder_core::model::{PackageFormat, PackageKey, PageRequest, VersionDetails};
use larder_core::services::{Layer, Sources, View};
use larder_http::credentials::{Presented, presented};
use larder_http::{RepositoryRequest, Response, response};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::error::RubyError;
use crate::index::{self, Listed};
use crate::line::Line;
use crate::names;
use crate::routes::{Answer, Routes};

/// Names that are read at once, and at most for one search.
const PAGE: usize = 1000;
const PAGES: usize = 100;
/// Gems of one answer to a search, as the public registry has it.
const PER_PAGE: usize = 30;

impl Routes {
    /// `GET api/v1/versions/{gem}.json`: newest first.
    pub(crate) async fn get_versions(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let view = self.view(request, name).await?;
        let versions: Vec<Value> = newest_first(&view)?.iter().map(|listed| entry(&listed.line)).collect();
        Ok(response::json(StatusCode::OK, &versions))
    }

    /// `GET api/v1/versions/{gem}/latest.json`: of a gem that is not there it is `unknown`, as the public registry says.
    pub(crate) async fn get_latest(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let version = match self.view(request, name).await {
            Ok(view) => newest_first(&view)?.first().map(|listed| names::split(listed.line.version).0.to_owned()),
            Err(error) if error.status == StatusCode::NOT_FOUND => None,
            Err(error) => return Err(error),
        };
        Ok(response::json(StatusCode::OK, &json!({"version": version.as_deref().unwrap_or("unknown")})))
    }

    /// `GET api/v1/gems/{gem}.json`: the newest release.
    pub(crate) async fn get_gem(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let view = self.view(request, name).await?;
        let listed = newest_first(&view)?;
        let newest = listed.first().ok_or_else(|| no_such_version(name))?;
        Ok(response::json(StatusCode::OK, &self.describe(request, &view, &newest.line).await?))
    }

    /// `GET api/v2/rubygems/{gem}/versions/{version}.json?platform=`
    pub(crate) async fn get_version(&self, request: &RepositoryRequest, name: &str, number: &str) -> Answer {
        let platform = query_value(request, "platform").filter(|platform| !platform.is_empty());
        let platform = platform.as_deref().unwrap_or(names::ANY_PLATFORM);
        let view = self.view(request, name).await?;
        let wanted = (number, platform);
        let listed = index::merge(&view.layers).into_iter().find(|listed| names::split(listed.line.version) == wanted);
        let listed = listed.ok_or_else(|| no_such_version(name))?;
        Ok(response::json(StatusCode::OK, &self.describe(request, &view, &listed.line).await?))
    }

    /// `GET api/v1/search.json?query=&page=`: gems that the repository and its upstreams hold, by name.
    pub(crate) async fn search(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let wanted = query_value(request, "query").unwrap_or_default().to_ascii_lowercase();
        let page_number = query_value(request, "page").and_then(|page| page.parse().ok()).unwrap_or(1_usize).max(1);
        let repositories = self.services.index.visible_repositories(&allowed).await?;
        let ids: Vec<_> = repositories.iter().map(|repository| repository.id).collect();
        let mut matches: Vec<PackageKey> = Vec::new();
        let mut page = PageRequest::first(PAGE);
        for _ in 0..PAGES {
            let found = self.services.store.list_package_names(&ids, PackageFormat::Ruby, &page).await?;
            matches.extend(
                found
                    .items
                    .into_iter()
                    .map(|(key, _)| key)
                    .filter(|key| key.name().to_ascii_lowercase().contains(&wanted)),
            );
            match found.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        // The name itself first, then names that begin with it, then the others.
        matches.sort_by_key(|key| {
            let name = key.name().to_ascii_lowercase();
            (name != wanted, !name.starts_with(&wanted), name)
        });
        let mut gems = Vec::new();
        for key in matches.iter().skip((page_number - 1).saturating_mul(PER_PAGE)).take(PER_PAGE) {
            let view = match self.services.index.view_of(&allowed, key, Sources::Stored).await {
                Ok(view) => view,
                // A name of which nothing is held but its settings.
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error.into()),
            };
            if let Some(newest) = newest_first(&view).ok().and_then(|listed| Some(listed.first()?.line)) {
                gems.push(self.describe(request, &view, &newest).await?);
            }
        }
        Ok(response::json(StatusCode::OK, &gems))
    }

    /// `GET api/v1/gems/{gem}/owners.{yaml,json}`: the caller, if it may push the gem. Who else may is not for it to know.
    pub(crate) async fn get_owners(&self, request: &RepositoryRequest, name: &str, as_yaml: bool) -> Answer {
        let view = self.view(request, name).await?;
        let may_push =
            request.may(&self.services.access, Action::PublishPackageVersion, view.key.clone()).await.is_ok();
        let caller = request.caller.principal.name();
        let owners: Vec<Value> = may_push.then(|| json!({"id": 1, "handle": caller})).into_iter().collect();
        if as_yaml {
            // JSON is YAML.
            return Ok(response::content(StatusCode::OK, "text/yaml; charset=utf-8", Value::from(owners).to_string()));
        }
        Ok(response::json(StatusCode::OK, &owners))
    }

    /// `api/v1/api_key`: whoever signs in with a token as the password gets it as the key (protocols 6.5).
    pub(crate) async fn api_key(&self, request: &RepositoryRequest, form: &str) -> Answer {
        request.may_read(&self.services.access).await?;
        let Presented::Token(key) = presented(&request.headers) else {
            return Err(RubyError::new(
                StatusCode::UNAUTHORIZED,
                "sign in with an authorization token as the password",
            ));
        };
        let mut answer = match form {
            "json" => response::json(StatusCode::OK, &json!({"rubygems_api_key": key})),
            // A quoted JSON string is YAML.
            "yaml" => {
                let body = format!("---\n:rubygems_api_key: {}\n", Value::from(&*key));
                response::content(StatusCode::OK, "text/yaml; charset=utf-8", body)
            }
            // Without a line end: clients keep the body as it is.
            _ => response::content(StatusCode::OK, "text/plain; charset=utf-8", key.into_owned()),
        };
        no_store(&mut answer);
        Ok(answer)
    }

    async fn view(&self, request: &RepositoryRequest, name: &str) -> Result<View, RubyError> {
        let allowed = request.may_read(&self.services.access).await?;
        let key = names::gem_key(name).map_err(|error| RubyError::not_found(error.to_string()))?;
        Ok(self.services.index.view(&allowed, &key).await?)
    }

    /// A gem as the public registry's web API describes one.
    async fn describe(&self, request: &RepositoryRequest, view: &View, line: &Line<'_>) -> Result<Value, RubyError> {
        let details = self.details(view, line).await?;
        let name = view.key.name();
        let dependencies = |kind: &str| -> Vec<Value> {
            let of_kind = details.dependencies.iter().filter(|one| one.dependency_type.as_deref() == Some(kind));
            of_kind.map(|one| json!({"name": one.package, "requirements": one.version_requirement})).collect()
        };
        let mut described = json!({
            "name": name,
            "info": details.summary,
            "licenses": details.licenses.iter().map(|license| &license.name).collect::<Vec<_>>(),
            "homepage_uri": details.home_page,
            "source_code_uri": details.source_code_repository,
            "gem_uri": format!("{}/gems/{name}-{}.gem", request.base, line.version),
            "dependencies": {"development": dependencies("development"), "runtime": dependencies("runtime")},
        });
        if let (Value::Object(described), Value::Object(mut entry)) = (&mut described, entry(line)) {
            let number = entry.remove("number").unwrap_or_default();
            described.insert("version".to_owned(), number.clone());
            described.insert("number".to_owned(), number);
            described.insert("version_created_at".to_owned(), entry.get("created_at").cloned().unwrap_or_default());
            described.extend(entry);
        }
        Ok(described)
    }

    /// What was read from the version's own file, if a repository stores it; else what its line says.
    async fn details(&self, view: &View, line: &Line<'_>) -> Result<VersionDetails, RubyError> {
        let stored = view.layers.iter().find_map(|layer| match layer {
            Layer::Hosted { package, .. } => package.versions.iter().find(|held| held.version.as_str() == line.version),
            Layer::Registry { .. } => None,
        });
        match stored {
            Some(stored) => Ok(self.services.store.version_details(stored.id).await?),
            None => Ok(VersionDetails { dependencies: line.dependencies(), ..VersionDetails::default() }),
        }
    }
}

/// All listed versions, highest first, releases before prereleases.
fn newest_first(view: &View) -> Result<Vec<Listed<'_>>, RubyError> {
    let mut listed = index::merge(&view.layers);
    if listed.is_empty() {
        return Err(no_such_version(view.key.name()));
    }
    let is_prerelease = |listed: &Listed<'_>| names::is_prerelease(names::split(listed.line.version).0);
    listed.sort_by(|a, b| {
        let releases = is_prerelease(a).cmp(&is_prerelease(b));
        releases.then_with(|| names::compare_versions(b.line.version, a.line.version))
    });
    Ok(listed)
}

fn entry(line: &Line<'_>) -> Value {
    let (number, platform) = names::split(line.version);
    json!({
        "number": number,
        "platform": platform,
        "prerelease": names::is_prerelease(number),
        "sha": line.checksum(),
        "created_at": line.created_at().map(larder_core::model::Timestamp::rfc3339),
        "ruby_version": line.requirement("ruby").map(|wanted| wanted.replace('&', ", ")),
        "rubygems_version": line.requirement("rubygems").map(|wanted| wanted.replace('&', ", ")),
    })
}

fn no_such_version(name: &str) -> RubyError {
    let message = format!("gem '{}' has no such version that is listed", names::printable(name));
    Error::not_found(ResourceType::PackageVersion, name, message).into()
}

fn query_value(request: &RepositoryRequest, name: &str) -> Option<String> {
    let query = request.query.as_deref()?;
    let (_, value) = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

/// A key is nobody else's.
fn no_store(answer: &mut Response) {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
