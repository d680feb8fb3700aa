//! From text to [`Document`]; every refusal says where and what.

use larder_core::error::Invalid;
use larder_core::ports::PolicyKind;

use super::condition::Condition;
use super::document::{Document, Listed, Statement, StatementEffect};
use super::json::Node;
use super::operator::Operator;
use super::pattern::ActionPattern;
use super::principal::Entry;
use super::variables::{Template, Version, Wildcards};
use super::{MAX_CHARACTERS, MAX_STATEMENTS};

type Members = Vec<(String, Node)>;

impl Document {
    /// Parses a document.
    ///
    /// # Errors
    /// [`Invalid`] with the path of the element, such as `Statement[2].Condition.Bool`, and what it must be.
    pub(super) fn parse(kind: PolicyKind, text: &str) -> Result<Self, Invalid> {
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            return Err(Invalid::new(format!(
                "the policy document has {characters} characters; at most {MAX_CHARACTERS} are allowed"
            )));
        }
        let node =
            Node::parse(text).map_err(|error| Invalid::new(format!("the policy document is not JSON: {error}")))?;
        let (mut version, mut statements) = (Version::V2008, None);
        for (name, node) in object("the policy document", node)? {
            match name.as_str() {
                "Version" => version = parse_version(node)?,
                "Id" => drop(text_of("Id", node)?),
                "Statement" => statements = Some(node),
                _ => return Err(at(&name, "unknown element; a policy has Version, Id and Statement")),
            }
        }
        let statements = match statements {
            None => return Err(at("Statement", "missing")),
            Some(Node::List(nodes)) => {
                nodes.into_iter().enumerate().map(|(index, node)| (format!("Statement[{index}]"), node)).collect()
            }
            Some(node) => vec![("Statement".to_owned(), node)],
        };
        if statements.is_empty() || statements.len() > MAX_STATEMENTS {
            return Err(at("Statement", format!("must hold 1 to {MAX_STATEMENTS} statements")));
        }
        let mut parsed = Vec::with_capacity(statements.len());
        let mut sids = Vec::new();
        for (path, node) in statements {
            let (sid, statement) = Reader { kind, version, path }.statement(node)?;
            if let Some(sid) = sid {
                if sids.contains(&sid) {
                    return Err(at(&format!("{}.Sid", statement.path), format!("'{sid}' is there more than once")));
                }
                sids.push(sid);
            }
            parsed.push(statement);
        }
        Ok(Self { statements: parsed })
    }
}

fn parse_version(node: Node) -> Result<Version, Invalid> {
    match text_of("Version", node)?.as_str() {
        "2012-10-17" => Ok(Version::V2012),
        "2008-10-17" => Ok(Version::V2008),
        other => Err(at("Version", format!("'{other}' must be 2012-10-17 or 2008-10-17"))),
    }
}

/// Reads one statement.
struct Reader {
    kind: PolicyKind,
    version: Version,
    path: String,
}

#[derive(Default)]
struct Found {
    sid: Option<String>,
    effect: Option<StatementEffect>,
    principals: Option<Listed<Entry>>,
    actions: Option<Listed<ActionPattern>>,
    resources: Option<Listed<Template>>,
    conditions: Vec<Condition>,
}

