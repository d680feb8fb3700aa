//! Single requests to the object store: signed, repeated when that may help, their failures read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use larder_core::ports::{ByteRange, ByteStream, HttpTransport, IncomingResponse, OutgoingBody, OutgoingRequest};
use larder_core::{Error, Result};
use rusty_s3::actions::list_objects_v2::ListObjectsV2Response;
use rusty_s3::actions::{CreateMultipartUpload, ListObjectsV2};
use rusty_s3::{Bucket, Credentials, S3Action};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom};

use super::settings::S3Settings;
use super::unavailable;

/// How long a signature holds: longer than the clocks of the two machines differ.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// Pauses between the attempts at one request.
pub(super) const PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1600)];

/// The largest answer that is read as a document, in bytes; a listing of 1000 keys is below 1 MiB.
const LARGEST_DOCUMENT: usize = 8 * 1024 * 1024;

/// How much of a file is read at once for sending, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// One bucket of an object store.
pub(super) struct ObjectStore {
    bucket: Bucket,
    credentials: Credentials,
    transport: Arc<dyn HttpTransport>,
    pauses: [Duration; 3],
}

/// Part of a file.
#[derive(Debug, Clone)]
pub(super) struct FilePart {
    pub(super) path: PathBuf,
    pub(super) start: u64,
    pub(super) length_bytes: u64,
    pub(super) md5: [u8; 16],
}

/// What the store says of an object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) size_bytes: u64,
    /// To the second, rounded down; `None` if the store does not say it in HTTP's form.
    pub(super) modified_at: Option<SystemTime>,
}

/// A request that can be sent again.
struct Ask {
    method: &'static str,
    /// Signed: never logged.
    url: String,
    headers: Vec<(&'static str, String)>,
    body: AskBody,
}

enum AskBody {
    Nothing,
    Text(Bytes),
    File(FilePart),
}

impl ObjectStore {
    pub(super) fn new(settings: &S3Settings, transport: Arc<dyn HttpTransport>, pauses: [Duration; 3]) -> Result<Self> {
        let field = |invalid: larder_core::error::Invalid| invalid.in_field("storage");
        Ok(Self {
            bucket: settings.bucket().map_err(field)?,
            credentials: settings.credentials().map_err(field)?,
            transport,
            pauses,
        })
    }

    /// An object without its bytes, if it is there.
    pub(super) async fn find(&self, key: &str) -> Result<Option<Object>> {
        let ask = Self::ask(&self.bucket.head_object(Some(&self.credentials), key));
        let Some(response) = self.send(&ask).await? else { return Ok(None) };
        let length = response.header("content-length").and_then(|length| length.parse().ok());
        let size_bytes = length.ok_or_else(|| Error::internal("the object store answered HEAD without a length"))?;
        let modified_at = response.header("last-modified").and_then(|time| httpdate::parse_http_date(time).ok());
        Ok(Some(Object { size_bytes, modified_at }))
    }

    /// An object, or part of it, if it is there.
    pub(super) async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Option<IncomingResponse>> {
        let mut ask = Self::ask(&self.bucket.get_object(Some(&self.credentials), key));
        if let Some(range) = range {
            let last = range.start.saturating_add(range.length).saturating_sub(1);
            ask.headers.push(("range", format!("bytes={}-{last}", range.start)));
        }
        self.send(&ask).await
    }

    /// Removes an object; no error if it is not there.
    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        self.send(&self.deletion(key)).await.map(drop)
    }

    /// Removes an object, asking once only: an answer that was lost does not become a later removal.
    pub(super) async fn delete_once(&self, key: &str) -> Result<()> {
        self.attempt(&self.deletion(key)).await.map(drop)
    }

    fn deletion(&self, key: &str) -> Ask {
        Self::ask(&self.bucket.delete_object(Some(&self.credentials), key))
    }

