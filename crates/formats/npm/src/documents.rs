//! Reading documents: packuments, manifests (protocols 1.1, 1.2).

use std::sync::Arc;

use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use larder_core::access::Action;
use larder_core::model::{PackageKey, VersionId};
use larder_http::{RepositoryRequest, answer_document, response};
use serde_json::json;

use crate::index::{self, ABBREVIATED, Form, Sources};
use crate::routes::{Answer, Routes};

impl Routes {
    /// `GET /{package}`
    pub(crate) async fn get_packument(&self, request: &RepositoryRequest, key: PackageKey) -> Answer {
        let form = if wants_abbreviated(&request.headers) { Form::Abbreviated } else { Form::Full };
        self.serve(request, key, form).await
    }

    /// `GET /{package}/{version or tag}`
    pub(crate) async fn get_manifest(&self, request: &RepositoryRequest, key: PackageKey, version: &str) -> Answer {
        self.serve(request, key, Form::Manifest(version.to_owned())).await
    }

    /// `GET /-/package/{package}/visibility`: everything here needs credentials.
    pub(crate) async fn get_visibility(&self, request: &RepositoryRequest, key: PackageKey) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        self.services.index.view(&allowed, &key).await?;
        Ok(response::json(StatusCode::OK, &json!({"public": false})))
    }

    /// `GET /-/package/{package}/collaborators`: what the caller itself may do; who else may is for IAM to say.
    pub(crate) async fn get_collaborators(&self, request: &RepositoryRequest, key: PackageKey) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        self.services.index.view(&allowed, &key).await?;
        let may_write = request.may(&self.services.access, Action::PublishPackageVersion, key.clone()).await.is_ok();
        let rights = if may_write { "read-write" } else { "read-only" };
        Ok(response::json(StatusCode::OK, &json!({request.caller.principal.name(): rights})))
    }

    /// Serves a document, from memory if nothing changed.
    pub(crate) async fn serve(&self, request: &RepositoryRequest, key: PackageKey, form: Form) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let variant = form.variant(&request.base);
        let (base, store) = (request.base.clone(), Arc::clone(&self.services.store));
        let upstream_tags_win = self.upstream_tags_win;
        let runtime = tokio::runtime::Handle::current();
        let render = move |view: &larder_core::services::View| {
            let sources =
                Sources { repository: view.repository, key: &view.key, layers: &view.layers, upstream_tags_win };
            // On a blocking thread, where waiting for the database is right.
            let readme = |version: VersionId| match runtime.block_on(store.version_details(version)) {
                Ok(details) => details.readme,
                Err(error) => {
                    tracing::warn!(%error, "a document is served without its readme");
                    None
                }
            };
            index::render(&sources, &form, &base, &readme)
        };
        let document = self.services.index.document(&allowed, &key, &variant, render).await?;
        Ok(answer_document(&allowed, &request.method, &request.headers, &document))
    }
}

/// Whether the short form is named, and no less welcome than the full one.
fn wants_abbreviated(headers: &HeaderMap) -> bool {
    let weight = |media_type: &str| {
        let lists = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges = lists.flat_map(|list| list.split(','));
        let range = ranges.find(|range| range.split(';').next().is_some_and(|name| name.trim() == media_type))?;
        let q = range.split(';').skip(1).find_map(|parameter| parameter.trim().strip_prefix("q="));
        Some(q.and_then(|q| q.trim().parse::<f32>().ok()).unwrap_or(1.0))
    };
    match (weight(ABBREVIATED), weight("application/json")) {
        (Some(short), full) => short > 0.0 && short >= full.unwrap_or(0.0),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_short_form_is_for_those_who_name_it() {
        let cases = [
            ("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", true),
            ("application/vnd.npm.install-v1+json", true),
            ("application/vnd.npm.install-v1+json;q=0.5, application/json", false),
            ("application/vnd.npm.install-v1+json;q=0", false),
            ("application/json", false),
            ("*/*", false),
            ("text/html", false),
            (";;,", false),
        ];
        for (accept, expected) in cases {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wants_abbreviated(&headers), expected, "{accept}");
        }
        assert!(!wants_abbreviated(&HeaderMap::new()));
    }
}
