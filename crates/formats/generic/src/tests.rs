//! Handlers on a real store.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use larder_core::services::Limits;
use larder_formatkit::{Answer, Setup};

use crate::Routes;

mod bad_input;
mod resuming;
mod tree;

/// Repository `my-repo`, where an asset has at most [`LARGEST`] bytes and a version three assets.
pub(crate) struct Server(larder_formatkit::Server<Routes>);

impl Deref for Server {
    type Target = larder_formatkit::Server<Routes>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

pub(crate) const LARGEST: u64 = 1000;

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|routes| routes).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(Routes) -> Routes) -> Self {
        let limits = Limits { asset_size_bytes: LARGEST, assets_per_version: 3, ..Limits::default() };
        let setup = Setup::new(&["my-repo"]).with_limits(limits);
        let routes = |services| change(Routes::new(services));
        Self(larder_formatkit::Server::start(crate::Generic, setup, routes).await)
    }

    /// Goes on as after a restart: nothing is in memory.
    pub(crate) fn restarted(mut self) -> Self {
        self.0.routes = Routes::new(Arc::clone(&self.services));
        self
    }

    /// `address` is what follows the repository, with its query.
    pub(crate) async fn send(
        &self,
        method: &str,
        address: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.0.send(method, &format!("my-repo/{address}"), headers, body).await
    }

    pub(crate) async fn get(&self, address: &str) -> Answer {
        self.send("GET", address, &[], "").await
    }

    pub(crate) async fn put(&self, address: &str, body: &'static str) -> Answer {
        self.send("PUT", address, &[], body).await
    }

    /// Files that are being received.
    pub(crate) fn staged(&self) -> usize {
        let mut found = 0;
        let mut folders = vec![self.folder().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if folder.ends_with("staging") {
                    found += 1;
                }
            }
        }
        found
    }
}
