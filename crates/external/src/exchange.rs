//! One question to a registry: redirects followed, every hop checked.

use http::{HeaderMap, Method, StatusCode, header};
use larder_core::ports::OutgoingBody;
use tokio::time::Instant;
use url::Url;

use crate::addresses::{Admission, Purpose, follow};
use crate::answer::text;
use crate::client::{Call, Client, Pool, Reply, SendFailure};
use crate::configuration::Registry;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// A question, with what it may spend.
pub(crate) struct Exchange<'a> {
    pub(crate) client: &'a Client,
    pub(crate) registry: &'a Registry,
    pub(crate) purpose: Purpose,
    /// Connections to hosts that only the registry named, if those are allowed.
    pub(crate) discovered: Option<&'a Pool>,
    /// When the body of the answer must be here.
    pub(crate) deadline: Instant,
    /// One request may be sent again after its connection broke.
    pub(crate) may_retry: bool,
}

impl Exchange<'_> {
    /// Asks, and follows redirects as far as the registry's rules go. Credentials are never sent again once a redirect
    /// led to another origin, not even back at the registry.
    pub(crate) async fn get(&mut self, start: &Url, headers: &HeaderMap) -> Result<Reply, SendFailure> {
        let mut url = start.clone();
        let mut been_elsewhere = false;
        let mut redirects = 0;
        loop {
            let reply = match self.send(Method::GET, &url, headers, None, been_elsewhere).await {
                Err(SendFailure::Broken(_)) if self.take_retry() => continue,
                outcome => outcome?,
            };
            let Some(location) = redirection(&reply) else { return Ok(reply) };
            redirects += 1;
            if redirects > REDIRECTS {
                return Err(SendFailure::Failed(format!("it redirects more than {REDIRECTS} times")));
            }
            url = follow(&url, location).map_err(SendFailure::Failed)?;
            been_elsewhere |= url.origin() != self.registry.base.origin();
        }
    }

    /// Sends a body, once. A redirect is an answer like any other: what is asked is not told to somebody else.
    pub(crate) async fn post(&self, url: &Url, headers: &HeaderMap, body: OutgoingBody) -> Result<Reply, SendFailure> {
        self.send(Method::POST, url, headers, Some(body), false).await
    }

    /// Whether a retry is left; it is spent by asking.
    pub(crate) fn take_retry(&mut self) -> bool {
        std::mem::take(&mut self.may_retry)
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<OutgoingBody>,
        been_elsewhere: bool,
    ) -> Result<Reply, SendFailure> {
        let mut headers = headers.clone();
        let pool = match (self.registry.admit(url, self.purpose).map_err(SendFailure::Failed)?, self.discovered) {
            (Admission::Configured { with_credentials }, _) => {
                if let Some(authorization) = self.registry.authorization.as_ref().filter(|_| with_credentials)
                    && !been_elsewhere
                {
                    headers.insert(header::AUTHORIZATION, authorization.clone());
                }
                self.client.operator()
            }
            (Admission::Discovered, Some(pool)) => pool,
            (Admission::Discovered, None) => {
                return Err(SendFailure::Failed("files on other hosts are not allowed".to_owned()));
            }
        };
        self.client.send(Call { pool, method, url, headers, body, deadline: self.deadline }).await
    }
}

/// Where a reply sends us, if it does.
fn redirection(reply: &Reply) -> Option<&str> {
    let redirects = matches!(
        reply.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    text(&reply.headers, header::LOCATION).filter(|_| redirects)
}
