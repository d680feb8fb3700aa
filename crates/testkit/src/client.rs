//! A person's machine: an empty home, the clients on the path, AWS's variables set, and nothing else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use crate::server::Server;
use crate::sigv4::AccessKey;
use crate::tools;

/// How long a client may run unless the test says otherwise.
const LIMIT: Duration = Duration::from_secs(180);

/// A home of its own. Its caches, configuration and global packages are all below it.
#[derive(Debug)]
pub struct Client {
    home: TempDir,
    environment: BTreeMap<String, String>,
}

impl Client {
    /// A home whose AWS variables name the server and its `admin` user.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        Self::with_key(server, &server.admin_key())
    }

    /// A home with another user's key.
    #[must_use]
    pub fn with_key(server: &Server, key: &AccessKey) -> Self {
        let mut client = Self::unconfigured();
        client.set("AWS_ENDPOINT_URL", server.base_url());
        // The CLI's version 1 and boto3 read the second of these only.
        client.set("AWS_REGION", "us-east-1");
        client.set("AWS_DEFAULT_REGION", "us-east-1");
        client.set("AWS_ACCESS_KEY_ID", &key.id);
        client.set("AWS_SECRET_ACCESS_KEY", &key.secret);
        client
    }

    /// A home that knows no server.
    ///
    /// # Panics
    /// If no folder can be made for it.
    #[must_use]
    pub fn unconfigured() -> Self {
        let home = tempfile::Builder::new().prefix("larder-home-").tempdir().expect("a temporary folder");
        let mut client = Self { home, environment: BTreeMap::new() };
        let home = client.home.path().to_path_buf();
        let below = |name: &str| home.join(name).to_string_lossy().into_owned();
        fs::create_dir_all(below("tmp")).expect("a folder in the home");
        client.set("HOME", &home.to_string_lossy());
        client.set("TMPDIR", &below("tmp"));
        client.set("PATH", &search_path());
        client.set("LANG", "C.UTF-8");
        client.set("CI", "true");
        client.set("NO_COLOR", "1");
        for (name, value) in QUIET {
            client.set(name, value);
        }
        client.set("npm_config_globalconfig", &below("npm-global-config"));
        client.set("npm_config_prefix", &below("npm-global"));
        client
    }

    /// Sets an environment variable for all that follows.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A folder below the home, made if it is not there.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.home().join(name);
        fs::create_dir_all(&path).expect("a folder in the home");
        path
    }

    /// Writes a file below the home.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.home().join(name);
        fs::create_dir_all(path.parent().unwrap_or(self.home())).expect("a folder in the home");
        fs::write(&path, text).expect("a file in the home");
    }

    /// Reads a file below the home.
    ///
    /// # Panics
    /// If it cannot be read.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        let path = self.home().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// One of the installed clients, ready to be given arguments. Skips the test if it could not be installed.
    pub fn program(&self, name: &str) -> Run<'_> {
        self.run(tools::need(name), name)
    }

    /// Any program of the machine.
    pub fn system(&self, name: &str) -> Run<'_> {
        self.run(name.into(), name)
    }

    /// Lines for the shell, as a person or a build file has them. Stops at the first that fails.
    pub fn shell(&self, lines: &str) -> Run<'_> {
        self.system("bash").args(["-e", "-u", "-o", "pipefail", "-c", lines])
    }

    fn run(&self, path: PathBuf, shown: &str) -> Run<'_> {
        Run {
            client: self,
            path,
            shown: shown.to_owned(),
            arguments: Vec::new(),
            folder: self.home().to_path_buf(),
            environment: Vec::new(),
            limit: LIMIT,
        }
    }
}

