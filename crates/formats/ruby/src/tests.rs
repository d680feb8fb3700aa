//! Handlers on a real store, in front of a public registry.

use std::ops::Deref;

use bytes::Bytes;
use larder_formatkit::{Answer, Registry, Setup, machine};
use sha2::{Digest as _, Sha256};

use crate::archive::tests::gem;
use crate::{Routes, RubyFormat};

mod api;
mod attestations;
mod publishing;
mod registry;

/// Repository `my-repo` takes from `team-repo`, which takes from `ruby-store`, which has the external connection.
struct Server(larder_formatkit::Server<Routes>);

impl Deref for Server {
    type Target = larder_formatkit::Server<Routes>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Server {
    async fn start() -> Self {
        let setup = Setup::new(&["ruby-store", "team-repo", "my-repo"]).connected_to("public:ruby-gems-org");
        Self(larder_formatkit::Server::start(RubyFormat, setup, Routes::new).await)
    }

    async fn push(&self, gem: impl Into<Bytes>) -> Answer {
        self.send("POST", "my-repo/api/v1/gems", &[], gem).await
    }

    async fn text(&self, address: &str) -> String {
        self.get(address).await.expect(200).text()
    }
}

fn md5(text: &str) -> String {
    hex::encode(md5::Md5::digest(text))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Puts a version into the public registry; answers its line.
fn offer(registry: &Registry, name: &str, version: &str) -> String {
    let file = gem(name, version, "ruby");
    let line = format!("{version} rake:~> 13.0|checksum:{},new_key:1", sha256(&file));
    registry.put(&format!("gems/{name}-{version}.gem"), file);
    let mut digest = String::new();
    registry.edit(&format!("info/{name}"), |info| {
        if info.is_empty() {
            info.push_str("---\n");
        }
        info.push_str(&format!("{line}\n"));
        digest = md5(info);
    });
    registry.edit("versions", |versions| {
        if versions.is_empty() {
            versions.push_str("created_at: 2024\n---\n");
        }
        versions.push_str(&format!("{name} {version} {digest}\n"));
    });
    line
}
