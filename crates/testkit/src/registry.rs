//! A stand-in for a public registry on loopback: packages made by the test beside real ones that `cargo xtask clients`
//! recorded, every request counted, and every answer breakable.

mod content;
mod fault;
mod maven;
mod serve;

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use fault::Fault;

use crate::packages::{NpmPackage, PythonFile, PythonPackage};
use content::Content;

/// A request that the registry was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// Path and query, as on the request line.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What the serving threads share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) content: Mutex<Content>,
    faults: Mutex<Vec<fault::Rule>>,
    asked: Mutex<Vec<Asked>>,
    down: AtomicBool,
}

/// A running registry. It ends when dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    state: Arc<State>,
}

impl Registry {
    /// An empty registry, for npm, PyPI and Maven alike.
    ///
    /// # Panics
    /// If no port can be had.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            content: Mutex::new(Content::default()),
            faults: Mutex::default(),
            asked: Mutex::default(),
            down: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || serve::accept(&listener, &shared));
        Self { address, state }
    }

    /// A registry that holds the recorded packages. Skips the test if they could not be recorded.
    #[must_use]
    pub fn recorded() -> Self {
        let registry = Self::start();
        let recording = content::recording();
        lock(&registry.state.content).recording = Some(recording);
        registry
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for `public:npmjs`.
    #[must_use]
    pub fn npm_url(&self) -> String {
        format!("{}/npm/", self.url())
    }

    /// The address for `public:pypi`: its simple index, as pip's `index-url` names it.
    #[must_use]
    pub fn pypi_url(&self) -> String {
        format!("{}/pypi/simple/", self.url())
    }

    /// The address for `public:maven-central`: the root of its tree.
    #[must_use]
    pub fn maven_url(&self) -> String {
        format!("{}/maven/", self.url())
    }

    /// Serves the recorded Maven artifacts too. Skips the test if they could not be recorded.
    pub fn serve_recorded_maven(&self) {
        lock(&self.state.content).maven.recording = Some(maven::recording());
    }

    /// Publishes a file of a Maven artifact, with its checksum beside it and its version in the metadata. `rest` is what
    /// follows artifactId and version in the name: `.jar`, `-sources.jar`.
    pub fn add_maven(&self, group: &str, artifact: &str, version: &str, rest: &str, bytes: impl Into<Vec<u8>>) {
        lock(&self.state.content).maven.add(group, artifact, version, rest, bytes.into());
    }

    /// Publishes an npm package; the newest one is `latest`.
    pub fn add_npm(&self, package: &NpmPackage) {
        lock(&self.state.content).add_npm(package, &self.npm_url());
    }

    /// Says of an npm version when it was published (RFC 3339), or nothing of that.
    pub fn date_npm(&self, name: &str, version: &str, published_at: Option<&str>) {
        lock(&self.state.content).date_npm(name, version, published_at);
    }

    /// Sends a file below `/maven/`, and the checksums beside it, with this `Last-Modified`.
    pub fn date_maven(&self, path: &str, last_modified: &str) {
        lock(&self.state.content).maven.dates.insert(path.to_owned(), last_modified.to_owned());
    }

    /// Says of a Maven artifact when its metadata was last updated: `yyyyMMddHHmmss`.
    pub fn update_maven(&self, group: &str, artifact: &str, last_updated: &str) {
        let package = format!("{}/{artifact}", group.replace('.', "/"));
        lock(&self.state.content).maven.updated.insert(package, last_updated.to_owned());
    }

    /// Takes an npm version away, as its author would.
    pub fn remove_npm(&self, name: &str, version: &str) {
        lock(&self.state.content).remove_npm(name, version);
    }

    /// Publishes a Python file with its metadata.
    pub fn add_python(&self, package: &PythonPackage, file: &PythonFile) {
        lock(&self.state.content).add_python(package, file);
    }

    /// Changes a member of the listing of a Python file, such as `yanked`.
    pub fn change_python(&self, project: &str, file: &str, member: &str, value: &serde_json::Value) {
        lock(&self.state.content).change_python(project, file, member, value);
    }

    /// Gives a Python project a status (PEP 792).
    pub fn set_project_status(&self, project: &str, status: &str) {
        lock(&self.state.content).set_project_status(project, status);
    }

    /// Puts other bytes under a path that is served already, below `/npm/` or `/pypi/`.
    pub fn replace(&self, path: &str, bytes: Vec<u8>) {
        lock(&self.state.content).files.insert(path.to_owned(), bytes);
    }

    /// Takes back what [`Registry::replace`] put there: what was served before is served again.
    pub fn restore(&self, path: &str) {
        lock(&self.state.content).files.remove(path);
    }

    /// Breaks every answer to a request whose target contains the text, until [`Registry::heal`].
    pub fn break_all(&self, target: &str, fault: Fault) {
        lock(&self.state.faults).push(fault::Rule { target: target.to_owned(), at_end: false, fault, left: None });
    }

    /// Breaks every answer to a request for just this path below the registry's root of a format, not for what lies beside
    /// it (`.sha1`), until [`Registry::heal`].
    pub fn break_file(&self, path: &str, fault: Fault) {
        lock(&self.state.faults).push(fault::Rule { target: format!("/{path}"), at_end: true, fault, left: None });
    }

    /// Breaks the next so many answers to such a request.
    pub fn break_next(&self, target: &str, fault: Fault, times: u32) {
        lock(&self.state.faults).push(fault::Rule {
            target: target.to_owned(),
            at_end: false,
            fault,
            left: Some(times),
        });
    }

    /// Ends all faults.
    pub fn heal(&self) {
        lock(&self.state.faults).clear();
        self.state.down.store(false, Ordering::SeqCst);
    }

    /// Closes every connection without an answer, as a host that is gone.
    pub fn go_down(&self) {
        self.state.down.store(true, Ordering::SeqCst);
    }

    /// The requests whose target contains the text.
    #[must_use]
    pub fn asked(&self, target: &str) -> Vec<Asked> {
        lock(&self.state.asked).iter().filter(|asked| asked.target.contains(target)).cloned().collect()
    }

    /// How many requests had a target that contains the text.
    #[must_use]
    pub fn count(&self, target: &str) -> usize {
        self.asked(target).len()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.state.asked).clear();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.go_down();
        // Wakes the accepting thread, which then sees that it is over and closes the port.
        let _ = std::net::TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;

    fn get(registry: &Registry, target: &str) -> crate::http::Response {
        Request::new(registry.address, "GET", target).send()
    }

    #[test]
    fn a_published_package_is_served_and_counted() {
        let registry = Registry::start();
        let package = NpmPackage::new("@s/a", "1.0.0");
        registry.add_npm(&package);
        let document = get(&registry, "/npm/@s%2fa").expect(200).json();
        let tarball = document["versions"]["1.0.0"]["dist"]["tarball"].as_str().expect("a URL").to_owned();
        assert_eq!(tarball, format!("{}@s/a/-/a-1.0.0.tgz", registry.npm_url()));
        assert_eq!(get(&registry, "/npm/@s/a/-/a-1.0.0.tgz").expect(200).body, package.tarball());
        assert_eq!(get(&registry, "/npm/none").status, 404);
        assert_eq!((registry.count("/-/"), registry.count("%2f")), (1, 1));
    }

    #[test]
    fn every_fault_breaks_the_answer_in_its_own_way() {
        let registry = Registry::start();
        let package = PythonPackage::new("a", "1.0");
        let wheel = package.wheel();
        registry.add_python(&package, &wheel);
        let path = format!("/pypi/files/{}", wheel.name);
        let broken = |fault| {
            registry.break_next("/files/", fault, 1);
            get(&registry, &path)
        };
        assert!(!broken(Fault::Truncated).complete);
        assert!(!broken(Fault::WrongLength).complete);
        assert_eq!(broken(Fault::Status(503)).status, 503);
        assert!(broken(Fault::Html).text().contains("log in"));
        assert_eq!(broken(Fault::Redirect("/x".into())).header("location"), Some("/x"));
        let wrong = broken(Fault::WrongBytes);
        assert!(wrong.complete && wrong.body.len() == wheel.bytes.len() && wrong.body != wheel.bytes);
        let short = broken(Fault::Shortened);
        assert!(short.complete && short.body.len() < wheel.bytes.len());
        registry.break_next("/files/", Fault::Hangup, 1);
        assert!(Request::new(registry.address, "GET", &path).try_send().is_err());
        assert_eq!(get(&registry, &path).body, wheel.bytes);
    }

    #[test]
    fn a_registry_that_is_down_answers_nothing_until_it_is_healed() {
        let registry = Registry::start();
        registry.add_npm(&NpmPackage::new("a", "1.0.0"));
        registry.go_down();
        assert!(Request::new(registry.address, "GET", "/npm/a").try_send().is_err());
        registry.heal();
        assert_eq!(get(&registry, "/npm/a").status, 200);
    }
}
