//! A PostgreSQL server that a test can stop and start.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::runner::skip;

/// A database server with one database, reached through a socket in its folder.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    /// Whom it runs as, if we are root: it refuses to.
    user: Option<String>,
}

impl Postgres {
    /// Starts a server. Skips the test if its programs are not on this machine.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let Some(programs) = programs() else {
            skip("PostgreSQL: neither the path nor /usr/lib/postgresql/*/bin has initdb");
        };
        let folder = tempfile::Builder::new().prefix("larder-pg-").tempdir().expect("a temporary folder");
        let is_root = run(Command::new("id").arg("-u")) == "0";
        let user = is_root.then(|| "nobody".to_owned());
        if let Some(user) = &user {
            let _ = run(Command::new("chown").arg(user).arg(folder.path()));
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("permissions");
        }
        let server = Self { folder, programs, user };
        let data = server.data();
        let initdb = ["-D", &data, "-U", "larder", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        let _ = server.program("initdb", &initdb);
        server.resume();
        server
    }

    /// The address for `--database-url`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://larder@{}/postgres", self.folder.path().to_string_lossy().replace('/', "%2F"))
    }

    /// Starts it again after [`Postgres::stop`].
    pub fn resume(&self) {
        let folder = self.folder.path().to_string_lossy();
        let options = format!("-k '{folder}' -c listen_addresses= -c shared_buffers=32MB");
        let log = format!("{folder}/server.log");
        let _ = self.program("pg_ctl", &["-D", &self.data(), "-w", "-l", &log, "-o", &options, "start"]);
    }

    /// Cuts every connection and stops.
    pub fn stop(&self) {
        let _ = self.program("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_string_lossy().into_owned()
    }

    fn program(&self, name: &str, arguments: &[&str]) -> String {
        run(self.command(name).args(arguments))
    }

    fn command(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = match &self.user {
            None => Command::new(path),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--clear-groups"]).arg(path);
                command
            }
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A test may have stopped it already.
        let _ = self.command("pg_ctl").args(["-D", &self.data(), "-m", "immediate", "stop"]).output();
    }
}

/// Standard output of a program that must succeed. It goes through a file: a server that stays behind would keep a pipe
/// open.
fn run(command: &mut Command) -> String {
    let output = tempfile::NamedTempFile::new().expect("a file for the output");
    let file = output.reopen().expect("the file");
    let errors = file.try_clone().expect("the file");
    let status = command.stdout(file).stderr(errors).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = std::fs::read_to_string(output.path()).unwrap_or_default();
    assert!(status.success(), "{command:?}: {status}\n{text}");
    text.trim().to_owned()
}

/// The folder of PostgreSQL's programs. Distributions put a link to `initdb` into the path and leave `pg_ctl` beside its
/// target.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let beside_target = |folder: &PathBuf| {
        let initdb = folder.join("initdb").canonicalize().ok()?;
        let folder = initdb.parent()?.to_path_buf();
        folder.join("pg_ctl").exists().then_some(folder)
    };
    folders.iter().find_map(beside_target)
}
