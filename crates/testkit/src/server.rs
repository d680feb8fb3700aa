//! A real Larder on a port of its own, in a folder of its own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::http::{Request, Response};
use crate::runner::note;
use crate::sigv4::{AccessKey, Signer};

/// How long a server may take to serve its first request. It takes a tenth of a second; the rest is for a busy machine.
const START: Duration = Duration::from_secs(30);

/// How long a server may take to end when it is asked to.
const STOP: Duration = Duration::from_secs(40);

/// The account that owns everything unless a test makes another one.
pub const ACCOUNT: &str = "111122223333";

/// The domain that a first start makes.
pub const DOMAIN: &str = "my-domain";

/// The repository that a first start makes.
pub const REPOSITORY: &str = "my-repo";

/// What a server is started with.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ServerBuilder {
    externals: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    configuration: Option<String>,
}

impl ServerBuilder {
    /// Gives an external connection such as `public:npmjs` its address.
    pub fn external(mut self, name: &str, url: &str) -> Self {
        self.externals.push((name.to_owned(), url.to_owned()));
        self
    }

    /// An environment variable of the server.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An option of `larder serve`.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// What stands in its `larder.toml`.
    pub fn configuration(mut self, text: &str) -> Self {
        self.configuration = Some(text.to_owned());
        self
    }

    /// Keeps metadata in this PostgreSQL database.
    pub fn database(self, url: &str) -> Self {
        self.env("LARDER_DATABASE_URL", url)
    }

    /// Starts with an empty data folder.
    ///
    /// # Panics
    /// If the server does not come up.
    #[must_use]
    pub fn start(self) -> Server {
        let folder = tempfile::Builder::new().prefix("larder-").tempdir().expect("a temporary folder");
        Stopped { folder, builder: self }.start()
    }
}

/// A running server. Dropping it kills it and removes its folder; if the test is failing, the end of the log is shown
/// with the failure.
#[derive(Debug)]
pub struct Server {
    child: Child,
    base_url: String,
    address: SocketAddr,
    /// Taken when the server stops and its data lives on.
    stopped: Option<Stopped>,
}

/// The data of a server that does not run.
#[derive(Debug)]
pub struct Stopped {
    folder: TempDir,
    builder: ServerBuilder,
}

impl Server {
    /// What a server can be started with.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// A server without external connections.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// `http://127.0.0.1:PORT`, or `https://` if it was told to encrypt, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.state().data()
    }

    fn state(&self) -> &Stopped {
        self.stopped.as_ref().expect("a server that was stopped is gone")
    }

    /// The path of a repository's endpoint for a format, without a trailing slash: `/d/my-domain-111122223333/npm/my-repo`.
    #[must_use]
    pub fn path(&self, format: &str, repository: &str) -> String {
        format!("/d/{DOMAIN}-{ACCOUNT}/{format}/{repository}")
    }

    /// The URL of a repository's endpoint for a format, with a trailing slash.
    #[must_use]
    pub fn endpoint(&self, format: &str, repository: &str) -> String {
        format!("{}{}/", self.base_url, self.path(format, repository))
    }

    /// A request with nothing added. See [`Request`].
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(self.address, method, target)
    }

    /// The key of the user `admin`.
    #[must_use]
    pub fn admin_key(&self) -> AccessKey {
        admin_key()
    }

    /// Calls an operation of the AWS side as `admin`. `target` has the query in it; `Value::Null` is no body.
    #[must_use]
    pub fn call(&self, method: &str, target: &str, body: &Value) -> Response {
        self.call_as(&self.admin_key(), method, target, body)
    }

    /// Calls an operation of the AWS side with another key.
    #[must_use]
    pub fn call_as(&self, key: &AccessKey, method: &str, target: &str, body: &Value) -> Response {
        let request = self.request(method, target);
        let request = if body.is_null() { request } else { request.json(body) };
        Signer::new(key.clone()).sign(request).send()
    }

    /// An authorization token for `my-domain`.
    #[must_use]
    pub fn token(&self) -> String {
        self.token_of(&self.admin_key(), DOMAIN)
    }

    /// An authorization token of another key's user or for another domain.
    ///
    /// # Panics
    /// If it is refused.
    #[must_use]
    pub fn token_of(&self, key: &AccessKey, domain: &str) -> String {
        let target = format!("/v1/authorization-token?domain={domain}&domain-owner={ACCOUNT}");
        let answer = self.call_as(key, "POST", &target, &Value::Null).expect(200).json();
        answer["authorizationToken"].as_str().expect("a token").to_owned()
    }

    /// Runs another command of the program on the data of this server, which goes on running.
    ///
    /// # Panics
    /// If the program cannot be started.
    #[must_use]
    pub fn larder(&self, arguments: &[&str]) -> Output {
        self.state().larder(arguments)
    }

    /// Makes a user with one policy in an account, which must be there, and an access key for it.
    ///
    /// # Panics
    /// If the program refuses.
    #[must_use]
    pub fn create_user(&self, account: &str, name: &str, policy: &Value) -> AccessKey {
        let file = self.state().folder.path().join(format!("{name}.policy.json"));
        fs::write(&file, policy.to_string()).expect("a policy file");
        let file = file.to_string_lossy();
        succeeds(&self.larder(&["user", "create", name, "--account", account]));
        succeeds(&self.larder(&["user", "policy", "put", name, "test", &file, "--account", account]));
        let printed = succeeds(&self.larder(&["user", "access-key", "create", name, "--account", account]));
        let value = |variable: &str| {
            let line = printed.lines().find_map(|line| line.strip_prefix(variable)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("no {variable} in {printed:?}")).to_owned()
        };
        AccessKey { id: value("AWS_ACCESS_KEY_ID"), secret: value("AWS_SECRET_ACCESS_KEY") }
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.state().log_file()).unwrap_or_default()
    }

    /// Kills the server as a power cut would, but for what the kernel holds: `SIGKILL`. The data stays.
    ///
    /// # Panics
    /// If it cannot be killed.
    #[must_use]
    pub fn kill(mut self) -> Stopped {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the killed server ends");
        self.stopped.take().expect("stopped once")
    }

    /// Asks the server to end (`SIGTERM`) and waits until it has.
    ///
    /// # Panics
    /// If it does not end with exit code 0 in time.
    #[must_use]
    pub fn stop(mut self) -> Stopped {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(asked.success(), "the server was gone before it was asked to stop");
        let ended = wait(&mut self.child, STOP).expect("the server ends when asked");
        assert!(ended.success(), "the server ended with {ended}");
        self.stopped.take().expect("stopped once")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(stopped) = self.stopped.as_ref().filter(|_| std::thread::panicking()) {
            stopped.show_log();
        }
    }
}

