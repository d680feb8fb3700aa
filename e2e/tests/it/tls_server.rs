//! Larder speaking TLS itself: with a local authority that clients are told to trust, and with certificates in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use larder_e2e::virtual_environment;
use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::server::{DOMAIN, REPOSITORY, succeeds};
use larder_testkit::tls::Authority;
use larder_testkit::{Client, Server, tests};

tests![
    tls_server_self_signed_serves_every_client,
    tls_server_untrusted_is_refused_by_every_client,
    tls_server_keeps_its_authority_and_changes_its_certificate,
    tls_server_takes_over_a_replaced_certificate,
    tls_server_finishes_requests_when_stopped,
    tls_server_configuration_is_checked,
];

fn self_signed() -> Server {
    Server::builder().env("LARDER_TLS", "self-signed").start()
}

/// What `larder env` says to export, without its quotes.
fn exported(server: &Server, name: &str) -> Option<String> {
    let printed = succeeds(&server.larder(&["env"]));
    let line = printed.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
    line.map(|value| value.trim_matches('\'').to_owned())
}

/// A home that trusts an authority in the way of each client.
fn trusting(server: &Server, authority: &str) -> Client {
    let mut client = Client::new(server);
    for name in
        ["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"]
    {
        client.set(name, authority);
    }
    client
}

fn login(client: &Client, tool: &str) {
    let arguments = ["codeartifact", "login", "--tool", tool, "--domain", DOMAIN, "--repository", REPOSITORY];
    let _ = client.program("aws").args(arguments).succeeds();
}

fn token(client: &Client) -> String {
    let arguments = ["codeartifact", "get-authorization-token", "--domain", DOMAIN];
    let more = ["--query", "authorizationToken", "--output", "text"];
    client.program("aws").args(arguments).args(more).succeeds().text().to_owned()
}

fn tls_server_self_signed_serves_every_client() {
    let server = self_signed();
    assert!(server.base_url().starts_with("https://127.0.0.1:"), "{}", server.base_url());
    assert_eq!(exported(&server, "AWS_ENDPOINT_URL").as_deref(), Some(server.base_url()));
    let authority = exported(&server, "AWS_CA_BUNDLE").expect("the authority");
    let log = server.log();
    for told in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "sslCAInfo"] {
        assert!(log.contains(told), "{told} is not explained:\n{log}");
    }
    let client = trusting(&server, &authority);

    login(&client, "npm");
    NpmPackage::new("sealed", "1.0.0").write_to(&client.folder("sealed"));
    let _ = client.program("npm").arg("publish").in_folder(client.home().join("sealed")).succeeds();
    let app = client.folder("app");
    NpmPackage::new("app", "1.0.0").write_to(&app);
    let _ = client.program("npm").args(["install", "--no-audit", "sealed"]).in_folder(&app).succeeds();
    let lock = client.read("app/package-lock.json");
    assert!(lock.contains(&format!("{}{}/sealed", server.base_url(), server.path("npm", REPOSITORY))), "{lock}");

    login(&client, "twine");
    PythonPackage::new("sealed", "1.0").write_dist(&client.folder("dist"));
    let _ = client.shell("twine upload --repository codeartifact dist/*").succeeds();
    login(&client, "pip");
    let python = virtual_environment(&client, "venv");
    let _ = client.program("pip").args(["--python", &python, "install", "sealed"]).succeeds();
    let index = format!("{}simple/", server.endpoint("pypi", REPOSITORY));
    let index = index.replace("https://", &format!("https://aws:{}@", token(&client)));
    let _ = client
        .program("uv")
        .args(["pip", "install", "--python", &python, "--reinstall", "--default-index", &index, "sealed"])
        .succeeds();

    // On the machine itself nobody has to be told.
    let connected = succeeds(&server.larder(&["connect", "npm", "--domain", DOMAIN, "--repository", REPOSITORY]));
    assert!(connected.contains(&server.endpoint("npm", REPOSITORY)), "{connected}");

    let ready = format!("{}/-/health/ready", server.base_url());
    let localhost = ready.replace("127.0.0.1", "localhost");
    for url in [&ready, &localhost] {
        client.system("curl").args(["-sS", "-v", "--fail", url]).succeeds().says("ready").says("http/1.1");
    }
    let plain = client.system("curl").args(["-sS", &ready.replace("https:", "http:")]).succeeds();
    plain.says("use https://");
}

