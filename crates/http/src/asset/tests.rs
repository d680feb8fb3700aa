use std::io::Write as _;

use bytes::Bytes;
use futures_util::stream;
use http::HeaderName;
use http::header::{CONTENT_ENCODING, IF_NONE_MATCH, IF_RANGE, RANGE};
use http_body::Body as _;

use super::*;

const CONTENT: &[u8] = b"0123456789";

fn asset() -> AssetHeaders<'static> {
    AssetHeaders {
        content_type: "application/octet-stream",
        etag: Some("\"tag\"".to_owned()),
        size: Some(10),
        last_modified: Some(Timestamp(784_111_777_250)),
        disposition: None,
        seekable: true,
    }
}

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn file() -> Blob {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(CONTENT).unwrap();
    Blob::File(file)
}

fn memory() -> Blob {
    Blob::Memory(Bytes::from_static(CONTENT))
}

fn streamed(bytes: &'static [u8]) -> Blob {
    Blob::Stream(Box::pin(stream::iter(bytes.chunks(3).map(|chunk| Ok(Bytes::from_static(chunk))))))
}

/// Serves `content`, which must be asked for this part.
async fn serve(
    method: &Method,
    headers: &HeaderMap,
    asset: &AssetHeaders<'_>,
    content: Blob,
    part: Option<ByteRange>,
) -> Response {
    let read = async |asked: Option<ByteRange>| {
        assert_eq!(asked, part);
        Ok(content)
    };
    serve_asset(method, headers, asset, read).await.unwrap()
}

/// Serves what must not be read at all.
async fn serve_unread(method: &Method, headers: &HeaderMap) -> Response {
    let read = async |_: Option<ByteRange>| panic!("nothing of it is sent");
    serve_asset(method, headers, &asset(), read).await.unwrap()
}

async fn read(mut body: Body) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await {
        all.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    all
}

#[tokio::test]
async fn all_of_it_is_sent_with_its_length_and_never_encoded() {
    for content in [memory(), file(), streamed(CONTENT)] {
        let accept = headers(&[(http::header::ACCEPT_ENCODING, "gzip")]);
        let response = serve(&Method::GET, &accept, &asset(), content, None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.body().size_hint().exact(), Some(10));
        let out = response.headers();
        assert_eq!(out[ETAG], "\"tag\"");
        assert_eq!(out[ACCEPT_RANGES], "bytes");
        assert_eq!(out[CACHE_CONTROL], "private, max-age=31536000, immutable");
        assert_eq!(out[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(!out.contains_key(CONTENT_ENCODING));
        assert_eq!(read(response.into_body()).await, CONTENT);
    }
}

#[tokio::test]
async fn a_range_is_cut_from_memory_and_files_and_taken_as_it_is_from_streams() {
    let part = ByteRange { start: 4, length: 3 };
    for content in [memory(), file(), streamed(b"456")] {
        let ranged = headers(&[(RANGE, "bytes=4-6")]);
        let response = serve(&Method::GET, &ranged, &asset(), content, Some(part)).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes 4-6/10");
        assert_eq!(response.body().size_hint().exact(), Some(3));
        assert_eq!(read(response.into_body()).await, b"456");
    }
}

#[tokio::test]
async fn a_failed_if_range_sends_everything() {
    let stale = headers(&[(RANGE, "bytes=4-6"), (IF_RANGE, "\"other\"")]);
    for content in [memory(), file(), streamed(CONTENT)] {
        let response = serve(&Method::GET, &stale, &asset(), content, None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(read(response.into_body()).await, CONTENT);
    }
}

#[tokio::test]
async fn a_range_beyond_the_end_is_answered_with_the_size() {
    let beyond = headers(&[(RANGE, "bytes=10-")]);
    let response = serve_unread(&Method::GET, &beyond).await;
    assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(response.headers()[CONTENT_RANGE], "bytes */10");
    assert!(!response.headers().contains_key(ETAG));
}

#[tokio::test]
async fn a_client_that_has_it_gets_304() {
    let known = headers(&[(IF_NONE_MATCH, "\"tag\"")]);
    let response = serve_unread(&Method::GET, &known).await;
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(response.headers()[ETAG], "\"tag\"");
    assert!(response.body().is_end_stream());
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let response = serve_unread(&Method::HEAD, &HeaderMap::new()).await;
    assert_eq!(response.headers()[CONTENT_LENGTH], "10");
    assert!(response.body().is_end_stream());
}

#[tokio::test]
async fn an_asset_of_unknown_size_is_streamed_without_ranges() {
    let unknown = AssetHeaders { size: None, etag: None, ..asset() };
    let response = serve(&Method::GET, &headers(&[(RANGE, "bytes=4-6")]), &unknown, streamed(CONTENT), None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key(ACCEPT_RANGES));
    assert_eq!(response.body().size_hint().exact(), None);
    assert_eq!(read(response.into_body()).await, CONTENT);
}

#[tokio::test]
async fn an_asset_that_is_still_arriving_is_sent_whole_with_its_length() {
    let arriving = AssetHeaders { seekable: false, ..asset() };
    let response = serve(&Method::GET, &headers(&[(RANGE, "bytes=4-6")]), &arriving, streamed(CONTENT), None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key(ACCEPT_RANGES));
    assert_eq!(response.body().size_hint().exact(), Some(10));
}

#[tokio::test]
async fn what_a_browser_would_run_is_an_attachment_in_a_sandbox() {
    for content_type in ["text/html", "Text/HTML; charset=utf-8", "image/svg+xml", "application/xhtml+xml"] {
        let page = AssetHeaders { content_type, ..asset() };
        let response = serve(&Method::GET, &HeaderMap::new(), &page, memory(), None).await;
        assert_eq!(response.headers()[CONTENT_DISPOSITION], "attachment", "{content_type}");
        assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], "sandbox; default-src 'none'");
    }
}

#[test]
fn file_names_cannot_break_out_of_the_header() {
    assert_eq!(attachment(Some("a b.zip")), "attachment; filename=\"a b.zip\"");
    assert_eq!(
        attachment(Some("é\".zip\r\nX: y")),
        "attachment; filename=\"__.zip__X: y\"; filename*=UTF-8''%C3%A9%22.zip%0D%0AX%3A%20y"
    );
}
