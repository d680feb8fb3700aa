//! A home of its own and a repository, for tests of clients.

use url::Url;

use super::{Client, Helper, Home, Repository};

pub(crate) fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home { path: folder.path().to_owned(), project: folder.path().join("project"), variables: |_| None };
    (folder, home)
}

pub(crate) fn repository(client: Client) -> Repository {
    let format = client.format();
    Repository {
        domain: "my-domain".to_owned(),
        name: "my.repo".to_owned(),
        endpoint: Url::parse(&format!("http://larder.test:5273/d/my-domain-111122223333/{format}/my.repo/")).unwrap(),
        token: "to.ken".to_owned(),
        helper: Helper {
            program: "/usr/bin/larder".to_owned(),
            arguments: vec!["--domain".to_owned(), "my-domain".to_owned()],
        },
        keep_public: false,
    }
}

/// What a client's first file becomes.
pub(crate) fn edited(client: Client, before: &str) -> String {
    let (_folder, home) = home();
    let plan = client.plan(&repository(client), &home);
    (plan.steps[0].edit)(before).unwrap()
}