impl Reader {
    fn statement(self, node: Node) -> Result<(Option<String>, Statement), Invalid> {
        let mut found = Found::default();
        for (name, node) in object(&self.path, node)? {
            let path = format!("{}.{name}", self.path);
            match name.as_str() {
                "Sid" => found.sid = Some(self.sid(&path, node)?),
                "Effect" => found.effect = Some(effect(&path, node)?),
                "Principal" => {
                    let listed = Listed::Only(self.principals(&path, node)?);
                    found.principals = only_one(&path, found.principals.as_ref(), listed)?;
                }
                "NotPrincipal" => {
                    let listed = Listed::AllBut(self.principals(&path, node)?);
                    found.principals = only_one(&path, found.principals.as_ref(), listed)?;
                }
                "Action" => {
                    let listed = Listed::Only(actions(&path, node)?);
                    found.actions = only_one(&path, found.actions.as_ref(), listed)?;
                }
                "NotAction" => {
                    let listed = Listed::AllBut(actions(&path, node)?);
                    found.actions = only_one(&path, found.actions.as_ref(), listed)?;
                }
                "Resource" => {
                    let listed = Listed::Only(self.resources(&path, node)?);
                    found.resources = only_one(&path, found.resources.as_ref(), listed)?;
                }
                "NotResource" => {
                    let listed = Listed::AllBut(self.resources(&path, node)?);
                    found.resources = only_one(&path, found.resources.as_ref(), listed)?;
                }
                "Condition" => found.conditions = self.conditions(&path, node)?,
                _ => {
                    return Err(at(
                        &path,
                        "unknown element; a statement has Sid, Effect, Principal, Action, Resource, their Not forms and Condition",
                    ));
                }
            }
        }
        if self.kind != PolicyKind::Identity && found.principals.is_none() {
            return Err(at(
                &self.path,
                "Principal is missing; the policy of a domain, repository or role says whom it is about",
            ));
        }
        if self.kind == PolicyKind::Trust {
            if matches!(found.principals, Some(Listed::AllBut(_))) && found.effect == Some(StatementEffect::Allow) {
                return Err(at(&self.path, "NotPrincipal must not allow; the policy of a role names whom it trusts"));
            }
            if found.resources.is_some() {
                return Err(at(&self.path, "Resource is not allowed here; the policy of a role is about that role"));
            }
            let any = Template::parse("*", self.version, Wildcards::Yes).map_err(|what| at(&self.path, what))?;
            found.resources = Some(Listed::Only(vec![any]));
        }
        let missing = |what: &str| at(&self.path, format!("{what} is missing"));
        let statement = Statement {
            effect: found.effect.ok_or_else(|| missing("Effect"))?,
            principals: found.principals,
            actions: found.actions.ok_or_else(|| missing("Action or NotAction"))?,
            resources: found.resources.ok_or_else(|| missing("Resource or NotResource"))?,
            conditions: found.conditions,
            path: self.path,
        };
        Ok((found.sid, statement))
    }

    fn sid(&self, path: &str, node: Node) -> Result<String, Invalid> {
        let sid = text_of(path, node)?;
        if self.kind == PolicyKind::Identity && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(at(path, format!("'{sid}' must be letters and digits only")));
        }
        Ok(sid)
    }

    fn principals(&self, path: &str, node: Node) -> Result<Vec<Entry>, Invalid> {
        if self.kind == PolicyKind::Identity {
            return Err(at(path, "not allowed here; the policy of a user is about that user"));
        }
        let members = match node {
            Node::Text(text) if text == "*" => return Ok(vec![Entry::Anyone]),
            Node::Object(_) => object(path, node)?,
            other => {
                let kind = other.kind();
                return Err(at(
                    path,
                    format!("must be \"*\" or an object such as {{\"AWS\": \"111122223333\"}}, not {kind}"),
                ));
            }
        };
        if members.is_empty() {
            return Err(at(path, "names nobody"));
        }
        let mut entries = Vec::new();
        for (name, node) in members {
            let path = format!("{path}.{name}");
            let texts = texts(&path, node)?;
            match name.as_str() {
                "AWS" => {
                    for text in texts {
                        entries.push(Entry::parse_aws(&text).map_err(|what| at(&path, what))?);
                    }
                }
                "Federated" if self.kind == PolicyKind::Trust => {
                    for text in texts {
                        entries.push(Entry::parse_federated(&text).map_err(|what| at(&path, what))?);
                    }
                }
                "Service" | "Federated" | "CanonicalUser" => entries.push(Entry::Foreign),
                _ => return Err(at(&path, "unknown kind; principals are AWS, Service, Federated or CanonicalUser")),
            }
        }
        Ok(entries)
    }

    fn resources(&self, path: &str, node: Node) -> Result<Vec<Template>, Invalid> {
        let mut templates = Vec::new();
        for text in texts(path, node)? {
            if text != "*" && !text.starts_with("arn:") {
                return Err(at(path, format!("'{text}' must be \"*\" or an ARN, which begins with arn:")));
            }
            templates.push(Template::parse(&text, self.version, Wildcards::Yes).map_err(|what| at(path, what))?);
        }
        Ok(templates)
    }

    fn conditions(&self, path: &str, node: Node) -> Result<Vec<Condition>, Invalid> {
        let mut conditions = Vec::new();
        for (name, node) in object(path, node)? {
            let path = format!("{path}.{name}");
            let operator = Operator::parse(&name).ok_or_else(|| at(&path, "there is no such condition operator"))?;
            let mut keys: Vec<String> = Vec::new();
            for (key, node) in object(&path, node)? {
                let path = format!("{path}.{key}");
                if !key.contains(':') {
                    return Err(at(&path, "a condition key has the form service:Name, such as aws:SourceIp"));
                }
                let lower_case = key.to_ascii_lowercase();
                if keys.contains(&lower_case) {
                    return Err(at(&path, "is there more than once; the case of a key does not count"));
                }
                keys.push(lower_case);
                let values = scalars(&path, node)?;
                let condition = Condition::parse(operator, &key, &values, self.version);
                conditions.push(condition.map_err(|what| at(&path, what))?);
            }
        }
        Ok(conditions)
    }
}

