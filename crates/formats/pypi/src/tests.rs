//! Handlers on a real store, in front of a public registry.

use std::fmt::Write as _;
use std::ops::Deref;

use bytes::Bytes;
use http::Method;
use larder_core::services::Limits;
use larder_formatkit::{Answer, Setup, machine};
use larder_http::RequestBody;

use crate::{PypiFormat, Routes};

mod bad_uploads;
mod pages;
mod registry;
mod uploads;

/// Repository `my-repo` takes from `pypi-store`, which has the external connection.
pub(crate) struct Server(larder_formatkit::Server<Routes>);

impl Deref for Server {
    type Target = larder_formatkit::Server<Routes>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    pub(crate) async fn start_with(limits: Limits) -> Self {
        let limits = Limits { asset_size_bytes: 1 << 20, ..limits };
        let setup = Setup::new(&["pypi-store", "my-repo"]).connected_to("public:pypi").with_limits(limits);
        Self(larder_formatkit::Server::start(PypiFormat, setup, Routes::new).await)
    }

    pub(crate) async fn get_json(&self, address: &str) -> Answer {
        self.send("GET", address, &[("accept", "application/vnd.pypi.simple.v1+json")], "").await
    }

    pub(crate) async fn upload(&self, form: &Form) -> Answer {
        self.send("POST", "my-repo/", &[("content-type", FORM_TYPE)], form.body()).await
    }
}

pub(crate) const FORM_TYPE: &str = "multipart/form-data; boundary=frontier";

/// An upload form; a correct one unless a test changes it.
#[derive(Clone)]
pub(crate) struct Form {
    /// Name, file name and bytes, in order.
    parts: Vec<(String, Option<String>, Vec<u8>)>,
}

impl Form {
    pub(crate) fn new(file_name: &str, content: &[u8]) -> Self {
        let wheel = file_name.ends_with(".whl");
        let mut parts = file_name.split('-');
        let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Self { parts: Vec::new() }
            .with(":action", "file_upload")
            .with("protocol_version", "1")
            .with("metadata_version", "2.1")
            .with("name", name)
            .with("version", version.trim_end_matches(".tar.gz").trim_end_matches(".zip"))
            .with("filetype", if wheel { "bdist_wheel" } else { "sdist" })
            .with("pyversion", if wheel { "py3" } else { "source" })
            .with_file("content", file_name, content)
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.parts.push((name.to_owned(), None, value.as_bytes().to_vec()));
        self
    }

    pub(crate) fn with_file(mut self, name: &str, file_name: &str, content: &[u8]) -> Self {
        self.parts.push((name.to_owned(), Some(file_name.to_owned()), content.to_vec()));
        self
    }

    /// Removes a field.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parts.retain(|(part, ..)| part != name);
        self
    }

    /// Replaces a field.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, file_name, content) in &self.parts {
            let mut head = format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"");
            if let Some(file_name) = file_name {
                let _ = write!(head, "; filename=\"{file_name}\"\r\nContent-Type: application/octet-stream");
            }
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(b"\r\n\r\n");
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--frontier--\r\n");
        body
    }
}
