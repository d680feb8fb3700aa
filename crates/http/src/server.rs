//! The listener: accepting connections within a limit, serving them, and stopping without cutting requests off.

mod connection;
mod sent;
mod transport;
mod turn;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use self::transport::Transport;
pub use self::transport::{EncryptedStream, Encryption};
use crate::log::{self, Auditor};
use crate::request_id::RequestId;
use crate::{RequestBody, Response};

/// How long accepting rests after an error such as too many open files.
const ACCEPT_REST: Duration = Duration::from_millis(50);
/// Read and written at a time, and the most that waits to be written beside one chunk of a body.
const BUFFER_BYTES: usize = 64 * 1024;

/// What answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request that came over this connection.
    fn handle(
        &self,
        request: http::Request<RequestBody>,
        ends: Ends,
        id: &RequestId,
    ) -> impl Future<Output = Response> + Send;
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    pub remote: SocketAddr,
    pub local: SocketAddr,
    /// The connection is encrypted by this server.
    pub is_encrypted: bool,
}

/// Bounds of the server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Request line and headers together; tokens and forwarded headers need more than the usual 8 KiB (protocols 0.3).
    pub header_limit_bytes: usize,
    /// From the end of one request, or the opening of the connection, until the headers of the next are complete.
    /// Longer than the minute after which load balancers let go of an idle connection themselves.
    pub header_timeout: Duration,
    /// How long a client may take to agree on encryption, where there is any.
    pub handshake_timeout: Duration,
    /// How long a client may take nothing of an answer before the connection is dropped.
    pub write_timeout: Duration,
    /// Further connections wait in the system's queue.
    pub max_connections: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            header_limit_bytes: 32 * 1024,
            header_timeout: Duration::from_secs(75),
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(60),
            max_connections: 4096,
        }
    }
}

/// How far a stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// Running requests are finished, no new ones are taken.
    Draining,
    /// What still runs is cut off.
    Closing,
}

/// A server for one handler.
pub struct Server<H> {
    handler: Arc<H>,
    settings: ServerSettings,
    encryption: Option<Arc<dyn Encryption>>,
    auditor: Option<Arc<dyn Auditor>>,
}

impl<H: Handler> Server<H> {
    /// With the default bounds.
    #[must_use]
    pub fn new(handler: H) -> Self {
        Self { handler: Arc::new(handler), settings: ServerSettings::default(), encryption: None, auditor: None }
    }

    /// With other bounds.
    #[must_use]
    pub fn with_settings(mut self, settings: ServerSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Encrypts all connections.
    #[must_use]
    pub fn encrypted_by(mut self, encryption: Arc<dyn Encryption>) -> Self {
        self.encryption = Some(encryption);
        self
    }

    /// Tells of every request.
    #[must_use]
    pub fn audited_by(mut self, auditor: Arc<dyn Auditor>) -> Self {
        log::note_for_auditor();
        self.auditor = Some(auditor);
        self
    }

    /// Serves until `stop` resolves, then lets running requests finish for as long as `patience`.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>, patience: Duration) {
        let (phase, _) = watch::channel(Phase::Serving);
        let builder = self.builder();
        let permits = Arc::new(Semaphore::new(self.settings.max_connections));
        {
            let mut stop = std::pin::pin!(stop);
            loop {
                let accepted = tokio::select! {
                    biased;
                    () = &mut stop => break,
                    accepted = accept(&listener, &permits) => accepted,
                };
                match accepted {
                    Ok((permit, stream, mut ends)) => {
                        ends.is_encrypted = self.encryption.is_some();
                        let (builder, handler) = (builder.clone(), Arc::clone(&self.handler));
                        let (encryption, settings) = (self.encryption.clone(), self.settings.clone());
                        let auditor = self.auditor.clone();
                        let mut phase = phase.subscribe();
                        tokio::spawn(async move {
                            let opened = tokio::select! {
                                biased;
                                _ = phase.wait_for(|phase| *phase > Phase::Serving) => return,
                                opened = Transport::open(stream, encryption.as_ref(), settings.handshake_timeout) => opened,
                            };
                            match opened {
                                Ok(transport) => {
                                    let wire = wire::Wire::new(transport, &settings);
                                    connection::serve(builder, wire, ends, handler, auditor, phase).await;
                                }
                                Err(error) => tracing::debug!(%error, peer = %ends.remote, "a handshake failed"),
                            }
                            drop(permit);
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_REST).await;
                    }
                }
            }
        }
        drop(listener);
        phase.send_replace(Phase::Draining);
        if tokio::time::timeout(patience, phase.closed()).await.is_err() {
            tracing::warn!(connections = phase.receiver_count(), "cutting off requests that did not finish in time");
            phase.send_replace(Phase::Closing);
            phase.closed().await;
        }
    }

    fn builder(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder
            .header_read_timeout(None)
            .max_header_size(self.settings.header_limit_bytes)
            .max_buf_size(BUFFER_BYTES.max(self.settings.header_limit_bytes));
        builder
    }
}

/// Takes the next connection once there is room for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, Ends)> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(io::Error::other)?;
    loop {
        let (stream, remote) = listener.accept().await?;
        // A connection that is gone already is not the listener's trouble.
        if stream.set_nodelay(true).is_ok()
            && let Ok(local) = stream.local_addr()
        {
            return Ok((permit, stream, Ends { remote, local, is_encrypted: false }));
        }
    }
}