/// Settings that keep clients from talking to anyone but the registry, and from waiting for an answer.
const QUIET: &[(&str, &str)] = &[
    ("npm_config_update_notifier", "false"),
    ("npm_config_fund", "false"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PIP_NO_INPUT", "1"),
    ("YARN_ENABLE_TELEMETRY", "0"),
    ("YARN_UNSAFE_HTTP_WHITELIST", "127.0.0.1"),
    ("DO_NOT_TRACK", "1"),
    ("POETRY_NO_INTERACTION", "1"),
    ("POETRY_VIRTUALENVS_IN_PROJECT", "true"),
    ("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring"),
    ("UV_PYTHON_DOWNLOADS", "never"),
    ("PDM_CHECK_UPDATE", "0"),
    ("AWS_PAGER", ""),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_MAX_ATTEMPTS", "1"),
];

/// The installed clients first, then what the machine has.
fn search_path() -> String {
    let mut folders = vec![tools::folder().join("bin")];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    std::env::join_paths(folders).unwrap_or_default().to_string_lossy().into_owned()
}

/// A command that is being put together.
#[must_use]
pub struct Run<'a> {
    client: &'a Client,
    path: PathBuf,
    shown: String,
    arguments: Vec<OsString>,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    limit: Duration,
}

impl Run<'_> {
    pub fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub fn arg(self, argument: impl Into<OsString>) -> Self {
        self.args([argument])
    }

    /// Runs in this folder instead of the home.
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it and checks that it succeeded.
    ///
    /// # Panics
    /// If it failed, with all that it printed.
    #[must_use]
    pub fn succeeds(self) -> Ran {
        let ran = self.ends();
        assert!(ran.success, "`{}` failed:\n{}", ran.shown, ran.all());
        ran
    }

    /// Runs it and checks that it failed.
    ///
    /// # Panics
    /// If it succeeded, with all that it printed.
    #[must_use]
    pub fn fails(self) -> Ran {
        let ran = self.ends();
        assert!(!ran.success, "`{}` succeeded:\n{}", ran.shown, ran.all());
        ran
    }

    /// Runs it to its end, whichever.
    ///
    /// # Panics
    /// If it cannot be started or takes too long.
    #[must_use]
    pub fn ends(self) -> Ran {
        let shown = self.shown();
        let output = tempfile::NamedTempFile::new_in(self.client.home().join("tmp")).expect("a file for the output");
        let errors = tempfile::NamedTempFile::new_in(self.client.home().join("tmp")).expect("a file for the errors");
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).current_dir(&self.folder).env_clear().envs(&self.client.environment);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).process_group(0);
        command.stdout(output.reopen().expect("the output file")).stderr(errors.reopen().expect("the error file"));
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start `{shown}`: {error}"));
        let group = format!("-{}", child.id());
        let (sender, receiver) = mpsc::channel();
        let waiter = std::thread::spawn(move || sender.send(child.wait()));
        let status = receiver.recv_timeout(self.limit);
        if status.is_err() {
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        }
        let _ = waiter.join();
        let read = |file: &tempfile::NamedTempFile| {
            String::from_utf8_lossy(&fs::read(file.path()).unwrap_or_default()).into_owned()
        };
        let ran = Ran {
            shown,
            success: matches!(&status, Ok(Ok(status)) if status.success()),
            stdout: read(&output),
            stderr: read(&errors),
        };
        assert!(status.is_ok(), "`{}` still ran after {:?}:\n{}", ran.shown, self.limit, ran.all());
        ran
    }

    fn shown(&self) -> String {
        let mut shown = self.shown.clone();
        for argument in &self.arguments {
            shown.push(' ');
            shown.push_str(&argument.to_string_lossy());
        }
        shown
    }
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Ran {
    shown: String,
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output without the last line break.
    #[must_use]
    pub fn text(&self) -> &str {
        self.stdout.trim_end()
    }

    /// Both outputs.
    #[must_use]
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Checks that one of the outputs holds a text.
    ///
    /// # Panics
    /// If not, with all that was printed.
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.all().contains(text), "`{}` did not say {text:?}:\n{}", self.shown, self.all());
        self
    }

    /// Checks that neither output holds a text.
    ///
    /// # Panics
    /// If one does, with all that was printed.
    pub fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.all().contains(text), "`{}` said {text:?}:\n{}", self.shown, self.all());
        self
    }
}
