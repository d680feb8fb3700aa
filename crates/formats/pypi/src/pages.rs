//! `GET simple/` and `GET simple/{project}/`.

use std::fmt::Write as _;

use http::header::{ACCEPT, LOCATION};
use http::{HeaderValue, StatusCode};
use larder_core::Error;
use larder_core::error::ResourceType;
use larder_core::services::Document;
use larder_http::{RepositoryRequest, answer_document, response, serve_document};

use crate::error::PypiError;
use crate::negotiate::{Representation, negotiate};
use crate::project::Project;
use crate::routes::{Answer, Routes, known};
use crate::{index, list};

impl Routes {
    /// `GET simple/`: what is stored in the repository and its upstreams.
    pub(crate) async fn get_list(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        if !request.path.trailing_slash() {
            return redirect(request, "simple/");
        }
        let form = representation(request)?;
        let projects = list::projects(&self.services, &allowed).await?;
        let document = tokio::task::spawn_blocking(move || list::render(&projects, form).map(Document::build))
            .await
            .map_err(Error::internal)??;
        Ok(serve_document(&request.method, &request.headers, &document))
    }

    /// `GET simple/{project}/`
    pub(crate) async fn get_project(&self, request: &RepositoryRequest, project: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let key = known(project)?;
        if project != key.name() || !request.path.trailing_slash() {
            let up = if request.path.trailing_slash() { "../" } else { "" };
            return redirect(request, &format!("{up}{}/", key.name()));
        }
        let form = representation(request)?;
        let variant = format!("{form:?} {}", request.base);
        let base = request.base.clone();
        let document = self.services.index.document(&allowed, &key, &variant, move |view| {
            let project = Project::of(&view.key, &view.layers)?;
            if project.releases.is_empty() && project.status.is_none() {
                let message = format!("project '{}' has no published files here", view.key.name());
                return Err(Error::not_found(ResourceType::Package, view.key.to_string(), message));
            }
            index::render(&project, form, &base)
        });
        Ok(answer_document(&allowed, &request.method, &request.headers, &document.await?))
    }
}

/// 301 to another spelling of the same page. A relative address keeps the prefix under which the client sees Larder.
fn redirect(request: &RepositoryRequest, to: &str) -> Answer {
    let mut location = to.to_owned();
    if let Some(query) = &request.query {
        let _ = write!(location, "?{query}");
    }
    let mut answer = response::empty(StatusCode::MOVED_PERMANENTLY);
    let location = HeaderValue::from_str(&location).map_err(|_| PypiError::bad_request("the query is malformed"))?;
    answer.headers_mut().insert(LOCATION, location);
    Ok(answer)
}

fn representation(request: &RepositoryRequest) -> Result<Representation, PypiError> {
    let accept: Vec<&str> = request.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accept = accept.join(",");
    let format = request.query.as_deref().and_then(query_format);
    negotiate(Some(&accept), format.as_deref()).ok_or_else(|| {
        PypiError::new(
            StatusCode::NOT_ACCEPTABLE,
            "the index comes as application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html or text/html",
        )
    })
}

/// The query's `format`, decoded; a `+` stands for itself, as media types have it.
fn query_format(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("format="))?;
    percent_encoding::percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
