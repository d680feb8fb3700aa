//! Tools for Python that others wrote for CodeArtifact, as they are published.

use larder_e2e::World;
use larder_e2e::tunnel::Tunnel;
use larder_testkit::packages::PythonPackage;
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY};
use larder_testkit::tls::Authority;
use larder_testkit::{Client, Ran, Registry, Server, tests, tools};
use tempfile::TempDir;

tests![
    keyrings_codeartifact_serves_pip_and_twine,
    keyrings_codeartifact_serves_pip_and_twine_over_tls,
    aws_codeartifact_poetry_logs_poetry_in,
    partifact_logs_poetry_in,
];

/// Some of these tools answer for hosts of this form only.
const AWS_HOSTS: &str = "{domain}-{owner}.d.codeartifact.us-east-1.amazonaws.com";

/// The service's name of the domain.
fn aws_host() -> String {
    AWS_HOSTS.replace("{domain}", DOMAIN).replace("{owner}", ACCOUNT)
}

/// Twine of the keyring's environment.
fn twine(client: &Client, url: &str) -> Ran {
    let twine = ["upload", "--non-interactive", "--repository-url", url, "dist/kept_private-1.0-py3-none-any.whl"];
    client.program("codeartifact-keyring-python").args(["-m", "twine"]).args(twine).ends()
}

/// Pip of the keyring's environment. Without `--python`: pip would run as that interpreter's, which has no keyring.
fn download(client: &Client, url: &str, folder: &str) -> Ran {
    let index = format!("{url}simple/");
    let arguments = ["-m", "pip", "download", "--no-cache-dir", "--keyring-provider", "import", "--dest", folder];
    let run = client.program("codeartifact-keyring-python").args(arguments);
    run.args(["--trusted-host", &aws_host(), "--index-url", &index, "kept-private"]).ends()
}

/// Larder has the host names of the service here: clients reach them through it as their proxy, instead of by a name
/// server of the site. The keyring asks for tokens at `AWS_ENDPOINT_URL`.
fn keyrings_codeartifact_serves_pip_and_twine() {
    let world = World::with(Registry::start(), |builder| builder.argument("--endpoint-host").argument(AWS_HOSTS));
    let mut client = Client::new(&world.server);
    client.set("http_proxy", world.server.base_url());
    client.set("no_proxy", "127.0.0.1");
    client.set("PYTHON_KEYRING_BACKEND", "keyrings.codeartifact.CodeArtifactBackend");
    let url = format!("http://{}/pypi/{REPOSITORY}/", aws_host());

    PythonPackage::new("kept-private", "1.0").write_dist(&client.folder("dist"));
    assert!(twine(&client, &url).success);
    download(&client, &url, "got").says("Successfully downloaded kept-private");
    assert!(client.home().join("got/kept_private-1.0-py3-none-any.whl").is_file());

    // With a wrong secret there is no token, and so neither download nor upload.
    client.set("AWS_SECRET_ACCESS_KEY", "wrong");
    download(&client, &url, "refused").says("InvalidSignatureException").does_not_say("Successfully downloaded");
    assert!(!client.home().join("refused/kept_private-1.0-py3-none-any.whl").is_file());
    let again = twine(&client, &url);
    assert!(!again.success);
    again.says("InvalidSignatureException");
}

/// Larder under the host name of the service with TLS, as a site's name server would lead to it.
struct Site {
    server: Server,
    client: Client,
    certificate: TempDir,
}

impl Site {
    fn start() -> Self {
        let authority = Authority::new();
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let names = format!("IP:127.0.0.1,DNS:{}", aws_host());
        authority.certificate(&names).copy_to(&folder.path().join("cert"), &folder.path().join("key"));
        let builder = Server::builder().argument("--endpoint-host").argument(AWS_HOSTS);
        let server = builder.env("LARDER_TLS_CERT", &path("cert")).env("LARDER_TLS_KEY", &path("key")).start();
        let mut client = Client::new(&server);
        client.write("authority.pem", std::fs::read(authority.file()).expect("the authority"));
        let trusted = client.home().join("authority.pem").to_string_lossy().into_owned();
        for name in ["AWS_CA_BUNDLE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"] {
            client.set(name, &trusted);
        }
        client.set("https_proxy", &Tunnel::to(server.address()).url());
        client.set("no_proxy", "127.0.0.1");
        Self { server, client, certificate: folder }
    }

