use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue};
use http_body::Body as _;
use larder_core::Error;

use super::*;

async fn read(mut body: Body) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        all.extend_from_slice(&frame?.into_data().unwrap());
    }
    Ok(all)
}

fn chunks(chunks: &'static [&'static str]) -> ByteStream {
    Box::pin(stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))))
}

fn request(parts: &'static [&'static str]) -> RequestBody {
    RequestBody::streamed(chunks(parts))
}

#[tokio::test]
async fn a_file_larger_than_a_chunk_is_read_to_its_last_byte() {
    let content: Vec<u8> = (0_u32..200_000).flat_map(u32::to_le_bytes).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    let part = ByteRange { start: 5, length: 799_990 };
    let body = Body::blob(Blob::File(file), part);
    assert_eq!(body.size_hint().exact(), Some(part.length));
    assert!(read(body).await.unwrap() == content[5..799_995]);
}

#[tokio::test]
async fn a_file_that_is_shorter_than_its_record_breaks_the_answer() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"short").unwrap();
    let body = Body::blob(Blob::File(file), ByteRange { start: 0, length: 6 });
    assert_eq!(read(body).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_stream_must_hold_exactly_what_it_declared() {
    assert_eq!(read(Body::stream(chunks(&["ab", "c"]), Some(3))).await.unwrap(), b"abc");
    assert_eq!(read(Body::stream(chunks(&["ab", "c"]), None)).await.unwrap(), b"abc");
    assert!(read(Body::stream(chunks(&["ab", "c"]), Some(4))).await.is_err(), "early end");
    assert!(read(Body::stream(chunks(&["ab", "c"]), Some(2))).await.is_err(), "late end");
}

#[test]
fn nothing_to_send_is_an_ended_body() {
    let none = ByteRange { start: 0, length: 0 };
    for body in [Body::full(""), Body::stream(chunks(&[]), Some(0)), Body::blob(Blob::Memory(Bytes::new()), none)] {
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }
}

#[tokio::test]
async fn a_body_is_collected_up_to_its_limit() {
    assert_eq!(request(&["ab", "cd", "e"]).collect(5).await.unwrap(), "abcde");
    assert_eq!(request(&[]).collect(0).await.unwrap(), "");
    assert!(matches!(request(&["ab", "cd", "e"]).collect(4).await, Err(Error::TooLarge { .. })));
    assert!(matches!(request(&["ab", "c"]).with_limit(2).collect(9).await, Err(Error::TooLarge { .. })));
    assert!(matches!(RequestBody::full("abc").collect(2).await, Err(Error::TooLarge { .. })), "declared too large");
}

#[tokio::test]
async fn a_stream_ends_with_its_error() {
    let mut body = request(&["ab", "cd", "e"]).with_limit(3).into_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "ab");
    let error = body.next().await.unwrap().unwrap_err();
    assert_eq!(BodyError::of(&error), Some(BodyError::TooLarge { limit: 3 }));
    assert!(body.next().await.is_none());
}

#[test]
fn the_cause_is_found_behind_wrappers() {
    let error = io::Error::from(BodyError::Truncated);
    assert_eq!(BodyError::of(&error), Some(BodyError::Truncated));
    let wrapped = io::Error::other(error);
    assert_eq!(BodyError::of(&wrapped), Some(BodyError::Truncated));
    assert_eq!(BodyError::of(&Error::internal(wrapped)), Some(BodyError::Truncated));
    assert_eq!(BodyError::of(&io::Error::other("disk")), None);
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn encoded(encoding: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))])
}

#[tokio::test]
async fn gzip_is_undone_where_a_route_asks_for_it_and_never_beyond_the_limit() {
    let audit = "left-pad ".repeat(1000);
    let collect = |limit, encoding| RequestBody::full(gzip(&audit)).collect_decoded(encoding, limit);
    let gzipped = encoded("gzip");
    assert_eq!(collect(9000, &gzipped).await.unwrap(), audit);
    assert!(matches!(collect(8999, &gzipped).await, Err(Error::TooLarge { .. })), "a bomb is refused");
    let plain = RequestBody::full("{}").collect_decoded(&HeaderMap::new(), 2).await;
    assert_eq!(plain.unwrap(), "{}");
    let broken = RequestBody::full("not gzip").collect_decoded(&gzipped, 100).await;
    assert!(matches!(broken, Err(Error::Validation { .. })));
    let other = RequestBody::full("x").collect_decoded(&encoded("br"), 100).await;
    assert!(matches!(other, Err(Error::Validation { field, .. }) if field == "Content-Encoding"));
}
