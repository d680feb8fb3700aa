//! Answers that a format allows to be given again, for as long as nothing is committed (see `endpoint::recall`).

use std::sync::{Arc, Weak};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use larder_core::access::{Allowed, Repeats, RepositoryTarget};
use larder_core::model::Timestamp;
use larder_core::services::{Document, OpenedAsset, Rendered};

use crate::Response;
use crate::asset::{AssetFields, AssetHeaders, serve_with_fields};
use crate::document::{self, DocumentFields, serve_document};

/// A longer text is made again each time: thousands of them are remembered.
const LONGEST_KEPT_BYTES: usize = 4096;

/// Answers with a document, as [`serve_document`]; whoever sends the same request again while nothing was committed gets
/// it again without the format being asked. The format vouches that it looked at nothing of the request but path, query,
/// base address, `Accept` and the caller.
#[must_use]
pub fn answer_document(
    allowed: &Allowed<RepositoryTarget>,
    method: &Method,
    headers: &HeaderMap,
    document: &Arc<Document>,
) -> Response {
    let mut response = serve_document(method, headers, document);
    if let Some(repeats) = allowed.repeats() {
        response.extensions_mut().insert(Arc::new(Repeatable::document(repeats, document)));
    }
    response
}

/// Answers with a short text that no cache of documents keeps, such as a checksum, and vouches as for
/// [`answer_document`]. The memory of the answer holds the text itself. `fresh_until` is when what it was made of has to
/// be asked for again, if that is not told by a commit.
#[must_use]
pub fn answer_text(
    allowed: &Allowed<RepositoryTarget>,
    method: &Method,
    headers: &HeaderMap,
    text: Rendered,
    fresh_until: Option<Timestamp>,
) -> Response {
    let mut document = Document::build(text);
    document.fresh_until = fresh_until;
    let mut response = serve_document(method, headers, &document);
    if let Some(repeats) = allowed.repeats().filter(|_| document.body.len() <= LONGEST_KEPT_BYTES) {
        response.extensions_mut().insert(Arc::new(Repeatable::text(repeats, document)));
    }
    response
}

/// Answers with an asset, as [`crate::serve_asset`], and vouches as for [`answer_document`].
///
/// # Errors
/// Those of reading it.
pub async fn answer_asset(
    allowed: &Allowed<RepositoryTarget>,
    method: &Method,
    headers: &HeaderMap,
    opened: OpenedAsset,
    content_type: &'static str,
) -> larder_core::Result<Response> {
    answer_asset_with(allowed, method, headers, opened, content_type, Vec::new()).await
}

/// As [`answer_asset`], with headers of the format's own beside the usual ones.
///
/// # Errors
/// Those of reading it.
pub async fn answer_asset_with(
    allowed: &Allowed<RepositoryTarget>,
    method: &Method,
    headers: &HeaderMap,
    opened: OpenedAsset,
    content_type: &'static str,
    more: Vec<(HeaderName, HeaderValue)>,
) -> larder_core::Result<Response> {
    let asset = AssetHeaders::of(&opened, content_type);
    let fields = AssetFields::of(&asset).with(more);
    answer_with_fields(allowed, method, headers, opened, asset, fields).await
}

/// As [`answer_asset_with`], of an asset that browsers store under this name instead of showing it.
///
/// # Errors
/// Those of reading it.
pub async fn answer_attachment(
    allowed: &Allowed<RepositoryTarget>,
    method: &Method,
    headers: &HeaderMap,
    opened: OpenedAsset,
    name: &str,
    more: Vec<(HeaderName, HeaderValue)>,
) -> larder_core::Result<Response> {
    let asset = AssetHeaders::of(&opened, "application/octet-stream");
    let fields = AssetFields::of(&AssetHeaders { disposition: Some(name), ..asset.clone() }).with(more);
    answer_with_fields(allowed, method, headers, opened, asset, fields).await
}

async fn answer_with_fields(
    allowed: &Allowed<RepositoryTarget>,
    method: &Method,
    headers: &HeaderMap,
    opened: OpenedAsset,
    asset: AssetHeaders<'static>,
    fields: AssetFields,
) -> larder_core::Result<Response> {
    let again = allowed.repeats().filter(|_| opened.is_settled()).map(|repeats| {
        let stored = Box::new(StoredAsset { fields: fields.clone(), headers: asset.clone(), opened: opened.clone() });
        Arc::new(Repeatable { repeats, content: Content::Asset(stored) })
    });
    let mut response = serve_with_fields(method, headers, &asset, &fields, |range| opened.read(range)).await?;
    if let Some(again) = again {
        response.extensions_mut().insert(again);
    }
    Ok(response)
}

/// What can be answered again; travels in the answer's extensions to the endpoint.
#[derive(Clone)]
pub(crate) struct Repeatable {
    /// To whom, and until when: whatever is not committed ends with a token, or when a public registry is asked again.
    pub(crate) repeats: Repeats,
    content: Content,
}

#[derive(Clone)]
enum Content {
    /// Kept in memory by the cache of documents only.
    Document(Weak<Document>, DocumentFields),
    /// Short, and kept here.
    Text(Arc<Document>, DocumentFields),
    Asset(Box<StoredAsset>),
}

#[derive(Clone)]
struct StoredAsset {
    opened: OpenedAsset,
    headers: AssetHeaders<'static>,
    fields: AssetFields,
}

impl Repeatable {
    /// A document that a token shows so often.
    pub(crate) fn document(repeats: Repeats, document: &Arc<Document>) -> Self {
        let content = Content::Document(Arc::downgrade(document), DocumentFields::of(document));
        Self { repeats: sooner(repeats, document), content }
    }

    /// A short text that a token shows so often.
    pub(crate) fn text(repeats: Repeats, text: Document) -> Self {
        let fields = DocumentFields::of(&text);
        Self { repeats: sooner(repeats, &text), content: Content::Text(Arc::new(text), fields) }
    }

    /// The answer to a GET or HEAD with these headers; `None` if it has to be found anew.
    pub(crate) async fn answer(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        match &self.content {
            Content::Document(document, fields) => {
                Some(document::serve_with_fields(method, headers, &*document.upgrade()?, fields))
            }
            Content::Text(text, fields) => Some(document::serve_with_fields(method, headers, text, fields)),
            Content::Asset(stored) => {
                let read = |range| stored.opened.clone().read(range);
                serve_with_fields(method, headers, &stored.headers, &stored.fields, read).await.ok()
            }
        }
    }
}

/// When a token ends or a document is no longer fresh.
fn sooner(repeats: Repeats, document: &Document) -> Repeats {
    let until = document.fresh_until.map_or(repeats.until, |fresh| fresh.min(repeats.until));
    Repeats { until, ..repeats }
}
