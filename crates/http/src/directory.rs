//! What the endpoint has to ask before a format sees a request.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use larder_core::Result;
use larder_core::access::Caller;
use larder_core::model::{AccountId, Domain, DomainName, Repository, RepositoryName, Timestamp};
use larder_core::services::{Services, Throttle};

/// Knows who presents a token and which domains and repositories there are.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// Who presents this token; `None` if it is unknown or has ended.
    async fn authenticate(
        &self,
        token: &str,
        address: Option<IpAddr>,
        secure_transport: bool,
        request_id: &str,
    ) -> Result<Option<Caller>>;

    /// Finds a domain or fails with `ResourceNotFound`.
    async fn get_domain(&self, owner: &AccountId, name: &DomainName) -> Result<Arc<Domain>>;

    /// Finds a repository of a domain or fails with `ResourceNotFound`.
    async fn get_repository(&self, domain: &Domain, name: &RepositoryName) -> Result<Arc<Repository>>;

    /// A number that differs whenever anything was committed by anybody.
    async fn epoch(&self) -> Result<u64>;

    /// The time that tokens end by.
    fn now(&self) -> Timestamp;

    /// What counts requests, if anything does.
    fn throttle(&self) -> Option<&Throttle> {
        None
    }

    /// Fails while requests cannot be served.
    async fn check_ready(&self) -> Result<()>;
}

#[async_trait]
impl Directory for Services {
    async fn authenticate(
        &self,
        token: &str,
        address: Option<IpAddr>,
        secure_transport: bool,
        request_id: &str,
    ) -> Result<Option<Caller>> {
        self.tokens.authenticate(token, address, secure_transport, request_id).await
    }

    async fn get_domain(&self, owner: &AccountId, name: &DomainName) -> Result<Arc<Domain>> {
        self.access.get_domain(owner, name).await
    }

    async fn get_repository(&self, domain: &Domain, name: &RepositoryName) -> Result<Arc<Repository>> {
        self.access.get_repository(domain, name).await
    }

    async fn epoch(&self) -> Result<u64> {
        self.store.epoch().await
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn throttle(&self) -> Option<&Throttle> {
        self.throttle.as_ref()
    }

    async fn check_ready(&self) -> Result<()> {
        self.store.epoch().await.map(drop)
    }
}