fn tls_server_untrusted_is_refused_by_every_client() {
    let server = self_signed();
    let trusting = trusting(&server, &exported(&server, "AWS_CA_BUNDLE").expect("the authority"));
    let token = token(&trusting);
    let mut client = Client::new(&server);
    // npm would try three times, for minutes.
    client.set("npm_config_fetch_retries", "0");
    client.set("PIP_RETRIES", "0");
    let arguments = ["codeartifact", "get-authorization-token", "--domain", DOMAIN];
    client.program("aws").args(arguments).fails().says("CERTIFICATE_VERIFY_FAILED");
    let endpoint = server.endpoint("npm", REPOSITORY);
    let bound = endpoint.trim_start_matches("https:");
    client.write(".npmrc", format!("registry={endpoint}\n{bound}:_authToken={token}\n"));
    client.program("npm").args(["view", "sealed"]).fails().says("certificate");
    let index = format!("{}simple/", server.endpoint("pypi", REPOSITORY));
    client.program("pip").args(["download", "--index-url", &index, "sealed"]).fails().says("CERTIFICATE_VERIFY_FAILED");
    client.system("curl").args(["-sS", server.base_url()]).fails().says("certificate");
    let log = server.log();
    assert!(!log.contains(&token), "a token was sent to a server that was not trusted");
}

fn tls_server_keeps_its_authority_and_changes_its_certificate() {
    let server = self_signed();
    let read = |server: &Server, name: &str| fs::read(server.data().join("tls").join(name)).expect("a file");
    let (authority, certificate) = (read(&server, "ca.pem"), read(&server, "server.pem"));
    let server = server.stop().start();
    assert!(read(&server, "ca.pem") == authority && read(&server, "server.pem") != certificate);
    let client = trusting(&server, &exported(&server, "AWS_CA_BUNDLE").expect("the authority"));
    assert!(!token(&client).is_empty());
    // Back to plain HTTP: nothing is left of it.
    let server = server.stop().change(|builder| builder.argument("--tls").argument("off")).start();
    assert!(server.base_url().starts_with("http://") && exported(&server, "AWS_CA_BUNDLE").is_none());
    assert!(!server.token().is_empty());
}

/// A server with a certificate in files, which can be replaced.
struct WithFiles {
    folder: tempfile::TempDir,
    server: Server,
}

