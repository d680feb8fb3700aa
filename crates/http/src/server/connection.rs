//! One connection: its requests one after the other, each with an id, a log entry and a net under its handler.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::sync::watch;

use super::sent::Sent;
use super::wire::Wire;
use super::{Ends, Handler, Phase};
use crate::body::Unread;
use crate::log::{self, Asker, Auditor, Entry};
use crate::request_id::RequestId;
use crate::{Body, RequestBody, Response, response};

const X_AMZN_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Serves the connection until either side ends it or the server closes.
pub(super) async fn serve<H: Handler>(
    builder: http1::Builder,
    wire: Wire,
    ends: Ends,
    handler: Arc<H>,
    auditor: Option<Arc<dyn Auditor>>,
    mut phase: watch::Receiver<Phase>,
) {
    let (unread, turns) = (wire.unread(), wire.turns());
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        let answering = turns.begin();
        let unread = unread.clone();
        let auditor = auditor.clone();
        async move {
            let answer = answer(handler.as_ref(), request, ends, &unread, auditor.as_ref()).await;
            Ok::<_, Infallible>(answer.map(|(body, entry)| Sent::new(body, entry, answering)))
        }
    });
    let mut connection = std::pin::pin!(builder.serve_connection(wire, service));
    let mut reached = Phase::Serving;
    loop {
        tokio::select! {
            biased;
            served = &mut connection => {
                if let Err(error) = served {
                    tracing::debug!(%error, peer = %ends.remote, "a connection ended early");
                }
                return;
            }
            changed = phase.wait_for(|phase| *phase > reached) => {
                reached = changed.map_or(Phase::Closing, |phase| *phase);
            }
        }
        if reached == Phase::Closing {
            return;
        }
        connection.as_mut().graceful_shutdown();
    }
}

async fn answer<H: Handler>(
    handler: &H,
    request: Request<Incoming>,
    ends: Ends,
    unread: &Unread,
    auditor: Option<&Arc<dyn Auditor>>,
) -> http::Response<(Body, Option<Box<Entry>>)> {
    let id = RequestId::random();
    let mut entry = log::is_on().then(|| Box::new(Entry::begin(&request, id, ends.remote.ip(), auditor)));
    let waits_to_send = request.headers().contains_key(EXPECT);
    let request = request.map(|body| RequestBody::network(body, unread));
    let handled = AssertUnwindSafe(handler.handle(request, ends, &id)).catch_unwind().await;
    let mut response = handled.unwrap_or_else(|_| defect(&id));
    // What is left of a large body is not read, so the connection ends here. A client that was not told would send its
    // next request into it. One that waits for "100 Continue" sends no body after another answer.
    if !unread.settle(!waits_to_send).await {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // The id is made of hexadecimal digits and hyphens.
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_AMZN_REQUEST_ID, id);
    }
    if let Some(entry) = &mut entry {
        let asker = response.extensions_mut().remove::<Asker>();
        entry.answered(response.status(), response.headers(), asker);
    }
    response.map(|body| (body, entry))
}

/// The answer when a handler panicked. What happened stands in the log, written by the panic hook and here.
fn defect(id: &RequestId) -> Response {
    tracing::error!(request_id = id.as_str(), "a handler panicked");
    response::text(
        StatusCode::INTERNAL_SERVER_ERROR,
        &format!("internal error; the server's log has the cause under request id {id}"),
    )
}
