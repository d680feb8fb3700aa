//! `PUT /{package}` without a tarball: the document as it was read, with changed metadata. Deprecating sends it, and
//! old clients move tags with it (protocols 1.4).

use bytes::Bytes;
use futures_util::stream::{self, TryStreamExt as _};
use http::StatusCode;
use larder_core::access::{Allowed, PackageTarget};
use larder_core::error::{Error, Result};
use larder_core::model::{PackageVersion, Revision, VersionText};
use larder_core::services::View;
use larder_http::{RepositoryRequest, response};
use serde_json::json;

use crate::error::NpmError;
use crate::index::{self, Shown, Sources};
use crate::json::{self, Members, ObjectWriter};
use crate::names;
use crate::routes::{Answer, Routes, not_offered};
use crate::wire::PackageBody;

/// Writes in flight of one request.
const CONCURRENT_WRITES: usize = 32;

/// What is to be changed, and nothing else.
#[derive(Default)]
struct Plan {
    manifests: Vec<(VersionText, Bytes, Revision)>,
    tags: Vec<(String, VersionText)>,
}

impl Routes {
    /// Applies what differs from what the client was shown: deprecations and tags. Everything else in the body is left
    /// alone, versions that are not there included.
    pub(crate) async fn put_metadata(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<PackageTarget>,
        text: Vec<u8>,
    ) -> Answer {
        let readable = request.may_read(&self.services.access).await?;
        let view = match self.services.index.view(&readable, allowed.package()).await {
            Ok(view) => Some(view),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        let upstream_tags_win = self.upstream_tags_win;
        let plan = tokio::task::spawn_blocking(move || plan(view.as_ref(), &text, upstream_tags_win))
            .await
            .map_err(Error::internal)??;
        // Many at once, so that deprecating a whole package shares commits.
        stream::iter(plan.manifests.into_iter().map(Ok::<_, NpmError>))
            .try_for_each_concurrent(CONCURRENT_WRITES, |(version, manifest, expected)| async move {
                let publishing = &self.services.publishing;
                Ok(publishing.put_version_metadata(allowed, &version, manifest, expected).await?)
            })
            .await?;
        for (tag, version) in plan.tags {
            self.services.publishing.put_tag(allowed, &tag, Some(&version)).await?;
        }
        Ok(response::json(StatusCode::OK, &json!({"ok": true, "id": names::display_name(allowed.package())})))
    }
}

fn plan(view: Option<&View>, text: &[u8], upstream_tags_win: bool) -> Result<Plan, NpmError> {
    let body: PackageBody<'_> = serde_json::from_slice(text)
        .map_err(|error| NpmError::bad_request(format!("the body is not a package document: {error}")))?;
    let Some(versions) = &body.versions else {
        let members = Members::parse(text).unwrap_or_default();
        return Err(match (members.get("users"), members.get("maintainers")) {
            (Some(_), _) => not_offered("this registry has no stars"),
            (_, Some(_)) => not_offered("who may publish is managed with IAM policies"),
            _ => NpmError::bad_request("the body has no versions"),
        });
    };
    let Some(view) = view else { return Err(no_tarball(versions)) };
    let sources = Sources { repository: view.repository, key: &view.key, layers: &view.layers, upstream_tags_win };
    let shown = index::shown(&sources)?;
    let own = sources.own().map(|own| &own.versions[..]).unwrap_or_default();
    let mut plan = Plan::default();
    let (mut foreign, mut is_publish) = (None, true);
    for (number, manifest) in versions.iter() {
        let coordinate = names::without_build(number);
        let Some(before) = shown.versions.get(coordinate) else { continue };
        is_publish = false;
        let wanted = Members::of(manifest).and_then(|manifest| index::deprecation(&manifest));
        if wanted == *before {
            continue;
        }
        match own.iter().find(|version| version.version.as_str() == coordinate) {
            Some(version) => plan.manifests.push(deprecated(version, wanted.as_deref())),
            None => foreign = Some(number),
        }
    }
    if is_publish {
        return Err(no_tarball(versions));
    }
    if let (Some(number), true) = (foreign, plan.manifests.is_empty()) {
        let message = format!("version '{number}' is not stored in this repository, so it cannot be deprecated here");
        return Err(NpmError::new(StatusCode::FORBIDDEN, message));
    }
    plan.tags = changed_tags(&body, &shown)?;
    Ok(plan)
}

/// A document of nothing that is there is a publish that lacks its tarball.
fn no_tarball(versions: &Members<'_>) -> NpmError {
    NpmError::bad_request(match versions.iter().next() {
        Some((number, _)) => format!("version '{number}' is not there yet, and the body has no tarball for it"),
        None => "the body has no versions".to_owned(),
    })
}

/// The stored manifest with or without a deprecation.
fn deprecated(version: &PackageVersion, message: Option<&str>) -> (VersionText, Bytes, Revision) {
    let manifest = Members::parse(&version.metadata).unwrap_or_default();
    let mut out = Vec::with_capacity(version.metadata.len() + 256);
    let mut object = ObjectWriter::new(&mut out);
    for (name, value) in manifest.iter().filter(|(name, _)| *name != "deprecated") {
        object.raw(name, value.get());
    }
    if let Some(message) = message {
        object.string("deprecated", message);
    }
    object.end();
    (version.version.clone(), out.into(), version.revision.clone())
}

/// Tags that the body has and the client was not shown.
fn changed_tags(body: &PackageBody<'_>, shown: &Shown) -> Result<Vec<(String, VersionText)>, NpmError> {
    let mut changed = Vec::new();
    for (tag, value) in body.tags.iter().flat_map(Members::iter) {
        let Some(number) = json::text(value) else {
            return Err(NpmError::bad_request(format!("the tag '{tag}' must point to a version")));
        };
        if shown.tags.iter().any(|(known, version)| known == tag && *version == number) {
            continue;
        }
        names::check_tag(tag).map_err(|error| NpmError::bad_request(error.to_string()))?;
        let version = names::coordinate(&number).map_err(|error| NpmError::bad_request(error.to_string()))?;
        changed.push((tag.to_owned(), version));
    }
    Ok(changed)
}
