//! Handshakes, with rustls.

use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use larder_http::{EncryptedStream, Encryption};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::ProducesTickets;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::Identity;

/// Shakes hands, showing an identity that can be replaced meanwhile.
pub(super) struct Acceptor {
    provider: Arc<CryptoProvider>,
    /// Clients that come back shake hands in one step; also over a change of the certificate.
    tickets: Arc<dyn ProducesTickets>,
    config: ArcSwap<ServerConfig>,
}

impl Acceptor {
    /// Shows this identity.
    ///
    /// # Errors
    /// If the key is not the certificate's or of a kind that is not supported.
    pub(super) fn showing(identity: Identity) -> Result<Self, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let tickets = ring::Ticketer::new()?;
        let config = ArcSwap::new(config(&provider, &tickets, identity)?);
        Ok(Self { provider, tickets, config })
    }

    /// Shows another identity from the next handshake on.
    ///
    /// # Errors
    /// As [`Acceptor::showing`]; the old one is shown further then.
    pub(super) fn show(&self, identity: Identity) -> Result<(), rustls::Error> {
        self.config.store(config(&self.provider, &self.tickets, identity)?);
        Ok(())
    }
}

fn config(
    provider: &Arc<CryptoProvider>,
    tickets: &Arc<dyn ProducesTickets>,
    identity: Identity,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)?;
    // The server speaks nothing else.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = Arc::clone(tickets);
    Ok(Arc::new(config))
}

#[async_trait]
impl Encryption for Acceptor {
    async fn accept(&self, stream: TcpStream) -> io::Result<Box<dyn EncryptedStream>> {
        let stream = TlsAcceptor::from(self.config.load_full()).accept(stream).await?;
        Ok(Box::new(stream))
    }
}
