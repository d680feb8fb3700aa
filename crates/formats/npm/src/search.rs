//! `GET /-/v1/search?text=&size=&from=` (protocols 1.7): over what the repository and its upstreams hold. What only the
//! public registry has is not searched.

use http::StatusCode;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey, PageRequest};
use larder_core::services::{Rendered, Sources as Of, View};
use larder_core::{Error, Result};
use larder_http::{RepositoryRequest, response};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::index::{self, Form, Sources};
use crate::routes::{Answer, Routes};

/// Names that are read at once.
const PAGE: usize = 1000;
/// Packages that one search looks at; those after them, by name, are not found.
const EXAMINED_LIMIT: usize = 20_000;
/// Results of one answer: if the client does not say, and at most.
const SIZE: usize = 20;
const SIZE_LIMIT: usize = 250;
const WORDS_LIMIT: usize = 20;

/// What is searched for.
#[derive(Debug, PartialEq, Eq)]
struct Query {
    /// In lower case; all must fit.
    words: Vec<Word>,
    /// The words as they were typed, in lower case.
    text: String,
    size: usize,
    from: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// In the name, the description or a keyword.
    Anywhere(String),
    /// `keywords:a,b`: one of these is a keyword.
    Keywords(Vec<String>),
    /// `scope:x`: the name is `@x/…`.
    Scope(String),
    /// `author:x`, `maintainer:x`: one of the people.
    Person(String),
}

/// What is looked at of a package.
#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Package {
    name: String,
    description: String,
    keywords: Vec<String>,
    publisher: Person,
    maintainers: Vec<Person>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    username: String,
    email: String,
}

/// The answer.
#[derive(Serialize)]
struct Results<'a> {
    objects: Vec<Object<'a>>,
    total: usize,
    time: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    package: &'a RawValue,
    score: Score,
    search_score: f64,
    flags: Flags,
}

/// Larder does not judge packages.
#[derive(Serialize)]
struct Score {
    #[serde(rename = "final")]
    last: f64,
    detail: Detail,
}

#[derive(Serialize)]
struct Detail {
    quality: f64,
    popularity: f64,
    maintenance: f64,
}

#[derive(Serialize)]
struct Flags {}

impl Query {
    fn parse(query: &str) -> Self {
        let mut read = Self { words: Vec::new(), text: String::new(), size: SIZE, from: 0 };
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8_lossy();
            match name {
                "text" => read.text = value.trim().to_lowercase(),
                "size" => read.size = value.parse().unwrap_or(SIZE).min(SIZE_LIMIT),
                "from" => read.from = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        read.words = read.text.split_whitespace().filter_map(Word::parse).take(WORDS_LIMIT).collect();
        read
    }

    fn fits(&self, package: &Package) -> bool {
        self.words.iter().all(|word| word.fits(package))
    }

    /// The package of that name first, then names that begin like that, then names with it, then the others.
    fn rank(&self, package: &Package) -> u8 {
        match package.name.to_lowercase().find(&self.text) {
            Some(0) if package.name.len() == self.text.len() => 0,
            Some(0) => 1,
            Some(_) => 2,
            None => 3,
        }
    }
}

impl Word {
    /// `None` for what the public registry knows of packages and Larder does not: `is:unstable`, `not:insecure`.
    fn parse(word: &str) -> Option<Self> {
        Some(match word.split_once(':') {
            Some(("keywords", list)) => Self::Keywords(list.split([',', '+']).map(str::to_owned).collect()),
            Some(("scope", scope)) => Self::Scope(scope.trim_start_matches('@').to_owned()),
            Some(("author" | "maintainer", person)) => Self::Person(person.to_owned()),
            Some(("is" | "not" | "boost-exact", _)) => return None,
            _ => Self::Anywhere(word.to_owned()),
        })
    }

    fn fits(&self, package: &Package) -> bool {
        let is_keyword = |wanted: &String| package.keywords.iter().any(|keyword| keyword.to_lowercase() == *wanted);
        match self {
            Self::Anywhere(word) => {
                [&package.name, &package.description].iter().any(|text| text.to_lowercase().contains(word))
                    || is_keyword(word)
            }
            Self::Keywords(wanted) => wanted.iter().any(is_keyword),
            Self::Scope(scope) => package.name.strip_prefix('@').and_then(|name| name.split('/').next()) == Some(scope),
            Self::Person(wanted) => {
                let mut people = std::iter::once(&package.publisher).chain(&package.maintainers);
                people.any(|person| [&person.username, &person.email].iter().any(|name| name.to_lowercase() == *wanted))
            }
        }
    }
}

impl Routes {
    /// Answers a search.
    pub(crate) async fn search(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let query = Query::parse(request.query.as_deref().unwrap_or_default());
        let mut fitting = self.fitting(&allowed, &query).await?;
        // Stable: of one rank, in order of name.
        fitting.sort_by_key(|(rank, _)| *rank);
        let mut packages = Vec::new();
        for (rank, key) in fitting.iter().skip(query.from).take(query.size) {
            packages.extend(self.found(&allowed, key).await?.map(|package| (*rank, package)));
        }
        let objects = packages.iter().map(|(rank, package)| Object::new(package, *rank)).collect();
        let time = self.services.clock.now().rfc3339();
        Ok(response::json(StatusCode::OK, &Results { objects, total: fitting.len(), time }))
    }

