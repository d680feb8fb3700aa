//! A server from its first to its last request.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use larder_api::{Api, ApiSettings};
use larder_core::model::ExternalConnection;
use larder_core::services::SealedJournal;
use larder_external::Registries;
use larder_http::{Endpoint, EndpointSettings, Server};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::audit::{AuditFiles, AuditWriter, Queue};
use crate::aws_files::AwsFiles;
use crate::bootstrap::{bootstrap, next_steps};
use crate::cli::{Failure, Outcome};
use crate::config::Settings;
use crate::data_dir::write_private;
use crate::detect::{Found, detect};
use crate::external_file::ExternalFile;
use crate::journal::{Retention, events, make_key, node_name};
use crate::tls::{Tls, how_to_trust};
use crate::wiring::{Machine, Wired, addresses, routes, wire};

/// How long running requests may take after the server was asked to stop.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(30);
/// How often the file of external connections is looked at.
const EXTERNAL_FILE_INTERVAL: Duration = Duration::from_secs(1);

/// Runs until the process is asked to stop.
pub(crate) async fn serve(settings: Settings) -> Outcome<()> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| Failure::new(format!("cannot listen on {}: {error}", settings.listen)))?;
    let address = listener.local_addr()?;
    let tls = Tls::set_up(&settings, address)?;
    let base_url = settings.base_url.clone().unwrap_or_else(|| local_url(address, tls.is_some()));
    let authority = tls.as_ref().and_then(Tls::authority_file);

    let first_start = settings.bootstrap && !settings.data_dir.aws_credentials().exists();
    if first_start {
        detect_at_first_start(&settings)?;
    }
    make_key(&settings.data_dir)?;
    let Wired { services, registries, journal, client } = wire(&settings).await?;
    let machine = Machine { services: Arc::clone(&services), journal: Arc::clone(&journal) };
    if settings.bootstrap {
        let external = ExternalFile::read(&settings.data_dir.external_file())?;
        let connections: Vec<ExternalConnection> = settings.all_registries(&external)?.into_keys().collect();
        bootstrap(&machine, &settings.data_dir, &connections).await?;
        AwsFiles::write_config(&settings.data_dir, &settings.region, &base_url, authority.as_deref())?;
    }
    let swept = services.blobs.sweep_staging(Duration::ZERO).await?;
    if swept > 0 {
        tracing::info!(swept, "removed unfinished uploads of an earlier run");
    }

    let endpoint = Endpoint::new(
        Arc::clone(&services),
        routes(&services, &settings),
        Arc::new(Api::new(Arc::clone(&services), ApiSettings { endpoint_host: settings.endpoint_host.clone() })),
        EndpointSettings {
            base_url: settings.base_url.clone(),
            endpoint_host: settings.endpoint_host.clone(),
            trusted_proxies: settings.trusted_proxies.clone(),
        },
    )?;
    let mut server = Server::new(endpoint);
    if let Some(tls) = &tls {
        server = server.encrypted_by(tls.encryption());
    }
    let mut audit = None;
    if let Some(audited) = &settings.audit {
        let (queue, queued) = Queue::new(audited.reads);
        server = server.audited_by(Arc::new(queue));
        let files = AuditFiles::open(&audited.folder, audited.limits.clone(), services.clock.now())?;
        audit = Some(AuditWriter::new(Arc::clone(&services), files, queued));
    }
    // Whoever knows that requests are served may ask to stop at once.
    let stop = stop_signal()?;
    announce(&settings, &base_url, authority.as_deref(), first_start)?;
    let mut watches = JoinSet::new();
    watches.spawn(seal(Arc::clone(&journal)));
    let node = node_name(&settings.data_dir)?;
    if let Some(events) = events(&settings.webhooks, &services, &client, node)? {
        watches.spawn(async move { events.run().await });
    }
    if let Some(keep) = settings.journal_keep {
        let (journal, clock) = (Arc::clone(&journal), Arc::clone(&services.clock));
        let audited = audit.as_ref().map(AuditWriter::written);
        let readers = settings.webhooks.iter().map(|webhook| webhook.name.clone()).collect();
        watches.spawn(Retention { journal, clock, keep, readers, audited }.run());
    }
    let audit = audit.map(|writer| {
        let (stop, stopped) = oneshot::channel();
        (stop, tokio::spawn(writer.run(stopped)))
    });
    watches.spawn(reload_registries(settings, registries));
    if let Some(tls) = tls {
        watches.spawn(tls.keep_current());
    }
    server.run(listener, stop, SHUTDOWN_PATIENCE).await;
    watches.abort_all();
    services.background.drain().await;
    if let Err(error) = journal.seal_all().await {
        tracing::warn!(%error, "the last journal records are sealed at the next start");
    }
    if let Some((stop, writer)) = audit {
        drop(stop);
        if let Err(error) = writer.await {
            tracing::error!(%error, "the audit log was not completed; the next start does it");
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// Seals the journal until it is aborted.
async fn seal(journal: Arc<SealedJournal>) {
    journal.run().await;
}

/// Where clients on this machine find the listener.
fn local_url(address: SocketAddr, is_encrypted: bool) -> String {
    let scheme = if is_encrypted { "https" } else { "http" };
    if address.ip().is_unspecified() {
        format!("{scheme}://127.0.0.1:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

/// Asks the package managers once, unless somebody said already where the registries are.
fn detect_at_first_start(settings: &Settings) -> Outcome<()> {
    let path = settings.data_dir.external_file();
    if path.exists() || !settings.registries.is_empty() {
        return Ok(());
    }
    let mut file = ExternalFile::read(&path)?;
    for detected in detect() {
        match detected.result {
            Ok(found) => {
                for Found { connection, entry, source } in found {
                    tracing::info!(connection = connection.name(), source, "found a public registry");
                    file.set(connection.name(), entry);
                }
            }
            Err(why) => tracing::info!(client = detected.client, why, "found no public registry"),
        }
    }
    settings.data_dir.create()?;
    Ok(file.write()?)
}

/// Tells people and programs that requests are served.
fn announce(settings: &Settings, base_url: &str, authority: Option<&Path>, first_start: bool) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Larder {} is ready at {base_url}", env!("CARGO_PKG_VERSION"))?;
    if let Some(authority) = authority {
        writeln!(out, "{}", how_to_trust(authority, base_url))?;
    }
    if first_start {
        writeln!(out, "{}", next_steps(&settings.data_dir))?;
    }
    out.flush()?;
    if let Some(path) = &settings.ready_file {
        write_private(path, base_url)?;
    }
    Ok(())
}

/// Resolves when the process is asked to stop.
fn stop_signal() -> Outcome<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; running requests are finished first");
    })
}

/// Takes over what `larder external` writes while the server runs.
async fn reload_registries(settings: Settings, registries: Arc<Registries>) {
    let path = settings.data_dir.external_file();
    let modified = || -> Option<SystemTime> { std::fs::metadata(&path).and_then(|data| data.modified()).ok() };
    let mut known = modified();
    loop {
        tokio::time::sleep(EXTERNAL_FILE_INTERVAL).await;
        let now = modified();
        if now == known {
            continue;
        }
        known = now;
        let tables = ExternalFile::read(&path).and_then(|file| settings.all_registries(&file));
        let outcome = tables
            .map_err(|error| error.to_string())
            .and_then(|tables| registries.replace(&addresses(tables)).map_err(|error| error.to_string()));
        match outcome {
            Ok(()) => tracing::info!("took over changed addresses of external connections"),
            Err(error) => {
                tracing::error!(%error, "the file of external connections is wrong; keeping the old addresses");
            }
        }
    }
}
