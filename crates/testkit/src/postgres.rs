//! A PostgreSQL server of a test's own, if its programs are on this machine.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use crate::runner::skip;

/// Runs the server while its standard input is open, then stops it and removes its folder: however the tests end, it
/// ends with them. It listens on a socket in its folder only, so that no port can be taken.
const SUPERVISOR: &str = r#"
    cd "$1" && "$2/initdb" -D data -U larder -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 &&
    printf "%s\n" "unix_socket_directories = '$1'" "listen_addresses = ''" "fsync = off" "shared_buffers = 32MB" \
        "max_connections = 300" >>data/postgresql.conf &&
    "$2/pg_ctl" -D data -w -l server.log start >start.log 2>&1 &&
    echo ready
    read -r _
    "$2/pg_ctl" -D data -m immediate stop >stop.log 2>&1
    cd / && rm -rf "$1"
"#;

/// A running server with an empty database `postgres`.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    /// Closing it, at the latest when the process ends, stops the server.
    _input: ChildStdin,
}

impl Postgres {
    /// Starts a server. Skips the running test if that is not possible on this machine.
    #[must_use]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|reason| skip(format!("PostgreSQL: {reason}")))
    }

    /// Starts a server.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn try_start() -> Result<Self, String> {
        let programs = programs().ok_or("neither PATH nor /usr/lib/postgresql/*/bin has initdb and pg_ctl")?;
        let folder = tempfile::Builder::new().prefix("larder-pg-").tempdir().map_err(|error| error.to_string())?;
        let user = unprivileged()?;
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let folder = folder.keep();
        let mut command = command("sh", user);
        command.args(["-c", SUPERVISOR, "supervisor"]).arg(&folder).arg(&programs);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or("the supervisor has no pipes")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        if line.trim() == "ready" {
            return Ok(Self { folder, programs, user, _input: input });
        }
        let logs = ["initdb.log", "start.log", "server.log"]
            .map(|log| std::fs::read_to_string(folder.join(log)).unwrap_or_default());
        Err(format!("the server did not start: {}", logs.concat()))
    }

    /// The address of its first database, for `--database-url`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The address of another database, which need not be there.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://larder@{}/{database}", self.folder.display().to_string().replace('/', "%2F"))
    }

    /// Cuts every connection and stops, as a crash would.
    ///
    /// # Panics
    /// If it does not run.
    pub fn stop(&self) {
        self.run("pg_ctl", &["-D", "data", "-w", "-m", "immediate", "stop"]);
    }

    /// Lets every process of the server stand still, as if the network had stopped to deliver: connections stay and
    /// nobody answers.
    ///
    /// # Panics
    /// If it does not run.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Ends [`Postgres::freeze`].
    ///
    /// # Panics
    /// If it does not run.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("a running server");
        let main = file.lines().next().expect("the id of its first process");
        let children = std::fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap_or_default();
        let mut kill = Command::new("kill");
        kill.arg(signal).arg(main).args(children.split_whitespace());
        assert!(kill.status().is_ok_and(|status| status.success()), "{kill:?}");
    }

    /// Starts it again after [`Postgres::stop`].
    ///
    /// # Panics
    /// If it does not come up.
    pub fn resume(&self) {
        self.run("pg_ctl", &["-D", "data", "-w", "-l", "server.log", "start"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = command(&self.programs.join(program).to_string_lossy(), self.user);
        // The server that is started keeps what it inherits.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let ended = command.args(arguments).current_dir(&self.folder).status();
        let ended = ended.unwrap_or_else(|error| panic!("{program} does not run: {error}"));
        let log = || std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        assert!(ended.success(), "{program} {arguments:?} ended with {ended}: {}", log());
    }
}

/// A command run as a user and group, or as we are.
fn command(program: &str, user: Option<(u32, u32)>) -> Command {
    let Some((uid, gid)) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups", program]);
    command
}

/// The folder of PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.filter_map(Result::ok).map(|version| version.path().join("bin")));
    }
    folders.iter().filter_map(|folder| has_programs(folder)).next()
}

/// Distributions put a link to `initdb` into the path and leave `pg_ctl` beside its target.
fn has_programs(folder: &Path) -> Option<PathBuf> {
    let target = folder.join("initdb").canonicalize().ok()?;
    let folder = target.parent()?;
    folder.join("pg_ctl").exists().then(|| folder.to_owned())
}

/// PostgreSQL refuses to run as root: user and group to run it as, if we are.
fn unprivileged() -> Result<Option<(u32, u32)>, String> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return Ok(None);
    }
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|user| id(&["-u", user]).zip(id(&["-g", user])))
        .map(Some)
        .ok_or_else(|| "it does not run as root, and there is no user 'postgres' or 'nobody'".to_owned())
}
