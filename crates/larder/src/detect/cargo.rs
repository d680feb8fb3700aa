//! What cargo's configuration replaces the public crates registry by, else the registry built into cargo. Cargo has no
//! command that prints that one: it is run with a proxy that hears where it wants to go, and goes nowhere.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use larder_core::model::ExternalConnection;
use toml::Table;
use url::Url;

use super::Found;
use crate::config::{RegistryEntry, RegistryTable};

/// How long cargo may take until it asks for its index.
const PATIENCE: Duration = Duration::from_secs(10);
/// The name of the public registry in cargo's configuration.
const PUBLIC: &str = "crates-io";

pub(super) fn detect() -> Result<Found, String> {
    let home = cargo_home();
    let (url, source) = match home.as_deref().map(configured).transpose()?.flatten() {
        Some(url) => (url, "source replacement in cargo's config.toml"),
        None => (built_in()?, "cargo's built-in registry"),
    };
    let allow_hosts = home.and_then(|home| file_host(&home, &url)).into_iter().collect();
    Ok(Found {
        connection: ExternalConnection::parse("public:crates-io").map_err(|error| error.to_string())?,
        entry: RegistryEntry::Table(RegistryTable {
            url: url.to_string(),
            username: None,
            password: None,
            token: None,
            allow_hosts,
        }),
        source: source.to_owned(),
    })
}

fn cargo_home() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("CARGO_HOME").or_else(|| Some(set("HOME")?.join(".cargo")))
}

/// The index that replaces the public registry's; `None` if nothing does.
fn configured(home: &Path) -> Result<Option<Url>, String> {
    let text = ["config.toml", "config"].into_iter().find_map(|name| fs::read_to_string(home.join(name)).ok());
    replacement(&text.unwrap_or_default())
}

fn replacement(config: &str) -> Result<Option<Url>, String> {
    let config: Table = config.parse().map_err(|_| "cargo's config.toml cannot be read")?;
    let member =
        |section: &str, name: &str, key: &str| config.get(section)?.get(name)?.get(key)?.as_str().map(str::to_owned);
    let mut name = PUBLIC.to_owned();
    let mut seen = HashSet::new();
    while let Some(next) = member("source", &name, "replace-with") {
        if !seen.insert(name) {
            return Err("the sources in cargo's config.toml replace each other".to_owned());
        }
        name = next;
    }
    if name == PUBLIC {
        return Ok(None);
    }
    let index = member("source", &name, "registry").or_else(|| member("registries", &name, "index"));
    let Some(address) = index.as_deref().and_then(|index| index.strip_prefix("sparse+")) else {
        return Err(format!("cargo takes crates from '{name}', which is no sparse index"));
    };
    Url::parse(address).map(Some).map_err(|_| format!("cargo's index '{address}' is not a URL"))
}

/// Where cargo goes when nothing is configured.
fn built_in() -> Result<Url, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no port to listen on: {error}"))?;
    let proxy = listener.local_addr().map_err(|error| error.to_string())?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        if let Ok((stream, _)) = listener.accept() {
            // Nobody waits any more if cargo was too slow.
            let _ = sender.send(refuse(&stream));
        }
    });
    let scratch = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let answer = run(scratch.path(), &proxy.to_string(), &receiver);
    let host = answer?.ok_or("cargo does not say where its index is")?;
    Url::parse(&format!("https://{host}/")).map_err(|_| format!("cargo's index '{host}' is not a host"))
}

/// Runs cargo until it asks the proxy for something.
fn run(scratch: &Path, proxy: &str, receiver: &mpsc::Receiver<Option<String>>) -> Result<Option<String>, String> {
    let mut child = Command::new("cargo")
        .args(["search", "--limit", "1", "larder"])
        .current_dir(scratch)
        .env("CARGO_HOME", scratch)
        .env("CARGO_HTTP_PROXY", format!("http://{proxy}"))
        .env("CARGO_NET_RETRY", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`cargo` cannot be run: {error}"))?;
    let host = receiver.recv_timeout(PATIENCE).ok().flatten();
    // It has said what it was asked, or never will.
    let _ = child.kill();
    let _ = child.wait();
    if host.is_none() {
        // Lets the listening thread go.
        let _ = TcpStream::connect(proxy);
    }
    Ok(host)
}

/// The host of a `CONNECT host:443`, which is answered with no.
fn refuse(mut stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    connect_host(&line)
}

fn connect_host(line: &str) -> Option<String> {
    let authority = line.strip_prefix("CONNECT ")?.split(' ').next()?;
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    (!host.is_empty()).then(|| host.to_owned())
}

/// The host of crates, where cargo has seen the registry's `config.json` already and that names another one.
fn file_host(home: &Path, index: &Url) -> Option<String> {
    let host = index.host_str()?;
    let entries = fs::read_dir(home.join("registry/index")).ok()?.flatten();
    let folders = entries
        .filter(|entry| entry.file_name().to_string_lossy().rsplit_once('-').is_some_and(|(name, _hash)| name == host));
    let config = folders.map(|entry| entry.path().join("config.json")).find_map(|path| fs::read(path).ok())?;
    let config: serde_json::Value = serde_json::from_slice(&config).ok()?;
    let files = Url::parse(config.get("dl")?.as_str()?.split('{').next()?).ok()?;
    let is_elsewhere = files.host().is_some() && files.origin() != index.origin();
    is_elsewhere.then(|| files.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_followed_to_a_sparse_index() {
        let found = |config: &str| replacement(config).map(|url| url.map(|url| url.to_string()));
        assert_eq!(found("[net]\nretry = 2\n"), Ok(None));
        let mirror = "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nreplace-with = 'b'\n";
        let by_source = format!("{mirror}[source.b]\nregistry = 'sparse+https://mirror.test/crates/'\n");
        assert_eq!(found(&by_source), Ok(Some("https://mirror.test/crates/".to_owned())));
        let by_registry = format!("{mirror}[registries.b]\nindex = 'sparse+http://mirror.test/'\n");
        assert_eq!(found(&by_registry), Ok(Some("http://mirror.test/".to_owned())));
        for bad in [
            format!("{mirror}[source.b]\ndirectory = 'vendor'\n"),
            format!("{mirror}[source.b]\nreplace-with = 'a'\n"),
            format!("{mirror}[source.b]\nregistry = 'https://mirror.test/index.git'\n"),
            "[".to_owned(),
        ] {
            assert!(found(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_host_is_heard_from_a_connect_request() {
        assert_eq!(connect_host("CONNECT index.test:443 HTTP/1.1\r\n").as_deref(), Some("index.test"));
        assert_eq!(connect_host("CONNECT index.test:8443 HTTP/1.1\r\n").as_deref(), Some("index.test:8443"));
        assert_eq!(connect_host("GET / HTTP/1.1\r\n"), None);
    }

    #[test]
    fn the_host_of_files_is_taken_from_what_cargo_has_seen() {
        let home = tempfile::tempdir().unwrap();
        let index = Url::parse("https://index.test/").unwrap();
        assert_eq!(file_host(home.path(), &index), None);
        let folder = home.path().join("registry/index/index.test-0123456789abcdef");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.json"), r#"{"dl":"https://files.test/{crate}"}"#).unwrap();
        assert_eq!(file_host(home.path(), &index).as_deref(), Some("https://files.test"));
        fs::write(folder.join("config.json"), r#"{"dl":"https://index.test/crates"}"#).unwrap();
        assert_eq!(file_host(home.path(), &index), None);
    }
}
