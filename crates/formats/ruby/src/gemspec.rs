//! The gemspec in a gem's `metadata.gz`: tagged YAML, read as plain data (protocols 6.4).

use larder_core::error::Invalid;
use larder_core::model::{Dependency, License, VersionDetails, VersionText};

use crate::names;
use crate::yaml::{self, Node};

/// Tags that gemspecs have. Anything else would name an object that nobody asked for.
const TAGS: [&str; 8] = [
    "!ruby/object:Gem::Specification",
    "!ruby/object:Gem::Version",
    "!ruby/object:Gem::Requirement",
    "!ruby/object:Gem::Version::Requirement",
    "!ruby/object:Gem::Dependency",
    "!ruby/object:Gem::Platform",
    "!binary",
    "tag:yaml.org,2002:str",
];
/// Signs that the compact index, a line of text, cannot hold.
const FORBIDDEN: [char; 5] = [',', '|', '&', ':', ' '];

/// What is read of a gemspec.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Gemspec {
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) platform: String,
    pub(crate) date: String,
    pub(crate) summary: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) homepage: Option<String>,
    pub(crate) authors: Vec<String>,
    pub(crate) email: Vec<String>,
    pub(crate) licenses: Vec<String>,
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) dependencies: Vec<GemDependency>,
    pub(crate) required_ruby: Requirement,
    pub(crate) required_rubygems: Requirement,
    pub(crate) rubygems_version: String,
}

/// Operators and versions, all of which hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Requirement(pub(crate) Vec<(String, String)>);

impl Default for Requirement {
    fn default() -> Self {
        Self(vec![(">=".to_owned(), "0".to_owned())])
    }
}

impl Requirement {
    /// Whether every version will do.
    pub(crate) fn is_any(&self) -> bool {
        *self == Self::default()
    }

    /// `>= 1&< 2`, as the compact index has it.
    pub(crate) fn line(&self) -> String {
        let mut parts: Vec<String> = self.0.iter().map(|(operator, version)| format!("{operator} {version}")).collect();
        parts.sort_unstable();
        parts.join("&")
    }
}

/// A gem that is needed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GemDependency {
    pub(crate) name: String,
    pub(crate) requirement: Requirement,
    pub(crate) is_development: bool,
}

impl Gemspec {
    /// Reads and checks it.
    ///
    /// # Errors
    /// [`Invalid`] with what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let root = yaml::parse(text)?;
        if root.tag.as_deref() != Some(TAGS[0]) {
            return Err(Invalid::new("metadata.gz is no gemspec"));
        }
        check_tags(&root)?;
        let text = |name: &str| root.get(name).and_then(Node::text).map(str::to_owned);
        let texts = |name: &str| match root.get(name) {
            Some(node) => {
                node.text().into_iter().chain(node.list().iter().filter_map(Node::text)).map(str::to_owned).collect()
            }
            None => Vec::new(),
        };
        let missing = |what: &str| Invalid::new(format!("the gemspec has no {what}"));
        let spec = Self {
            name: text("name").ok_or_else(|| missing("name"))?,
            number: root.get("version").and_then(version).ok_or_else(|| missing("version"))?,
            platform: text("original_platform")
                .or_else(|| text("platform"))
                .unwrap_or_else(|| names::ANY_PLATFORM.to_owned()),
            date: text("date").unwrap_or_default(),
            summary: text("summary"),
            description: text("description"),
            homepage: text("homepage"),
            authors: texts("authors"),
            email: texts("email"),
            licenses: texts("licenses"),
            metadata: root
                .get("metadata")
                .map(|node| node.map().iter())
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.text()?.to_owned(), value.text()?.to_owned())))
                .collect(),
            dependencies: root
                .get("dependencies")
                .map(Node::list)
                .unwrap_or_default()
                .iter()
                .map(dependency)
                .collect::<Result<_, _>>()?,
            required_ruby: optional_requirement(root.get("required_ruby_version"))?,
            required_rubygems: optional_requirement(root.get("required_rubygems_version"))?,
            rubygems_version: text("rubygems_version").unwrap_or_default(),
        };
        names::gem_key(&spec.name)?;
        spec.version_text()?;
        Ok(spec)
    }

    /// What the version is called here.
    ///
    /// # Errors
    /// [`Invalid`] if number or platform are none.
    pub(crate) fn version_text(&self) -> Result<VersionText, Invalid> {
        names::version_text(&self.number, &self.platform)
    }

    /// `NAME-NUMBER[-PLATFORM]`
    pub(crate) fn full_name(&self) -> String {
        let platform = if self.platform == names::ANY_PLATFORM { String::new() } else { format!("-{}", self.platform) };
        format!("{}-{}{platform}", self.name, self.number)
    }

    /// What the API tells of it.
    pub(crate) fn details(&self) -> VersionDetails {
        let link = |name: &str| self.metadata.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let kind = |development| if development { "development" } else { "runtime" };
        VersionDetails {
            display_name: Some(self.name.clone()),
            summary: self.summary.clone(),
            home_page: self.homepage.clone(),
            source_code_repository: link("source_code_uri"),
            licenses: self.licenses.iter().map(|name| License { name: name.clone(), url: None }).collect(),
            dependencies: self
                .dependencies
                .iter()
                .map(|dependency| Dependency {
                    namespace: None,
                    package: dependency.name.clone(),
                    dependency_type: Some(kind(dependency.is_development).to_owned()),
                    version_requirement: Some(dependency.requirement.line().replace('&', ", ")),
                })
                .collect(),
            readme: None,
        }
    }
}

fn check_tags(node: &Node) -> Result<(), Invalid> {
    if let Some(tag) = &node.tag
        && !TAGS.contains(&&**tag)
    {
        return Err(Invalid::new(format!("the gemspec has the tag '{}'", names::printable(tag))));
    }
    node.list().iter().try_for_each(check_tags)?;
    node.map().iter().try_for_each(|(key, value)| check_tags(key).and_then(|()| check_tags(value)))
}

fn version(node: &Node) -> Option<String> {
    node.text().or_else(|| node.get("version")?.text()).map(str::to_owned)
}

fn dependency(node: &Node) -> Result<GemDependency, Invalid> {
    let name = node.get("name").and_then(Node::text).ok_or_else(|| Invalid::new("a dependency has no name"))?;
    names::gem_key(name)?;
    let wanted = node.get("requirement").or_else(|| node.get("version_requirements"));
    let kind = node.get("type").and_then(Node::text);
    Ok(GemDependency {
        name: name.to_owned(),
        requirement: optional_requirement(wanted)?,
        is_development: kind == Some(":development"),
    })
}

fn optional_requirement(node: Option<&Node>) -> Result<Requirement, Invalid> {
    let Some(pairs) = node.and_then(|node| node.get("requirements")) else { return Ok(Requirement::default()) };
    let pair = |pair: &Node| {
        let [operator, wanted] = pair.list() else { return None };
        let (operator, wanted) = (operator.text()?, version(wanted)?);
        let known = matches!(operator, "=" | "!=" | ">" | "<" | ">=" | "<=" | "~>");
        (known && !wanted.contains(FORBIDDEN) && !wanted.chars().any(char::is_control))
            .then(|| (operator.to_owned(), wanted))
    };
    let pairs: Option<Vec<_>> = pairs.list().iter().map(pair).collect();
    let pairs = pairs.ok_or_else(|| Invalid::new("the gemspec has a requirement that is none"))?;
    Ok(if pairs.is_empty() { Requirement::default() } else { Requirement(pairs) })
}
