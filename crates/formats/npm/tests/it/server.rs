//! The handlers with a store in a temporary folder and a user who may do what a test does not deny.

use std::ops::Deref;

use bytes::Bytes;
use larder_core::access::{Caller, Via};
use larder_core::model::{
    AccessKey, AccessKeyId, AccessKeyStatus, Principal, SecretAccessKey, Timestamp, User, UserName,
};
use larder_core::ports::Change;
use larder_core::services::Limits;
use larder_formatkit::{Answer, Setup, machine};
use larder_http::RequestBody;
use larder_npm::{Npm, Routes};

use crate::samples::publish_body;

pub(crate) const BASE: &str = "http://larder.test/d/my-domain-123456789012/npm/repo";
pub(crate) const SECRET: &str = "a-secret-of-twenty-letters";

/// A repository `repo` whose upstream `npm-store` has the connection to the public registry. `alice` asks.
pub(crate) struct Server(larder_formatkit::Server<Routes>);

impl Deref for Server {
    type Target = larder_formatkit::Server<Routes>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let limits = Limits { asset_size_bytes: 4 << 20, ..Limits::default() };
        let setup = Setup::new(&["npm-store", "repo"]).connected_to("public:npmjs").with_limits(limits);
        let mut server = larder_formatkit::Server::start(Npm, setup, Routes::new).await;
        let account = server.domain.owner.clone();
        let user = User {
            account,
            path: "/".to_owned(),
            name: UserName::new("alice").expect("a name"),
            id: "AIDA1".to_owned(),
        };
        let key = AccessKey {
            id: AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").expect("an id"),
            secret: SecretAccessKey::new(SECRET).expect("a secret"),
            status: AccessKeyStatus::Active,
            user: user.clone(),
            created_at: Timestamp(0),
        };
        server.caller.via = Via::Signature(key.id.clone());
        server.caller.principal = Principal::user(user.clone());
        let actor = machine().actor("CreateUser", Timestamp(0));
        for change in [Change::CreateUser { user }, Change::CreateAccessKey { key, limit: None }] {
            server.services.store.apply(&actor, change).await.expect("applied");
        }
        Self(server)
    }

    /// From now on the user may not do this.
    pub(crate) fn deny(&self, action: &'static str) {
        self.policies.deny(action);
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send_with(method, path, &[], RequestBody::full(body), self.caller.clone()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send_with("GET", path, headers, RequestBody::empty(), self.caller.clone()).await
    }

    /// Sends a request as if http had authenticated it, and checks of a refusal that it is in npm's form. A path may end
    /// in a query.
    pub(crate) async fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: RequestBody,
        caller: Caller,
    ) -> Answer {
        let mut request = self.request(method, &format!("repo{path}"), headers, body).await;
        request.caller = caller;
        let answer = self.answer(request).await;
        if answer.status >= 400 {
            let error = answer.json();
            assert_eq!(error["ok"], false);
            assert!(error["error"].as_str().is_some_and(|sentence| sentence.len() > 10), "{error}");
        }
        answer
    }

    /// Whether a download is refused or breaks off.
    pub(crate) async fn download_fails(&self, path: &str) -> bool {
        self.0.download_fails(&format!("repo{path}")).await
    }

    /// Publishes a package with nothing but its manifest.
    pub(crate) async fn publish(&self, name: &str, version: &str, tag: &str) -> Answer {
        self.send("PUT", &path_of(name), publish_body(name, version, tag).to_string()).await
    }
}

/// `/@s%2fn`, as npm asks for it.
pub(crate) fn path_of(name: &str) -> String {
    format!("/{}", name.replacen('/', "%2f", usize::from(name.starts_with('@'))))
}
