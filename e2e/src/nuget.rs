//! What the NuGet tests share: packages, a stand-in for the public gallery laid out like it, and homes in which dotnet
//! is logged in.

mod dotnet;
mod gallery;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use larder_testkit::packages::zip_of;
use larder_testkit::server::{REPOSITORY, ServerBuilder};
use larder_testkit::{Request, Response, Server};
use serde_json::Value;
use sha2::{Digest as _, Sha512};

pub use dotnet::Dotnet;
pub use gallery::Gallery;

/// A package as a test describes it.
#[derive(Debug, Clone)]
pub struct Nupkg {
    pub id: String,
    pub version: String,
    /// Elements of the manifest beyond the required ones.
    pub manifest: String,
    pub files: Vec<(String, Vec<u8>)>,
}

impl Nupkg {
    /// A package that every project can refer to.
    #[must_use]
    pub fn new(id: &str, version: &str) -> Self {
        let files = vec![("lib/netcoreapp3.1/_._".to_owned(), Vec::new())];
        Self { id: id.to_owned(), version: version.to_owned(), manifest: String::new(), files }
    }

    /// Adds elements to the manifest.
    #[must_use]
    pub fn says(mut self, elements: &str) -> Self {
        self.manifest.push_str(elements);
        self
    }

    /// Depends on another package.
    #[must_use]
    pub fn needs(self, id: &str, range: &str) -> Self {
        self.says(&format!("<dependencies><dependency id=\"{id}\" version=\"{range}\" /></dependencies>"))
    }

    #[must_use]
    pub fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    /// `{id}.nuspec`.
    #[must_use]
    pub fn nuspec(&self) -> String {
        let (id, version) = (&self.id, &self.version);
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <package xmlns=\"http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd\">\n  <metadata>\n    \
             <id>{id}</id>\n    <version>{version}</version>\n    <authors>somebody</authors>\n    \
             <description>Package {id}</description>\n    {}\n  </metadata>\n</package>\n",
            self.manifest
        )
    }

    /// The package's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let types = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Types \
            xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"nuspec\" \
            ContentType=\"application/octet\" /></Types>";
        let mut entries = vec![
            (format!("{}.nuspec", self.id), self.nuspec().into_bytes()),
            ("[Content_Types].xml".to_owned(), types.as_bytes().to_vec()),
        ];
        entries.extend(self.files.clone());
        zip_of(&entries)
    }

    /// SHA-512 of the package in base64: `contentHash` of lock files.
    #[must_use]
    pub fn content_hash(&self) -> String {
        STANDARD.encode(Sha512::digest(self.bytes()))
    }

    fn lower(&self) -> (String, String) {
        (self.id.to_lowercase(), self.version.to_lowercase())
    }
}

/// The line of a project that refers to a package.
#[must_use]
pub fn reference(id: &str, version: &str) -> String {
    format!("<PackageReference Include=\"{id}\" Version=\"{version}\" />")
}

/// The form of a push.
#[must_use]
pub fn push_form(package: &[u8]) -> (String, Vec<u8>) {
    form(&[("package", Some("package.nupkg"), package)])
}

/// Any form: name, file name and content of each part.
#[must_use]
pub fn form(parts: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let boundary = "5c2a7b4e-8d5f-4d3f-9f0e-2a7a0d1c6c11";
    let mut body = Vec::new();
    for (name, file_name, content) in parts {
        let mut head = format!("--{boundary}\r\nContent-Type: application/octet-stream\r\n");
        let _ = write!(head, "Content-Disposition: form-data; name={name}");
        if let Some(file_name) = file_name {
            let _ = write!(head, "; filename={file_name}; filename*=utf-8''{file_name}");
        }
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary=\"{boundary}\""), body)
}

/// The chunked form of a body, as dotnet sends it.
#[must_use]
pub fn chunked(body: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for chunk in body.chunks(4096) {
        wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

/// A server whose `my-repo` reaches the gallery through `nuget-store`.
#[derive(Debug)]
pub struct NugetWorld {
    pub gallery: Gallery,
    pub server: Server,
    pub token: String,
}

impl NugetWorld {
    /// With an empty gallery.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Gallery::start(), |builder| builder)
    }

    /// With an empty gallery and this `larder.toml`.
    ///
    /// # Panics
    /// If the file cannot be written.
    #[must_use]
    pub fn configured(configuration: &str) -> Self {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        std::fs::write(file.path(), configuration).expect("a configuration");
        let path = file.path().to_string_lossy().into_owned();
        Self::with(Gallery::start(), |builder| builder.argument("--config").argument(path))
    }

    /// With this gallery and a server that is started differently.
    pub fn with(gallery: Gallery, change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let builder = Server::builder().external("public:nuget-org", &gallery.index_url());
        let server = change(builder).start();
        let token = server.token();
        Self { gallery, server, token }
    }

    /// The address of `my-repo`'s service index.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}v3/index.json", self.server.endpoint("nuget", REPOSITORY))
    }

    /// A request to `my-repo`. `path` follows the endpoint's slash.
    pub fn request(&self, method: &str, path: &str) -> Request {
        self.request_in(REPOSITORY, method, path)
    }

    /// The same to another repository.
    pub fn request_in(&self, repository: &str, method: &str, path: &str) -> Request {
        let target = format!("{}/{path}", self.server.path("nuget", repository));
        self.server.request(method, &target).basic("aws", &self.token)
    }

    /// A document of `my-repo`.
    #[must_use]
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path).send()
    }

    /// Pushes over raw HTTP.
    #[must_use]
    pub fn push(&self, package: &[u8]) -> Response {
        let (content_type, body) = push_form(package);
        self.request("PUT", "v3/publish/").header("content-type", content_type).body(body).send()
    }

    /// Pushes and expects success.
    pub fn publish(&self, package: &Nupkg) {
        let _ = self.push(&package.bytes()).expect(201);
    }

    /// The versions that clients choose from.
    #[must_use]
    pub fn versions(&self, id: &str) -> Vec<String> {
        let answer = self.get(&format!("v3/flatcontainer/{id}/index.json"));
        if answer.status == 404 {
            return Vec::new();
        }
        let list = answer.expect(200).json();
        list["versions"].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }

    /// The leaves of a registration, from all its pages.
    #[must_use]
    pub fn leaves(&self, hive: &str, id: &str) -> Vec<Value> {
        let index = self.get(&format!("v3/{hive}/{id}/index.json")).expect(200).json();
        index["items"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|page| page["items"].as_array().cloned().unwrap_or_default())
            .collect()
    }

    /// A package's bytes.
    #[must_use]
    pub fn download(&self, id: &str, version: &str) -> Response {
        self.get(&format!("v3/flatcontainer/{id}/{version}/{id}.{version}.nupkg"))
    }

    /// A home with a project `app` and dotnet logged in to `my-repo`.
    #[must_use]
    pub fn client(&self) -> Dotnet {
        let dotnet = Dotnet::new(&self.server);
        dotnet.log_in(&self.source(), &self.token);
        dotnet.project("");
        dotnet
    }
}
