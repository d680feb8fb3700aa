//! Reading a file as fast as a client takes it, without holding it in memory and without waiting for the disk.

use std::fs::File;
use std::future::Future as _;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use larder_core::ports::ByteRange;
use tokio::task::JoinHandle;

/// Bytes read at a time. A client that does not read holds one or two of these.
const CHUNK_BYTES: usize = 128 * 1024;
/// Idle buffers kept for the next chunk: 4 MiB.
const IDLE_BUFFERS: usize = 32;

/// Part of a file.
///
/// What lies in the page cache is read at once, which costs less than handing it to another thread. What does not is
/// read by a blocking thread, so that a slow disk never stops the other connections of this one.
pub struct BlobBody {
    file: Arc<File>,
    offset: u64,
    remaining: u64,
    /// A read that has to wait for the disk.
    waiting: Option<JoinHandle<io::Result<Bytes>>>,
}

impl BlobBody {
    /// The bytes `part` of `file`.
    #[must_use]
    pub fn new(file: File, part: ByteRange) -> Self {
        Self { file: Arc::new(file), offset: part.start, remaining: part.length, waiting: None }
    }

    /// Bytes still to come.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        let wanted = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        if self.waiting.is_none() {
            if let Some(read) = read_cached(&self.file, self.offset, wanted) {
                return Poll::Ready(Some(read.and_then(|chunk| self.advance(chunk))));
            }
            let (file, offset) = (Arc::clone(&self.file), self.offset);
            self.waiting = Some(tokio::task::spawn_blocking(move || read_waiting(&file, offset, wanted)));
        }
        let Some(waiting) = &mut self.waiting else { return Poll::Ready(None) };
        let joined = ready!(Pin::new(waiting).poll(cx));
        self.waiting = None;
        Poll::Ready(Some(joined.map_err(io::Error::other).flatten().and_then(|chunk| self.advance(chunk))))
    }

    fn advance(&mut self, chunk: Bytes) -> io::Result<Bytes> {
        if chunk.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than its record says"));
        }
        self.offset += chunk.len() as u64;
        self.remaining -= chunk.len() as u64;
        Ok(chunk)
    }
}

/// Reads what is in the page cache; `None` if it is not there or this system cannot tell.
#[cfg(target_os = "linux")]
fn read_cached(file: &File, offset: u64, wanted: usize) -> Option<io::Result<Bytes>> {
    use rustix::io::{Errno, IoSliceMut, ReadWriteFlags};

    let mut buffer = Buffer::take();
    match rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut buffer.bytes[..wanted])], offset, ReadWriteFlags::NOWAIT)
    {
        Ok(filled) => Some(Ok(buffer.filled(filled))),
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR) => None,
        Err(error) => Some(Err(error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_file: &File, _offset: u64, _wanted: usize) -> Option<io::Result<Bytes>> {
    None
}

fn read_waiting(file: &File, offset: u64, wanted: usize) -> io::Result<Bytes> {
    let mut buffer = Buffer::take();
    loop {
        match file.read_at(&mut buffer.bytes[..wanted], offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.map(|filled| buffer.filled(filled)),
        }
    }
}

/// A chunk's memory. Buffers are used again: fresh ones of this size cost a page fault for every four kilobytes.
struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
}

static IDLE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

impl Buffer {
    fn take() -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { bytes: idle.unwrap_or_else(|| vec![0; CHUNK_BYTES].into_boxed_slice()), filled: 0 }
    }

    fn filled(mut self, filled: usize) -> Bytes {
        self.filled = filled;
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_BUFFERS {
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}
