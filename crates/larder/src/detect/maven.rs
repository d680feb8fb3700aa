//! Maven's settings: mirrors and repositories by their conventional ids, else the repository built into the installed
//! Maven, which is in the model that every project inherits.

use std::fs;
use std::path::{Path, PathBuf};

use larder_archive::{Limits, Links, Zip};

use super::xml::{self, Element};
use super::{Found, ask, home, registry};
use crate::config::RegistryTable;

/// Ids under which settings name the public repositories, and which connection each is.
const IDS: [(&str, &str); 5] = [
    (CENTRAL, "public:maven-central"),
    ("google", "public:maven-googleandroid"),
    ("gradlePluginPortal", "public:maven-gradleplugins"),
    ("commonsware", "public:maven-commonsware"),
    ("clojars", "public:maven-clojars"),
];
const CENTRAL: &str = "central";
/// The model that every project inherits, in the archive of the model's builder.
const MODEL: &str = "org/apache/maven/model/pom-4.0.0.xml";
const MODEL_LIMIT_BYTES: u64 = 1 << 20;

pub(super) fn detect() -> Result<Vec<Found>, String> {
    let installed = ask("mvn", &["-B", "-v"]);
    let maven_home = installed.as_deref().ok().and_then(maven_home);
    let mut settings = Settings::default();
    for file in settings_files(maven_home.as_deref()) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        settings.add(&text).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    }
    let mut found = Vec::new();
    for (id, connection) in IDS {
        let mut place = settings.find(id);
        if place.is_none() && id == CENTRAL {
            let maven_home = maven_home.as_deref();
            place = maven_home.and_then(built_in).map(|url| Place {
                table: RegistryTable { url, ..RegistryTable::default() },
                source: "Maven's built-in repository",
            });
        }
        let Some(Place { table, source }) = place else { continue };
        found.push(registry(connection, table, source)?);
    }
    match (found.is_empty(), installed) {
        (true, Err(why)) => Err(why),
        (true, Ok(_)) => Err("neither its settings nor its archives name a repository".to_owned()),
        (false, _) => Ok(found),
    }
}

/// The user's settings, which win, and the installation's.
fn settings_files(maven_home: Option<&Path>) -> Vec<PathBuf> {
    let user = home().map(|home| home.join(".m2/settings.xml"));
    let installation = maven_home.map(|home| home.join("conf/settings.xml"));
    user.into_iter().chain(installation).collect()
}

fn maven_home(printed: &str) -> Option<PathBuf> {
    printed.lines().find_map(|line| line.strip_prefix("Maven home: ")).map(|path| PathBuf::from(path.trim()))
}

/// The repository `central` of the model.
fn built_in(maven_home: &Path) -> Option<String> {
    let archives = fs::read_dir(maven_home.join("lib")).ok()?.flatten().map(|entry| entry.path());
    let builder = archives
        .filter(|path| path.extension().is_some_and(|extension| extension == "jar"))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("maven-model-builder")))?;
    let archive = Zip::open(&builder, &Limits::default(), Links::Refused).ok()?;
    let model = archive.read(archive.find(MODEL)?, MODEL_LIMIT_BYTES).ok()?;
    let model = xml::parse(&String::from_utf8_lossy(&model)).ok()?;
    let repositories = model.at(&["project", "repositories", "repository"]);
    let central = repositories.into_iter().find(|repository| repository.value("id") == Some(CENTRAL))?;
    central.value("url").map(str::to_owned)
}

#[derive(Debug, PartialEq)]
struct Place {
    table: RegistryTable,
    source: &'static str,
}

/// What several files say together; earlier ones win.
#[derive(Debug, Default)]
struct Settings {
    mirrors: Vec<Mirror>,
    /// Id and address, of active profiles.
    repositories: Vec<(String, String)>,
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Mirror {
    id: String,
    of: String,
    url: String,
}

#[derive(Debug)]
struct Server {
    id: String,
    username: String,
    /// `None` if it is encrypted, which only Maven can undo.
    password: Option<String>,
}

impl Settings {
    fn add(&mut self, text: &str) -> Result<(), String> {
        let document = xml::parse(text)?;
        for mirror in document.at(&["settings", "mirrors", "mirror"]) {
            if let (Some(of), Some(url)) = (mirror.value("mirrorOf"), mirror.value("url"))
                && mirror.value("blocked") != Some("true")
            {
                let id = mirror.value("id").unwrap_or_default().to_owned();
                self.mirrors.push(Mirror { id, of: of.to_owned(), url: url.to_owned() });
            }
        }
        let listed = document.at(&["settings", "activeProfiles", "activeProfile"]);
        let is_active = |profile: &Element| {
            let by_default = profile.at(&["activation", "activeByDefault"]).iter().any(|value| value.text() == "true");
            by_default || listed.iter().any(|active| Some(active.text()) == profile.value("id"))
        };
        for profile in document.at(&["settings", "profiles", "profile"]) {
            if !is_active(profile) {
                continue;
            }
            for path in [["repositories", "repository"], ["pluginRepositories", "pluginRepository"]] {
                for repository in profile.at(&path) {
                    if let (Some(id), Some(url)) = (repository.value("id"), repository.value("url")) {
                        self.repositories.push((id.to_owned(), url.to_owned()));
                    }
                }
            }
        }
        for server in document.at(&["settings", "servers", "server"]) {
            if let (Some(id), Some(username)) = (server.value("id"), server.value("username")) {
                let plain = |password: &&str| !(password.starts_with('{') && password.ends_with('}'));
                let password = server.value("password").filter(plain).map(str::to_owned);
                self.servers.push(Server { id: id.to_owned(), username: username.to_owned(), password });
            }
        }
        Ok(())
    }

