//! Serves one hot document at `/document` and one file at `/file`, for measuring what a request costs:
//!
//!     hot ADDRESS FILE [WORKERS]
//!
//! With one worker (the default) everything runs on one thread, as in one worker process of another server.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use larder_core::ports::Blob;
use larder_core::services::{Document, Rendered};
use larder_http::{
    AssetHeaders, Ends, Handler, RequestBody, RequestId, Response, Server, response, serve_asset, serve_document,
};
use tokio::net::TcpListener;

struct Hot {
    document: Arc<Document>,
    file: PathBuf,
    size: u64,
}

impl Handler for Hot {
    async fn handle(&self, request: Request<RequestBody>, _ends: Ends, _id: &RequestId) -> Response {
        match request.uri().path() {
            "/document" => serve_document(request.method(), request.headers(), &self.document),
            "/file" => {
                let asset = AssetHeaders {
                    content_type: "application/octet-stream",
                    etag: Some("\"file\"".to_owned()),
                    size: Some(self.size),
                    last_modified: None,
                    disposition: None,
                    seekable: true,
                };
                let open = |_| async { File::open(&self.file).map(Blob::File).map_err(larder_core::Error::internal) };
                serve_asset(request.method(), request.headers(), &asset, open)
                    .await
                    .unwrap_or_else(|error| response::text(response::status_of(&error), &error.to_string()))
            }
            _ => response::empty(StatusCode::NOT_FOUND),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("an address is needed")?;
    let file = PathBuf::from(arguments.next().ok_or("a file is needed")?);
    let workers: usize = arguments.next().map_or(Ok(1), |workers| workers.parse())?;
    // Thirty kilobytes that compress about as well as a packument.
    let body: String = (0..300)
        .map(|n| format!("{{\"version\":\"1.0.{n}\",\"shasum\":\"{:040x}\",\"x\":{n:20}}},\n", n * n))
        .collect();
    let rendered =
        Rendered { content_type: "application/json", body: body.into(), last_modified: None, headers: Vec::new() };
    let hot = Hot { document: Arc::new(Document::build(rendered)), size: std::fs::metadata(&file)?.len(), file };
    let mut builder = match workers {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(workers).enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(address).await?;
        Server::new(hot).run(listener, std::future::pending(), Duration::ZERO).await;
        Ok(())
    })
}