    /// Names only: all results of a large repository do not fit into memory.
    async fn fitting(&self, allowed: &Allowed<RepositoryTarget>, query: &Query) -> Result<Vec<(u8, PackageKey)>> {
        let repositories = self.services.index.visible_repositories(allowed).await?;
        let ids: Vec<_> = repositories.iter().map(|repository| repository.id).collect();
        let mut page = PageRequest::first(PAGE);
        let mut examined = 0;
        let mut fitting = Vec::new();
        loop {
            let names = self.services.store.list_package_names(&ids, PackageFormat::Npm, &page).await?;
            examined += names.items.len();
            for (key, _) in names.items {
                let Some(found) = self.found(allowed, &key).await? else { continue };
                let package: Package = serde_json::from_str(found.get()).map_err(Error::internal)?;
                if query.fits(&package) {
                    fitting.push((query.rank(&package), key));
                }
            }
            match names.next {
                Some(next) if examined < EXAMINED_LIMIT => page.after = Some(next),
                _ => return Ok(fitting),
            }
        }
    }

    /// What is told of a package, kept like any other of its documents. Names are of every repository: what origin controls
    /// keep from this one is not there, nor what has no version that is listed.
    async fn found(&self, allowed: &Allowed<RepositoryTarget>, key: &PackageKey) -> Result<Option<Box<RawValue>>> {
        let upstream_tags_win = self.upstream_tags_win;
        let render = move |view: &View| -> Result<Rendered> {
            let sources =
                Sources { repository: view.repository, key: &view.key, layers: &view.layers, upstream_tags_win };
            index::render(&sources, &Form::Found, "", &|_| None)
        };
        let variant = Form::Found.variant("");
        match self.services.index.document_of(allowed, key, Of::Stored, &variant, render).await {
            Ok(document) => serde_json::from_slice(&document.body).map(Some).map_err(Error::internal),
            Err(Error::ResourceNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<'a> Object<'a> {
    fn new(package: &'a RawValue, rank: u8) -> Self {
        let score = Score { last: 1.0, detail: Detail { quality: 1.0, popularity: 1.0, maintenance: 1.0 } };
        Self { package, score, search_score: 1.0 / (1.0 + f64::from(rank)), flags: Flags {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(json: &str) -> Package {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_query_is_read_as_npm_writes_it() {
        let query = Query::parse("text=Left%20pad+keywords:a,b&size=1000&from=20&quality=0.65&popularity=0.98");
        let anywhere = |word: &str| Word::Anywhere(word.to_owned());
        let keywords = Word::Keywords(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(query.words, [anywhere("left"), anywhere("pad"), keywords]);
        assert_eq!((query.size, query.from), (SIZE_LIMIT, 20));
        let odd = Query::parse("size=x&from=-1&text");
        assert_eq!((odd.size, odd.from, odd.words.len()), (SIZE, 0, 0));
    }

    #[test]
    fn words_are_looked_for_where_they_belong() {
        let package = package(
            r#"{"name":"@s/pad","description":"Pads texts","keywords":["String"],"publisher":{"username":"Ann"}}"#,
        );
        for (text, fits) in [
            ("", true),
            ("PAD", true),
            ("texts pads", true),
            ("string", true),
            ("keywords:string", true),
            ("keywords:pads", false),
            ("scope:s", true),
            ("scope:@s", true),
            ("scope:pad", false),
            ("author:ann", true),
            ("maintainer:bob", false),
            ("pad other", false),
            ("pad not:unstable", true),
        ] {
            assert_eq!(Query::parse(&format!("text={text}")).fits(&package), fits, "{text}");
        }
    }

    #[test]
    fn the_name_itself_comes_first() {
        let query = Query::parse("text=pad");
        let rank = |name: &str| query.rank(&Package { name: name.to_owned(), ..Package::default() });
        assert_eq!([rank("pad"), rank("padding"), rank("left-pad"), rank("other")], [0, 1, 2, 3]);
    }
}