    /// Where Maven would go for a repository of this id that the settings know, or for `central`.
    fn find(&self, id: &str) -> Option<Place> {
        let own = self.repositories.iter().find(|(have, _)| have == id);
        let named = self.mirrors.iter().find(|mirror| mirror.of == id);
        let known = own.is_some() || id == CENTRAL;
        let mirror = named.or_else(|| self.mirrors.iter().find(|mirror| known && takes(&mirror.of, id)));
        let (server, url, source) = match (mirror, own) {
            (Some(mirror), _) => (&mirror.id, &mirror.url, "a mirror in Maven's settings.xml"),
            (None, Some((id, url))) => (id, url, "a repository in Maven's settings.xml"),
            (None, None) => return None,
        };
        let server = self.servers.iter().find(|known| known.id == *server).filter(|server| server.password.is_some());
        let table = RegistryTable {
            url: url.clone(),
            username: server.map(|server| server.username.clone()),
            password: server.and_then(|server| server.password.clone()),
            ..RegistryTable::default()
        };
        Some(Place { table, source })
    }
}

/// Whether a mirror's pattern takes a repository that is somewhere else and asked over https.
fn takes(pattern: &str, id: &str) -> bool {
    let mut taken = false;
    for word in pattern.split(',').map(str::trim) {
        match word.strip_prefix('!') {
            Some(not) if not == id => return false,
            Some(_) => {}
            None => taken |= word == id || word == "*" || word == "external:*",
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(settings: &str, id: &str) -> Option<(String, Option<String>)> {
        let mut read = Settings::default();
        read.add(&format!("<settings>{settings}</settings>")).unwrap();
        read.find(id).map(|place| (place.table.url, place.table.password))
    }

    fn mirror(of: &str, more: &str) -> String {
        format!("<mirror><id>m</id><mirrorOf>{of}</mirrorOf><url>http://{}.test/</url>{more}</mirror>", of.len())
    }

    #[test]
    fn mirrors_take_what_their_patterns_say() {
        let mirrors = |list: &[&str]| {
            let all: String = list.iter().map(|of| mirror(of, "")).collect();
            find(&format!("<mirrors>{all}</mirrors>"), CENTRAL).map(|(url, _)| url)
        };
        for of in ["central", "*", "external:*", "other, central", "*,!other"] {
            assert_eq!(mirrors(&[of]), Some(format!("http://{}.test/", of.len())), "{of}");
        }
        for of in ["other", "external:http:*", "*,!central"] {
            assert_eq!(mirrors(&[of]), None, "{of}");
        }
        assert_eq!(mirrors(&["*", "central"]).as_deref(), Some("http://7.test/"));
        let blocked = format!("<mirrors>{}</mirrors>", mirror("*", "<blocked>true</blocked>"));
        assert_eq!(find(&blocked, CENTRAL), None);
    }

    #[test]
    fn repositories_of_active_profiles_count_and_bring_their_passwords() {
        let profile = |active: &str| {
            format!(
                "<profiles><profile><id>p</id><repositories><repository><id>google</id><url>http://g.test/</url>\
                 </repository></repositories></profile></profiles><activeProfiles><activeProfile>{active}</activeProfile>\
                 </activeProfiles><servers><server><id>google</id><username>u</username><password>s</password></server>\
                 </servers>"
            )
        };
        assert_eq!(find(&profile("p"), "google"), Some(("http://g.test/".to_owned(), Some("s".to_owned()))));
        assert_eq!(find(&profile("q"), "google"), None);
        let encrypted = profile("p").replace(">s<", ">{abc=}<");
        assert_eq!(find(&encrypted, "google"), Some(("http://g.test/".to_owned(), None)));
    }

    #[test]
    fn the_installation_is_where_it_says() {
        let printed = "Apache Maven 3.8.7\nMaven home: /usr/share/maven\nJava version: 17";
        assert_eq!(maven_home(printed), Some(PathBuf::from("/usr/share/maven")));
    }
}