    /// Objects in the order of their keys.
    pub(super) async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        limit: usize,
    ) -> Result<ListObjectsV2Response> {
        let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
        list.with_prefix(prefix);
        list.with_max_keys(limit);
        if let Some(start_after) = start_after {
            list.with_start_after(start_after);
        }
        read_list(&self.send_for_text(&Self::ask(&list)).await?)
    }

    /// Stores an object in one request.
    pub(super) async fn put(&self, key: &str, part: FilePart) -> Result<()> {
        let ask = self.sending(self.bucket.put_object(Some(&self.credentials), key), part);
        self.expect(&ask).await.map(drop)
    }

    /// Stores an object without bytes.
    pub(super) async fn put_empty(&self, key: &str) -> Result<()> {
        let mut ask = Self::ask(&self.bucket.put_object(Some(&self.credentials), key));
        ask.body = AskBody::Text(Bytes::new());
        self.expect(&ask).await.map(drop)
    }

    /// Begins an upload in parts; answers its id.
    pub(super) async fn create_upload(&self, key: &str) -> Result<String> {
        let ask = Self::ask(&self.bucket.create_multipart_upload(Some(&self.credentials), key));
        read_upload_id(&self.send_for_text(&ask).await?)
    }

    /// Uploads a part, counted from 1; answers its entity tag.
    pub(super) async fn upload_part(&self, key: &str, upload: &str, number: u16, part: FilePart) -> Result<String> {
        let action = self.bucket.upload_part(Some(&self.credentials), key, number, upload);
        let response = self.expect(&self.sending(action, part)).await?;
        let etag = response.header("etag").map(str::to_owned);
        etag.ok_or_else(|| Error::internal("the object store gave no entity tag for a part"))
    }

    /// Makes an object of the parts, which are in order.
    pub(super) async fn complete_upload(&self, key: &str, upload: &str, etags: &[String]) -> Result<()> {
        let etags = etags.iter().map(String::as_str);
        let action = self.bucket.complete_multipart_upload(Some(&self.credentials), key, upload, etags);
        let mut ask = Self::ask(&action);
        ask.headers.push(("content-type", "application/xml".to_owned()));
        ask.body = AskBody::Text(action.body().into());
        let text = self.send_for_text(&ask).await?;
        // The status is sent before the outcome is known: a failure comes as 200 with an error in it.
        match text.contains("<CompleteMultipartUploadResult") {
            true => Ok(()),
            false => Err(unavailable("the object store did not put an upload together", code_of(&text))),
        }
    }

    /// Gives an upload up and frees its parts.
    pub(super) async fn abort_upload(&self, key: &str, upload: &str) -> Result<()> {
        let ask = Self::ask(&self.bucket.abort_multipart_upload(Some(&self.credentials), key, upload));
        self.send(&ask).await.map(drop)
    }

    fn ask<'a, A: S3Action<'a>>(action: &A) -> Ask {
        Ask {
            method: A::METHOD.to_str(),
            url: action.sign(SIGNED_FOR).into(),
            headers: Vec::new(),
            body: AskBody::Nothing,
        }
    }

    /// A request with a file in it; the store checks the digest before it answers.
    fn sending<'a, A: S3Action<'a>>(&self, mut action: A, part: FilePart) -> Ask {
        let digest = STANDARD.encode(part.md5);
        action.headers_mut().insert("content-md5", digest.clone());
        let mut ask = Self::ask(&action);
        ask.headers.push(("content-md5", digest));
        ask.body = AskBody::File(part);
        ask
    }

    /// Sends until there is an answer that would not change; `None` if there is no such object.
    async fn send(&self, ask: &Ask) -> Result<Option<IncomingResponse>> {
        let mut pauses = self.pauses.iter();
        loop {
            match self.attempt(ask).await {
                Err(Error::Unavailable { message, source }) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(*pause).await,
                    None => return Err(Error::Unavailable { message, source }),
                },
                outcome => return outcome,
            }
        }
    }

    async fn attempt(&self, ask: &Ask) -> Result<Option<IncomingResponse>> {
        let body = match &ask.body {
            AskBody::Nothing => None,
            AskBody::Text(text) => Some(OutgoingBody {
                length_bytes: text.len() as u64,
                stream: futures_util::stream::iter([Ok(text.clone())]).boxed(),
            }),
            AskBody::File(part) => Some(OutgoingBody { length_bytes: part.length_bytes, stream: read_part(part) }),
        };
        let (method, url, headers) = (ask.method, ask.url.clone(), ask.headers.clone());
        let response = self.transport.send(OutgoingRequest { method, url, headers, body }).await?;
        let status = response.status;
        if (200..300).contains(&status) {
            return Ok(Some(response));
        }
        // A failure's body only explains: what cannot be read of it is left out.
        let explanation = collect(response.body).await.unwrap_or_default();
        let explanation = String::from_utf8_lossy(&explanation);
        let code = code_of(&explanation);
        let failure = format!("the object store answered {status} {code} to {method}");
        match (status, code.as_str()) {
            (404, "NoSuchBucket") => Err(Error::internal(format!("{failure}: make the bucket {}", self.bucket.name()))),
            (404, _) => Ok(None),
            (429 | 500..=599, _) | (400, "RequestTimeout" | "BadDigest") => {
                Err(unavailable("the object store cannot answer at the moment", failure))
            }
            _ => Err(Error::internal(failure)),
        }
    }

    /// As [`ObjectStore::send`], where something missing is a failure.
    async fn expect(&self, ask: &Ask) -> Result<IncomingResponse> {
        let response = self.send(ask).await?;
        response.ok_or_else(|| Error::internal(format!("the object store answered 404 to {}", ask.method)))
    }

    async fn send_for_text(&self, ask: &Ask) -> Result<String> {
        let response = self.expect(ask).await?;
        let bytes = collect(response.body).await.map_err(|error| unavailable("the object store broke off", error))?;
        String::from_utf8(bytes.into()).map_err(Error::internal)
    }
}