impl Stopped {
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Adds to what the next start is given.
    #[must_use]
    pub fn change(mut self, change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.builder = change(self.builder);
        self
    }

    /// Starts a server on this data.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn start(self) -> Server {
        let ready = self.folder.path().join("ready");
        let _ = fs::remove_file(&ready);
        if let Some(text) = &self.builder.configuration {
            fs::create_dir_all(self.data()).expect("a data folder");
            fs::write(self.data().join("larder.toml"), text).expect("a configuration file");
        }
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log file");
        let mut command = self.program();
        command.arg("serve").arg("--data-dir").arg(self.data()).args(["--listen", "127.0.0.1:0"]);
        command.arg("--ready-file").arg(&ready);
        for (name, url) in &self.builder.externals {
            command.arg("--external").arg(format!("{name}={url}"));
        }
        command.args(&self.builder.arguments);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        let child = command.spawn().expect("the server starts");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server { child, base_url: String::new(), address: any, stopped: Some(self) };
        server.base_url = wait_for_ready(&mut server.child, &ready);
        let authority = server.base_url.split_once("://").map_or("", |(_, authority)| authority);
        server.address = authority.parse().unwrap_or_else(|_| panic!("the ready file holds {:?}", server.base_url));
        server
    }

    /// Runs another command of the program on this data.
    ///
    /// # Panics
    /// If the program cannot be started.
    #[must_use]
    pub fn larder(&self, arguments: &[&str]) -> Output {
        let mut command = self.program();
        command.args(arguments).arg("--data-dir").arg(self.data());
        command.output().expect("the program starts")
    }

    /// Checks every blob and every reference.
    ///
    /// # Panics
    /// If `larder verify` finds anything.
    pub fn verify(&self) {
        let output = self.larder(&["verify"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "larder verify: {}\n{text}", output.status);
    }

    fn program(&self) -> Command {
        let mut command = Command::new(program());
        command.env_clear().current_dir(self.folder.path());
        // No package manager on its path: a first start would take their registries for its own.
        command.env("PATH", self.folder.path()).env("HOME", self.folder.path());
        command.env("LARDER_ACCOUNT_ID", ACCOUNT);
        let key = admin_key();
        command.env("LARDER_ACCESS_KEY_ID", key.id).env("LARDER_SECRET_ACCESS_KEY", key.secret);
        command.envs(self.builder.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn show_log(&self) {
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        note("end of the server's log:");
        for line in &lines[lines.len().saturating_sub(40)..] {
            note(&format!("  {}", line.chars().take(600).collect::<String>()));
        }
    }
}

/// Runs a command of the program that needs no data.
///
/// # Panics
/// If the program cannot be started.
#[must_use]
pub fn larder(arguments: &[&str]) -> Output {
    Command::new(program()).env_clear().args(arguments).output().expect("the program starts")
}

/// The program under test: `LARDER_BIN`.
///
/// # Panics
/// If the variable is not set.
#[must_use]
pub fn program() -> PathBuf {
    std::env::var_os("LARDER_BIN")
        .map(PathBuf::from)
        .expect("LARDER_BIN is the path of the program; `cargo xtask e2e` sets it")
}

/// Standard output of a command of the program that must have succeeded.
///
/// # Panics
/// If it failed.
pub fn succeeds(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}: {}{}", output.status, text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn admin_key() -> AccessKey {
    AccessKey { id: "AKIALARDERTESTADMIN1".to_owned(), secret: "testOnlySecretOfTheAdminUser0123456789AB".to_owned() }
}

/// The base URL in the ready file. The file appears whole, under its name, so there is nothing to wait on but its
/// existence.
fn wait_for_ready(child: &mut Child, ready: &Path) -> String {
    let started = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(ready) {
            return text.trim().trim_end_matches('/').to_owned();
        }
        if let Ok(Some(status)) = child.try_wait() {
            panic!("the server ended with {status} before it was ready");
        }
        assert!(started.elapsed() < START, "the server was not ready after {START:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The exit status, or nothing if the process still runs when the time is over.
fn wait(child: &mut Child, limit: Duration) -> Option<std::process::ExitStatus> {
    let started = Instant::now();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if started.elapsed() > limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
