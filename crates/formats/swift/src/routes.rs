//! The URL table (protocol reference 5.2).

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey, VersionText};
use larder_core::services::Services;
use larder_http::{Failure, FormatRoutes, RepositoryRequest, Response, RouteTemplate, answer_document, url_table};

use crate::accept::{Accept, Form};
use crate::error::SwiftError;
use crate::identifiers::Identifiers;
use crate::names::{package_key, parse_version};
use crate::{index, manifest};

/// What a handler answers.
pub(crate) type Answer = Result<Response, SwiftError>;

/// Swift's endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
    pub(crate) identifiers: Identifiers,
    /// Releases without a signature are refused.
    pub(crate) requires_signatures: bool,
}

/// What the last segment of an address below a package may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Release,
    Archive,
}

url_table! {
    /// What the registry protocol has.
    enum Route {
        "POST" ["login"] => Login,
        "GET" ["availability"] => Availability,
        "GET" ["identifiers"] => Identifiers,
        "GET" [scope, name] => List { scope, name },
        "GET" [scope, name, version] => ReleaseOrArchive { scope, name, version },
        "GET" [scope, name, version, "Package.swift"] => Manifest { scope, name, version },
        "PUT" [scope, name, version] => Publish { scope, name, version },
    }
}

impl Routes {
    /// Serves with these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        Self { identifiers: Identifiers::new(Arc::clone(&services)), services, requires_signatures: false }
    }

    /// Takes signed releases only.
    #[must_use]
    pub fn requiring_signatures(mut self) -> Self {
        self.requires_signatures = true;
        self
    }

    async fn route(&self, request: RepositoryRequest) -> Answer {
        let accept = Accept::read(&request.headers)?;
        let path = request.path.segments().to_vec();
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let method = request.method.clone();
        let Some(route) = Route::of(&method, &segments) else { return Err(misdirected(&segments)) };
        match route {
            Route::Login => self.log_in(),
            Route::Availability => self.get_availability(&request).await,
            Route::Identifiers => {
                accept.check(Form::Json)?;
                self.get_identifiers(&request).await
            }
            Route::List { scope, name } => {
                let key = package_key(scope, name.strip_suffix(".json").unwrap_or(name))?;
                accept.check(Form::Json)?;
                self.get_list(&request, &key).await
            }
            Route::ReleaseOrArchive { scope, name, version } => {
                let key = package_key(scope, name)?;
                self.get_release_or_archive(&request, &accept, &key, version).await
            }
            Route::Manifest { scope, name, version } => {
                let (key, version) = (package_key(scope, name)?, parse_version(version)?);
                self.get_manifest(&request, &accept, &key, &version).await
            }
            Route::Publish { scope, name, version } => {
                let (key, version) = (package_key(scope, name)?, parse_version(version)?);
                accept.check(Form::Json)?;
                let display_name = format!("{scope}.{name}");
                self.publish(request, key, version, display_name).await
            }
        }
    }

    /// `GET {scope}/{name}`
    async fn get_list(&self, request: &RepositoryRequest, key: &PackageKey) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let page = match parameter(request.query.as_deref(), "page")? {
            None => 1,
            Some(text) => text
                .parse()
                .ok()
                .filter(|page| *page > 0)
                .ok_or_else(|| SwiftError::bad_request("the query's 'page' is a number from 1"))?,
        };
        let (variant, base) = (format!("list {page} {}", request.base), request.base.clone());
        let document =
            self.services.index.document(&allowed, key, &variant, move |view| index::list(view, &base, page));
        Ok(answer_document(&allowed, &request.method, &request.headers, &document.await?))
    }

    /// `GET {scope}/{name}/{version}`, with or without `.json`, or `.zip`. A version may itself end like that: the one
    /// that is there counts, the longer one first unless the client names what it wants.
    async fn get_release_or_archive(
        &self,
        request: &RepositoryRequest,
        accept: &Accept,
        key: &PackageKey,
        last: &str,
    ) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let mut missing = None;
        for (version, wanted) in readings(last, accept.names(Form::Zip))? {
            match self.files(&allowed, key, &version).await {
                Ok(files) if wanted == Wanted::Archive => {
                    accept.check(Form::Zip)?;
                    return self.get_archive(request, &allowed, key, &version, files).await;
                }
                Ok(_) => {
                    accept.check(Form::Json)?;
                    return self.get_release(request, &allowed, key, version).await;
                }
                Err(error) if error.status == http::StatusCode::NOT_FOUND => missing = missing.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        Err(missing.unwrap_or_else(|| SwiftError::not_found("there is no such release")))
    }

    async fn get_release(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        version: VersionText,
    ) -> Answer {
        let (variant, base) = (format!("release {version} {}", request.base), request.base.clone());
        let document =
            self.services.index.document(allowed, key, &variant, move |view| index::release(view, &base, &version));
        Ok(answer_document(allowed, &request.method, &request.headers, &document.await?))
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Swift
    }

    fn table(&self) -> &'static [RouteTemplate] {
        Route::TABLE
    }

    fn render_error(&self, failure: &Failure) -> Response {
        SwiftError::from(failure).response()
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        self.route(request).await.unwrap_or_else(|error| error.response())
    }
}

