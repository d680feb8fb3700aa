//! What lies between TCP and HTTP: nothing, or an encryption that the program brings.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

/// The first byte of a TLS connection: the record type of a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
/// For who speaks plain HTTP to a server that encrypts.
const PLAIN_SPEAKER: &[u8] = b"HTTP/1.1 400 this server speaks TLS\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 56\r\nconnection: close\r\n\r\n\
    this server speaks TLS: use https:// instead of http://\n";
/// What such a client may still send, in bytes, before it is cut off.
const PLAIN_SPEECH: u64 = 64 * 1024;

/// Encrypts connections. It is made elsewhere: this crate knows no TLS library.
#[async_trait]
pub trait Encryption: Send + Sync + 'static {
    /// Shakes hands with a client that has connected.
    ///
    /// # Errors
    /// When the client does not accept what it is shown, or does not speak the protocol.
    async fn accept(&self, stream: TcpStream) -> io::Result<Box<dyn EncryptedStream>>;
}

/// An encrypted connection.
pub trait EncryptedStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> EncryptedStream for T {}

/// A connection, encrypted or not.
pub(super) enum Transport {
    Plain(TcpStream),
    Encrypted(Box<dyn EncryptedStream>),
}

impl Transport {
    /// Takes a new connection over. A client that has not shaken hands when the time is over is given up.
    pub(super) async fn open(
        stream: TcpStream,
        encryption: Option<&Arc<dyn Encryption>>,
        limit: Duration,
    ) -> io::Result<Self> {
        let Some(encryption) = encryption else { return Ok(Self::Plain(stream)) };
        let shaken = tokio::time::timeout(limit, async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE {
                turn_away(stream).await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS"));
            }
            encryption.accept(stream).await.map(Self::Encrypted)
        });
        shaken.await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no handshake in time")))
    }
}

/// Tells a client why it is not served. What it sends is read, so that no reset overtakes the answer.
async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(PLAIN_SPEAKER).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(PLAIN_SPEECH), &mut tokio::io::sink()).await?;
    Ok(())
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Encrypted(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Encrypted(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PLAIN_SPEAKER;

    #[test]
    fn the_answer_to_plain_speakers_has_the_length_that_it_says() {
        let text = std::str::from_utf8(PLAIN_SPEAKER).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
