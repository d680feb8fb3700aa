//! dotnet in a home of its own.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use larder_testkit::{Client, Server, runner, tools};
use serde_json::Value;

/// How long a dotnet command may take on a busy machine.
const DOTNET_LIMIT: Duration = Duration::from_secs(300);

/// A person's machine with dotnet.
#[derive(Debug)]
pub struct Dotnet {
    pub client: Client,
}

impl Dotnet {
    /// A home that has dotnet and no source. Skips the test if dotnet could not be had.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        let mut client = Client::new(server);
        let dotnet = tools::need("dotnet");
        assert!(dotnet.exists(), "{} is gone", dotnet.display());
        client.set("LD_LIBRARY_PATH", &openssl().to_string_lossy());
        for (name, value) in [
            ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
            ("DOTNET_SKIP_FIRST_TIME_EXPERIENCE", "1"),
            ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"),
            ("DOTNET_NOLOGO", "1"),
            // Nothing stays behind that would serve the next test.
            ("MSBUILDDISABLENODEREUSE", "1"),
            ("UseSharedCompilation", "false"),
        ] {
            client.set(name, value);
        }
        Self { client }
    }

    /// Writes the source and its credentials, as `aws codeartifact login --tool dotnet` leaves them.
    pub fn log_in(&self, source: &str, token: &str) {
        self.write_config(source, Some(token), "");
    }

    /// Writes a configuration with one source.
    pub fn write_config(&self, source: &str, token: Option<&str>, more: &str) {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n<packageSources><clear /><add key=\"larder\" \
             value=\"{source}\" /></packageSources>\n"
        );
        if let Some(token) = token {
            let _ = writeln!(
                text,
                "<packageSourceCredentials><larder><add key=\"Username\" value=\"aws\" /><add key=\"ClearTextPassword\" \
                 value=\"{token}\" /></larder></packageSourceCredentials>"
            );
        }
        let _ = writeln!(text, "{more}</configuration>");
        self.client.write("nuget.config", text);
    }

    /// Writes the project `app` with these items.
    pub fn project(&self, items: &str) {
        self.project_with("", items);
    }

    /// Writes the project `app` with these properties and items.
    pub fn project_with(&self, properties: &str, items: &str) {
        self.client.write(
            "app/app.csproj",
            format!(
                "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType>\
                 <TargetFramework>netcoreapp3.1</TargetFramework>{properties}</PropertyGroup>\
                 <ItemGroup>{items}</ItemGroup></Project>"
            ),
        );
    }

    /// A dotnet command in the home.
    pub fn run<'a>(&'a self, arguments: &[&str]) -> larder_testkit::client::Run<'a> {
        self.client.program("dotnet").args(arguments.iter().copied()).limit(DOTNET_LIMIT)
    }

    /// The same in the project's folder.
    pub fn in_project<'a>(&'a self, arguments: &[&str]) -> larder_testkit::client::Run<'a> {
        self.run(arguments).in_folder(self.client.home().join("app"))
    }

    /// Which version of a package the last restore of the project chose.
    ///
    /// # Panics
    /// If nothing was restored.
    #[must_use]
    pub fn restored(&self, id: &str) -> Option<String> {
        let assets: Value = serde_json::from_str(&self.client.read("app/obj/project.assets.json")).expect("JSON");
        let libraries = assets["libraries"].as_object().expect("libraries");
        let names = libraries.keys().filter_map(|name| name.split_once('/'));
        names.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(id)).map(|(_, version)| version.to_owned())
    }

    /// Empties all caches of the home.
    pub fn forget(&self) {
        let _ = self.run(&["nuget", "locals", "all", "--clear"]).succeeds();
        let _ = std::fs::remove_dir_all(self.client.home().join("app/obj"));
    }

    /// Writes a package to a file in the home; answers its path.
    #[must_use]
    pub fn package(&self, name: &str, bytes: &[u8]) -> PathBuf {
        self.client.write(name, bytes);
        self.client.home().join(name)
    }
}

/// The folder of the OpenSSL that this dotnet wants.
fn openssl() -> PathBuf {
    let folder = tools::folder().join("python/openssl11/lib");
    let pythons = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let found = pythons.map(|python| python.join("site-packages/mysql/vendor")).find(|vendor| vendor.is_dir());
    found.unwrap_or_else(|| runner::skip("OpenSSL 1.1 for dotnet could not be installed, see `cargo xtask clients`"))
}