fn effect(path: &str, node: Node) -> Result<StatementEffect, Invalid> {
    match text_of(path, node)?.as_str() {
        "Allow" => Ok(StatementEffect::Allow),
        "Deny" => Ok(StatementEffect::Deny),
        other => Err(at(path, format!("'{other}' must be Allow or Deny"))),
    }
}

fn actions(path: &str, node: Node) -> Result<Vec<ActionPattern>, Invalid> {
    Ok(texts(path, node)?.iter().map(|text| ActionPattern::new(text)).collect())
}

/// An element, unless it or its `Not` form stood there earlier.
fn only_one<T>(path: &str, earlier: Option<&T>, value: T) -> Result<Option<T>, Invalid> {
    match earlier {
        None => Ok(Some(value)),
        Some(_) => Err(at(path, "an element and its Not form exclude each other")),
    }
}

/// The members of an object, none of them twice.
fn object(path: &str, node: Node) -> Result<Members, Invalid> {
    let Node::Object(members) = node else { return Err(at(path, format!("must be an object, not {}", node.kind()))) };
    for (index, (name, _)) in members.iter().enumerate() {
        if members[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(at(path, format!("'{name}' is there more than once")));
        }
    }
    Ok(members)
}

fn text_of(path: &str, node: Node) -> Result<String, Invalid> {
    match node {
        Node::Text(text) => Ok(text),
        other => Err(at(path, format!("must be a string, not {}", other.kind()))),
    }
}

/// A string or a list of strings, not empty.
fn texts(path: &str, node: Node) -> Result<Vec<String>, Invalid> {
    list(node)
        .into_iter()
        .map(|node| text_of(path, node))
        .collect::<Result<Vec<_>, _>>()
        .and_then(|texts| some(path, texts))
}

/// As [`texts`], but booleans and numbers count as their text.
fn scalars(path: &str, node: Node) -> Result<Vec<String>, Invalid> {
    let scalar = |node| match node {
        Node::Text(text) | Node::Number(text) => Ok(text),
        Node::Bool(value) => Ok(value.to_string()),
        other => {
            Err(at(path, format!("must be a string, a number, a boolean or a list of them, not {}", other.kind())))
        }
    };
    list(node).into_iter().map(scalar).collect::<Result<Vec<_>, _>>().and_then(|texts| some(path, texts))
}

fn list(node: Node) -> Vec<Node> {
    match node {
        Node::List(nodes) => nodes,
        node => vec![node],
    }
}

fn some(path: &str, texts: Vec<String>) -> Result<Vec<String>, Invalid> {
    if texts.is_empty() { Err(at(path, "must not be an empty list")) } else { Ok(texts) }
}

fn at(path: &str, what: impl AsRef<str>) -> Invalid {
    Invalid::new(format!("{path}: {}", what.as_ref()))
}