impl WithFiles {
    fn start(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        authority.certificate("IP:127.0.0.1").copy_to(&folder.path().join("cert"), &folder.path().join("key"));
        let server =
            Server::builder().env("LARDER_TLS_CERT", &path("cert")).env("LARDER_TLS_KEY", &path("key")).start();
        Self { folder, server }
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("cert"), self.folder.path().join("key"))
    }

    /// Whether the server shows a certificate of this authority.
    fn shows(&self, client: &Client, authority: &Path) -> bool {
        let url = format!("{}/-/health/live", self.server.base_url());
        client.system("curl").args(["-sS", "--cacert"]).arg(authority).arg(url).ends().success
    }

    fn wait_until_logged(&self, text: &str) {
        let started = Instant::now();
        while !self.server.log().contains(text) {
            assert!(started.elapsed() < Duration::from_secs(20), "no {text:?} in:\n{}", self.server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Publishes a generic asset of two megabytes and starts a download that takes some four seconds.
    fn slow_download(&self, client: &Client) -> (Vec<u8>, std::process::Child) {
        let bytes: Vec<u8> = (0..2_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        NpmPackage::new("large", "1.0.0").write_to(&client.folder("large"));
        client.write("large/data.bin", &bytes);
        login(client, "npm");
        let _ = client.program("npm").arg("publish").in_folder(client.home().join("large")).succeeds();
        let url = format!("{}large/-/large-1.0.0.tgz", self.server.endpoint("npm", REPOSITORY));
        let whole = client.home().join("whole.tgz");
        let authorization = format!("authorization: Bearer {}", token(client));
        let curl = |output: &Path| {
            let mut command = std::process::Command::new("curl");
            command.args(["-sS", "--fail", "-H", &authorization, "--cacert"]);
            command.arg(client.home().join("authority.pem")).arg("-o").arg(output).arg(&url);
            command
        };
        assert!(curl(&whole).status().expect("curl runs").success());
        let slow = curl(&client.home().join("slow.tgz")).args(["--limit-rate", "500k"]).spawn().expect("curl runs");
        (fs::read(whole).expect("the package"), slow)
    }
}

/// A home that trusts an authority of the test's, whose file is then at hand in it.
fn client_of(server: &Server, authority: &Authority) -> Client {
    let client = trusting(server, &authority.file().to_string_lossy());
    client.write("authority.pem", fs::read(authority.file()).expect("the authority"));
    client
}

fn tls_server_takes_over_a_replaced_certificate() {
    let (first, second) = (Authority::new(), Authority::new());
    let world = WithFiles::start(&first);
    assert_eq!(exported(&world.server, "AWS_CA_BUNDLE"), None, "the operator's authority is the operator's business");
    let client = client_of(&world.server, &first);
    assert!(world.shows(&client, &first.file()) && !world.shows(&client, &second.file()));
    let (whole, mut slow) = world.slow_download(&client);

    // First the certificate alone, as a renewal may be caught between its two steps.
    let (certificate, key) = world.files();
    let next = second.certificate("IP:127.0.0.1");
    next.copy_to(&certificate, &world.folder.path().join("key.new"));
    world.wait_until_logged("showing the old one");
    assert!(world.shows(&client, &first.file()));
    fs::rename(world.folder.path().join("key.new"), &key).expect("the key");
    world.wait_until_logged("took over the changed TLS certificate");
    assert!(world.shows(&client, &second.file()) && !world.shows(&client, &first.file()));

    assert!(slow.wait().expect("curl ends").success(), "the connection of before goes on");
    assert!(fs::read(client.home().join("slow.tgz")).expect("the download") == whole);
}

fn tls_server_finishes_requests_when_stopped() {
    let authority = Authority::new();
    let world = WithFiles::start(&authority);
    let client = client_of(&world.server, &authority);
    let (whole, mut slow) = world.slow_download(&client);
    // The download is running once its first bytes are there.
    let started = Instant::now();
    while fs::metadata(client.home().join("slow.tgz")).map_or(0, |file| file.len()) == 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "the download does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = world.server.stop();
    assert!(slow.wait().expect("curl ends").success(), "the running request was finished");
    assert!(fs::read(client.home().join("slow.tgz")).expect("the download") == whole);
}

fn tls_server_configuration_is_checked() {
    let server = Server::start();
    let check = |arguments: &[&str]| {
        let output = server.larder(&[&["config", "check"], arguments].concat());
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for (arguments, told) in [
        (&["--tls", "on"][..], "neither self-signed nor off"),
        (&["--tls-cert", "cert.pem"], "tls-key"),
        (&["--tls-key", "key.pem"], "tls-cert"),
        (&["--tls", "self-signed", "--tls-cert", "cert.pem"], "tls-cert"),
        (&["--tls", "self-signed", "--base-url", "http://larder.example.com"], "https://"),
    ] {
        let (success, text) = check(arguments);
        assert!(!success && text.contains(told), "{arguments:?}: {text}");
    }
    fs::write(server.data().join("larder.toml"), "tls-cert = \"cert.pem\"\ntls-key = \"key.pem\"\n").expect("the file");
    let (success, text) = check(&[]);
    assert!(success && text.contains("cert.pem with key.pem"), "{text}");
    assert!(check(&["--tls", "off"]).1.contains("tls            off"));
}
