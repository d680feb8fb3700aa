//! TLS of the listener: with the operator's certificate, taken over again whenever its files change, or with one of a
//! local authority that Larder makes.

mod acceptor;
mod authority;
mod files;
mod names;
mod trust;
mod validity;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use larder_core::model::{Clock as _, SystemClock, Timestamp};
use larder_http::Encryption;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use self::acceptor::Acceptor;
use self::authority::Authority;
use crate::cli::Outcome;
use crate::config::{CertificateFiles, Settings, TlsSettings};

/// What a server shows: its certificate with those that lead to its authority, and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Where identities come from.
enum Source {
    Files(CertificateFiles),
    Local { authority: Box<Authority>, names: Vec<String> },
}

/// The encryption of a server.
pub(crate) struct Tls {
    acceptor: Arc<Acceptor>,
    source: Source,
    /// Until when the certificate that is shown is valid, if that can be read.
    shown_until: Option<Timestamp>,
}

impl Tls {
    /// Sets up what the configuration asks for; `None` for plain HTTP. The names in a certificate of the local
    /// authority are those under which clients may find `listener`.
    pub(crate) fn set_up(settings: &Settings, listener: SocketAddr) -> Outcome<Option<Self>> {
        let source = match &settings.tls {
            TlsSettings::Off => return Ok(None),
            TlsSettings::Files(files) => Source::Files(files.clone()),
            TlsSettings::SelfSigned => Source::Local {
                authority: Box::new(Authority::open(&settings.data_dir.tls(), now())?),
                names: names::of_server(listener, settings.base_url.as_deref(), settings.endpoint_host.as_deref()),
            },
        };
        let identity = source.identity()?;
        let shown_until = validity::not_after(&identity);
        Ok(Some(Self { acceptor: Arc::new(Acceptor::showing(identity)?), source, shown_until }))
    }

    /// What the server encrypts with.
    pub(crate) fn encryption(&self) -> Arc<dyn Encryption> {
        Arc::clone(&self.acceptor) as _
    }

    /// The file that clients trust the local authority by; `None` with the operator's own certificate.
    pub(crate) fn authority_file(&self) -> Option<PathBuf> {
        match &self.source {
            Source::Files(_) => None,
            Source::Local { authority, .. } => Some(authority.certificate_file()),
        }
    }

    /// Shows new certificates when there are any, for as long as it is polled. Connections go on as they are.
    pub(crate) async fn keep_current(self) {
        match &self.source {
            Source::Files(files) => files::watch(files, &self.acceptor).await,
            Source::Local { .. } => self.renew().await,
        }
    }

    async fn renew(&self) {
        let mut shown_until = self.shown_until;
        loop {
            tokio::time::sleep(authority::RENEWAL_INTERVAL).await;
            if !authority::is_due(shown_until, now()) {
                continue;
            }
            match self.source.identity() {
                Ok(identity) => {
                    shown_until = validity::not_after(&identity);
                    match self.acceptor.show(identity) {
                        Ok(()) => tracing::info!("renewed the server's certificate"),
                        Err(error) => tracing::error!(%error, "cannot show the renewed certificate"),
                    }
                }
                Err(error) => tracing::error!(%error, "cannot renew the server's certificate"),
            }
        }
    }
}

impl Source {
    fn identity(&self) -> Outcome<Identity> {
        match self {
            Self::Files(files) => files::read(files),
            Self::Local { authority, names } => authority.issue(names, now()),
        }
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

/// What a person does so that clients trust the local authority.
pub(crate) fn how_to_trust(authority: &Path, base_url: &str) -> String {
    trust::instructions(authority, base_url)
}
