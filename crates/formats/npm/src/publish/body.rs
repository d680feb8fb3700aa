//! The request's stream → its text in memory and its tarball in staging, or in memory while it is small. Memory does not
//! grow with the tarball.

use futures_util::StreamExt as _;
use larder_core::error::{Error, Result};
use larder_core::ports::{BlobStore, ByteStream, HELD_LIMIT_BYTES, StagedBlob, Staging};
use larder_http::BodyError;

use super::base64::Decoder;
use super::scanner::{Piece, Scanner};

/// Everything in the body but the tarball: a document of a large package, sent back to deprecate a version.
pub(crate) const TEXT_LIMIT_BYTES: usize = 32 << 20;

/// How much of the tarball is written at once: each write goes through another thread.
const PIECE_BYTES: usize = 256 << 10;

/// A body, taken apart.
pub(crate) struct Received<P> {
    /// JSON, with the tarball's data empty.
    pub(crate) text: Vec<u8>,
    /// With what admitted it.
    pub(crate) tarball: Option<(Tarball<Arrived>, P)>,
}

/// The attachment that is the package.
#[derive(Debug)]
pub(crate) struct Tarball<B = StagedBlob> {
    /// Its key among the attachments.
    pub(crate) name: String,
    pub(crate) staged: B,
}

/// The bytes of a tarball that was received.
#[derive(Debug)]
pub(crate) enum Arrived {
    Staged(StagedBlob),
    /// At most [`HELD_LIMIT_BYTES`], not hashed yet.
    Whole(Vec<u8>),
}

impl Tarball<Arrived> {
    /// Hashes what is not hashed yet. Blocking.
    ///
    /// # Errors
    /// Those of the blob store.
    pub(crate) fn stage(self, blobs: &dyn BlobStore) -> Result<Tarball> {
        let staged = match self.staged {
            Arrived::Staged(staged) => staged,
            Arrived::Whole(bytes) => blobs.hold(bytes.into())?,
        };
        Ok(Tarball { name: self.name, staged })
    }
}

/// Reads a body to its end. `permit` is for publishing: its refusal is the answer once a tarball begins, before any of
/// it is stored.
///
/// # Errors
/// The refusal; [`Error::TooLarge`] and [`Error::Validation`] for bodies that are.
pub(crate) async fn receive<P, E: From<Error>>(
    mut stream: ByteStream,
    blobs: &dyn BlobStore,
    tarball_limit_bytes: u64,
    permit: Result<P, E>,
) -> Result<Received<P>, E> {
    let mut scanner = Scanner::default();
    let mut permit = Some(permit);
    let mut received = Received { text: Vec::new(), tarball: None };
    let mut open: Option<(Incoming, P)> = None;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| BodyError::of(&error).map_or_else(|| Error::internal(error), Error::from))?;
        let mut rest = &chunk[..];
        loop {
            let (count, piece) = scanner.next(rest).map_err(|error| error.in_field("body"))?;
            rest = &rest[count..];
            match piece {
                Some(Piece::Text(text)) => {
                    if received.text.len() + text.len() > TEXT_LIMIT_BYTES {
                        let message = "the body has more than 32 MiB beside its tarball".to_owned();
                        return Err(Error::TooLarge { message }.into());
                    }
                    received.text.extend_from_slice(text);
                }
                Some(Piece::AttachmentStart(name)) => {
                    let Some(permit) = permit.take() else {
                        let message = "a publish has one tarball, this one has more";
                        return Err(Error::validation("_attachments", message).into());
                    };
                    let permit = permit?;
                    let (decoder, piece) = (Decoder::default(), Vec::new());
                    open = Some((Incoming { name, blobs, staging: None, decoder, piece }, permit));
                }
                Some(Piece::Data(digits)) => {
                    if let Some((incoming, _)) = &mut open {
                        incoming.write(digits, tarball_limit_bytes).await?;
                    }
                }
                Some(Piece::AttachmentEnd) => {
                    if let Some((incoming, permit)) = open.take() {
                        received.tarball = Some((incoming.finish().await?, permit));
                    }
                }
                None if count == 0 => break,
                None => {}
            }
        }
    }
    Ok(received)
}

/// A tarball that is being written.
struct Incoming<'a> {
    name: String,
    blobs: &'a dyn BlobStore,
    /// From the first piece that is written.
    staging: Option<Box<dyn Staging>>,
    decoder: Decoder,
    /// Decoded and not written yet.
    piece: Vec<u8>,
}

impl Incoming<'_> {
    async fn write(&mut self, digits: &[u8], limit_bytes: u64) -> Result<()> {
        self.decoder.push(digits, &mut self.piece).map_err(|error| error.in_field("_attachments"))?;
        let staged = self.staging.as_ref().map_or(0, |staging| staging.len());
        if staged + self.piece.len() as u64 > limit_bytes {
            return Err(Error::TooLarge { message: format!("a tarball has at most {limit_bytes} bytes here") });
        }
        if self.piece.len() < PIECE_BYTES { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<()> {
        let piece = std::mem::take(&mut self.piece);
        let staging = match &mut self.staging {
            Some(staging) => staging,
            None => self.staging.insert(self.blobs.stage().await?),
        };
        if piece.is_empty() { Ok(()) } else { staging.write(piece.into()).await }
    }

    async fn finish(mut self) -> Result<Tarball<Arrived>> {
        std::mem::take(&mut self.decoder).finish().map_err(|error| error.in_field("_attachments"))?;
        if self.staging.is_none() && self.piece.len() <= HELD_LIMIT_BYTES {
            return Ok(Tarball { name: self.name, staged: Arrived::Whole(self.piece) });
        }
        self.flush().await?;
        let staging = match self.staging {
            Some(staging) => staging,
            None => self.blobs.stage().await?,
        };
        Ok(Tarball { name: self.name, staged: Arrived::Staged(staging.finish().await?) })
    }
}
