//! A version's list, as JSON or as a page, and its `SHA256SUMS`.

use std::fmt::Write as _;

use bytes::Bytes;
use http::HeaderMap;
use http::header::ACCEPT;
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{HashAlgorithm, PackageVersion, VersionStatus};
use larder_core::services::{Document, Rendered};
use larder_http::{RepositoryRequest, serve_document};

use crate::address::VersionAddress;
use crate::names::CHECKSUMS;
use crate::routes::{Answer, Routes};
use crate::wire::{Listed, own_assets};

impl Routes {
    /// `GET …/{version}/`
    pub(crate) async fn get_list(&self, request: &RepositoryRequest, address: &VersionAddress) -> Answer {
        request.may_read(&self.services.access).await?;
        let version = self.find_readable(request, address).await?;
        let folder = format!("{}/{}", request.base, address.path());
        let (content_type, body, headers) = if prefers_html(&request.headers) {
            ("text/html; charset=utf-8", page(address, &folder, &version), page_headers())
        } else {
            let body = serde_json::to_vec(&Listed::new(address, &folder, &version)).map_err(Error::internal)?;
            ("application/json", Bytes::from(body), Vec::new())
        };
        let document = Document::build(Rendered { content_type, body, last_modified: None, headers });
        Ok(serve_document(&request.method, &request.headers, &document))
    }

    /// `GET …/{version}/SHA256SUMS`, which `sha256sum -c` reads.
    pub(crate) async fn get_checksums(&self, request: &RepositoryRequest, address: &VersionAddress) -> Answer {
        let version = self.find_readable(request, address).await?;
        let mut body = String::new();
        for asset in own_assets(&version) {
            let _ = writeln!(body, "{}  {}", asset.digests.hex(HashAlgorithm::Sha256), asset.name);
        }
        let rendered = Rendered {
            content_type: "text/plain; charset=utf-8",
            body: body.into(),
            last_modified: None,
            headers: Vec::new(),
        };
        Ok(serve_document(&request.method, &request.headers, &Document::build(rendered)))
    }

    /// A version of this repository whose assets may be read.
    async fn find_readable(&self, request: &RepositoryRequest, address: &VersionAddress) -> Result<PackageVersion> {
        let repository = &request.target.repository;
        let found = self.services.store.find_version(repository.id, &address.package.key, &address.version).await?;
        let readable =
            |version: &PackageVersion| version.status.is_downloadable() || version.status == VersionStatus::Unfinished;
        found.filter(readable).ok_or_else(|| {
            Error::not_found(
                ResourceType::PackageVersion,
                address.version.as_str(),
                format!(
                    "version '{}' of '{}' is not in repository '{}'",
                    address.version, address.package.key, repository.name
                ),
            )
        })
    }
}

/// Browsers name HTML first; everybody else gets JSON.
fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let position = |media_type: &str| accept.split(',').position(|range| range.trim_start().starts_with(media_type));
    match (position("text/html"), position("application/json")) {
        (Some(html), Some(json)) => html < json,
        (html, _) => html.is_some(),
    }
}

/// Names are other people's: nothing on the page runs or loads.
fn page_headers() -> Vec<(&'static str, String)> {
    vec![("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'".to_owned())]
}

fn page(address: &VersionAddress, folder: &str, version: &PackageVersion) -> Bytes {
    let title = escape(&format!("{} {}", address.package.key.name(), address.version));
    let mut rows = String::new();
    for asset in own_assets(version) {
        let name = asset.name.as_str();
        let _ = writeln!(
            rows,
            "<tr><td><a href=\"{}\">{}</a></td><td align=\"right\">{}</td><td><code>{}</code></td></tr>",
            escape(&format!("{folder}{}", crate::address::encode(name))),
            escape(name),
            asset.digests.size_bytes,
            asset.digests.hex(HashAlgorithm::Sha256),
        );
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>body{{font-family:sans-serif}}td,th{{padding:.1em .8em;text-align:left}}</style></head><body>\n\
         <h1>{title}</h1>\n<p>{} · <a href=\"{}{CHECKSUMS}\">{CHECKSUMS}</a></p>\n\
         <table>\n<tr><th>asset</th><th>bytes</th><th>SHA-256</th></tr>\n{rows}</table>\n</body></html>\n",
        version.status,
        escape(folder),
    )
    .into()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn browsers_get_a_page_and_tools_get_json() {
        let html = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            prefers_html(&headers)
        };
        assert!(html("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        for other in ["*/*", "application/json", "application/json, text/html", ""] {
            assert!(!html(other), "{other}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