async fn collect(mut body: ByteStream) -> std::io::Result<Bytes> {
    let mut collected = BytesMut::new();
    while let Some(bytes) = body.next().await {
        collected.extend_from_slice(&bytes?);
        if collected.len() > LARGEST_DOCUMENT {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
    }
    Ok(collected.freeze())
}

/// Reads the answer to a list.
pub(super) fn read_list(document: &str) -> Result<ListObjectsV2Response> {
    ListObjectsV2::parse_response(document).map_err(|error| unavailable("the object store's list is no list", error))
}

/// Reads the answer to the beginning of an upload.
pub(super) fn read_upload_id(document: &str) -> Result<String> {
    let created = CreateMultipartUpload::parse_response(document);
    let created = created.map_err(|error| unavailable("the object store gave no id for an upload", error))?;
    Ok(created.upload_id().to_owned())
}

/// The code of an S3 error document, such as `NoSuchKey`; empty if there is none.
pub(super) fn code_of(document: &str) -> String {
    let code = document.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map(|(code, _)| code.chars().filter(char::is_ascii_alphanumeric).take(64).collect()).unwrap_or_default()
}

/// The bytes of part of a file, from disk.
fn read_part(part: &FilePart) -> ByteStream {
    let FilePart { path, start, length_bytes, .. } = part.clone();
    let opened = async move {
        let mut file = tokio::fs::File::open(&path).await?;
        file.seek(SeekFrom::Start(start)).await?;
        Ok::<_, std::io::Error>((file.take(length_bytes), length_bytes))
    };
    Box::pin(futures_util::stream::once(opened).flat_map(|opened| {
        match opened {
            Err(error) => futures_util::stream::once(std::future::ready(Err(error))).boxed(),
            Ok(state) => futures_util::stream::try_unfold(state, |(mut file, left)| async move {
                let mut piece = BytesMut::with_capacity(PIECE_BYTES);
                match file.read_buf(&mut piece).await? as u64 {
                    0 if left > 0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
                    0 => Ok(None),
                    read => Ok(Some((piece.freeze(), (file, left - read)))),
                }
            })
            .boxed(),
        }
    }))
}