    /// The address of a Python repository under the service's name.
    fn url() -> String {
        format!("https://{}/pypi/{REPOSITORY}/", aws_host())
    }
}

fn keyrings_codeartifact_serves_pip_and_twine_over_tls() {
    let Site { server: _server, mut client, certificate: _certificate } = Site::start();
    let url = Site::url();
    client.set("PYTHON_KEYRING_BACKEND", "keyrings.codeartifact.CodeArtifactBackend");
    PythonPackage::new("kept-private", "1.0").write_dist(&client.folder("dist"));
    assert!(twine(&client, &url).success);
    download(&client, &url, "got").says("Successfully downloaded kept-private");

    // Another pip runs the keyring's own program, which it finds in the PATH and gives the user in the address to.
    let keyring = tools::folder().join("python/codeartifact-keyring/bin");
    let path = std::env::var("PATH").unwrap_or_default();
    client.set("PATH", &format!("{}:{path}", keyring.display()));
    let index = format!("{url}simple/").replace("https://", "https://aws@");
    let arguments = ["download", "--no-cache-dir", "--keyring-provider", "subprocess", "--dest", "again"];
    let run = client.program("pip").args(arguments).args(["--index-url", &index, "kept-private"]);
    run.succeeds().says("Successfully downloaded kept-private");
    assert!(client.home().join("again/kept_private-1.0-py3-none-any.whl").is_file());
}

/// A project of Poetry that takes its packages from a source called `aws`.
fn poetry_project(client: &Client, index: &str) {
    client.write(
        "app/pyproject.toml",
        format!(
            "[project]\nname = \"app\"\nversion = \"1.0\"\nrequires-python = \">=3.9,<4\"\ndependencies = []\n\n\
             [tool.poetry]\npackage-mode = false\n\n\
             [[tool.poetry.source]]\nname = \"aws\"\nurl = \"{index}\"\npriority = \"primary\"\n"
        ),
    );
}

fn poetry_adds(client: &Client) {
    let app = client.home().join("app");
    let _ = client.program("poetry").args(["add", "kept-private"]).in_folder(&app).succeeds();
    let python = app.join(".venv/bin/python");
    let _ = client.system(&python.to_string_lossy()).args(["-c", "import kept_private"]).succeeds();
}

/// It asks Larder for the repository's address and tells Poetry that and a token.
fn aws_codeartifact_poetry_logs_poetry_in() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let login = ["login", "--repository", REPOSITORY, "--domain", DOMAIN, "--domain-owner", ACCOUNT];
    client.program("aws-codeartifact-poetry").args(login).succeeds().says("login successful");

    let package = client.folder("kept-private");
    client.write(
        "kept-private/pyproject.toml",
        "[project]\nname = \"kept-private\"\nversion = \"1.0\"\n\n[tool.poetry]\npackages = []\n",
    );
    PythonPackage::new("kept-private", "1.0").write_dist(&client.folder("kept-private/dist"));
    let _ = client.program("poetry").args(["publish", "--repository", "aws"]).in_folder(&package).succeeds();
    poetry_project(&client, &format!("{}simple/", world.server.endpoint("pypi", REPOSITORY)));
    poetry_adds(&client);
}

/// It reads domain and repository from the address in the project, which has the service's form.
fn partifact_logs_poetry_in() {
    let Site { server: _server, client, certificate: _certificate } = Site::start();
    PythonPackage::new("kept-private", "1.0").write_dist(&client.folder("dist"));
    let login = ["codeartifact", "login", "--tool", "twine", "--domain", DOMAIN, "--repository", REPOSITORY];
    let _ = client.program("aws").args(login).succeeds();
    let _ = client.shell("twine upload --repository codeartifact dist/*").succeeds();
    poetry_project(&client, &format!("{}simple/", Site::url()));
    let app = client.home().join("app");
    let _ = client.program("partifact").args(["login", "aws"]).in_folder(&app).succeeds();
    poetry_adds(&client);
}