/// What an address may mean, in the order in which it is looked for.
///
/// # Errors
/// [`SwiftError`] with 400 if there is no version in it at all.
fn readings(last: &str, prefers_archive: bool) -> Result<Vec<(VersionText, Wanted)>, SwiftError> {
    let mut readings = Vec::with_capacity(2);
    let whole = parse_version(last);
    readings.extend(whole.as_ref().ok().map(|version| (version.clone(), Wanted::Release)));
    for (suffix, wanted) in [(".json", Wanted::Release), (".zip", Wanted::Archive)] {
        let shorter = last.strip_suffix(suffix).and_then(|version| parse_version(version).ok());
        readings.extend(shorter.map(|version| (version, wanted)));
    }
    if prefers_archive {
        readings.sort_by_key(|(_, wanted)| *wanted != Wanted::Archive);
    }
    match whole {
        Err(invalid) if readings.is_empty() => Err(invalid.into()),
        _ => Ok(readings),
    }
}

/// A parameter of the query, decoded; the first of its name.
///
/// # Errors
/// [`SwiftError`] with 400 if it is not UTF-8.
pub(crate) fn parameter(query: Option<&str>, name: &str) -> Result<Option<String>, SwiftError> {
    let mut pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, value)) = pairs.find(|(found, _)| *found == name) else { return Ok(None) };
    percent_encoding::percent_decode_str(value)
        .decode_utf8()
        .map(|text| Some(text.into_owned()))
        .map_err(|_| SwiftError::bad_request(format!("the query's '{name}' is not UTF-8")))
}

/// Says what is at an address that was used wrongly.
fn misdirected(segments: &[&str]) -> SwiftError {
    match segments {
        ["login"] => SwiftError::method_not_allowed("POST", "logging in is a POST to this address"),
        ["availability" | "identifiers"] | [_, _] | [_, _, _, manifest::PLAIN] => {
            SwiftError::method_not_allowed("GET, HEAD", "this address is read only")
        }
        [_, _, _] => SwiftError::method_not_allowed(
            "GET, HEAD, PUT",
            "releases are read and published; one is removed with the API, by setting its status",
        ),
        _ => SwiftError::not_found("the Swift registry protocol has nothing at this address"),
    }
}

/// A header's value without blanks around it; `None` if it is missing or no text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(last: &str, prefers_archive: bool) -> Vec<(String, Wanted)> {
        let readings = readings(last, prefers_archive).unwrap_or_default();
        readings.into_iter().map(|(version, wanted)| (version.to_string(), wanted)).collect()
    }

    #[test]
    fn a_suffix_is_read_off_unless_a_longer_version_is_there() {
        let one = |version: &str, wanted| vec![(version.to_owned(), wanted)];
        assert_eq!(read("1.0.0", false), one("1.0.0", Wanted::Release));
        assert_eq!(read("1.0.0.json", false), one("1.0.0", Wanted::Release));
        assert_eq!(read("1.0.0.zip", false), one("1.0.0", Wanted::Archive));
        let (longer, shorter) =
            (("1.0.0+build.zip".to_owned(), Wanted::Release), ("1.0.0+build".to_owned(), Wanted::Archive));
        assert_eq!(read("1.0.0+build.zip", false), [longer.clone(), shorter.clone()]);
        assert_eq!(read("1.0.0+build.zip", true), [shorter, longer]);
        for none in ["v1.0.0", "1.0", "1.0.zip", "latest.json", ".zip"] {
            assert!(read(none, false).is_empty(), "{none}");
        }
    }

    #[test]
    fn parameters_are_decoded_once() {
        let query = Some("a=1&url=https%3A%2F%2Fexample.test%2Fa%2Bb%2520&url=x");
        assert_eq!(parameter(query, "url").unwrap().as_deref(), Some("https://example.test/a+b%20"));
        assert_eq!(parameter(query, "b").unwrap(), None);
        assert_eq!(parameter(None, "b").unwrap(), None);
        assert!(parameter(Some("a=%ff"), "a").is_err());
    }
}
