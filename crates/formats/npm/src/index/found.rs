//! What a search tells of a package (protocols 1.7): its `latest` version in short. npm prints name, description, version,
//! date and who published; `date` and `maintainers` are there always, without them older ones fail.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::merge::{Merged, Version};
use super::{Moment, Timestamp};
use crate::json::Members;

/// Writes the `package` member of a search's result.
pub(super) fn write(out: &mut Vec<u8>, merged: &Merged<'_>) {
    let latest = merged.resolve("latest").or_else(|| merged.versions.last());
    let Some(Version { number, manifest, published, .. }) = latest else { return };
    let text = |name: &str| manifest.text(name).map(Cow::into_owned);
    let scope = merged.name.strip_prefix('@').and_then(|name| name.split('/').next());
    let date = published.as_ref().and_then(Moment::timestamp).unwrap_or(Timestamp(0));
    let maintainers: Vec<Value> = list(manifest.get("maintainers")).into_iter().filter_map(person).collect();
    let publisher = [manifest.get("_npmUser"), manifest.get("author")].into_iter().flatten().find_map(person);
    let publisher = publisher.or_else(|| maintainers.first().cloned());
    let mut package = json!({
        "name": merged.name,
        "scope": scope.unwrap_or("unscoped"),
        "version": number,
        "keywords": list(manifest.get("keywords")).into_iter().filter_map(crate::json::text).collect::<Vec<_>>(),
        "date": date.rfc3339(),
        "links": links(manifest),
        "publisher": publisher.unwrap_or_else(|| json!({"username": "", "email": ""})),
        "maintainers": maintainers,
    });
    for member in ["description", "license"] {
        if let Some(text) = text(member) {
            package[member] = text.into();
        }
    }
    out.extend_from_slice(package.to_string().as_bytes());
}

fn list(value: Option<&RawValue>) -> Vec<&RawValue> {
    value.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

/// `{"name":…,"email":…}` or `"name <email> (url)"`, as search names people.
fn person(value: &RawValue) -> Option<Value> {
    let (name, email) = match (Members::of(value), crate::json::text(value)) {
        (Some(person), _) => {
            let member = |name| person.text(name).map(Cow::into_owned);
            (member("name").or_else(|| member("username"))?, member("email").unwrap_or_default())
        }
        (None, Some(text)) => {
            let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
            let name = name.split('(').next().unwrap_or_default().trim().to_owned();
            (name, rest.split('>').next().unwrap_or_default().to_owned())
        }
        (None, None) => return None,
    };
    Some(json!({"username": name, "email": email}))
}

fn links(manifest: &Members<'_>) -> Value {
    let mut links = serde_json::Map::new();
    for (link, member) in [("homepage", "homepage"), ("repository", "repository"), ("bugs", "bugs")] {
        let Some(value) = manifest.get(member) else { continue };
        let text =
            crate::json::text(value).or_else(|| Members::of(value)?.text("url").map(Cow::into_owned).map(Cow::Owned));
        if let Some(text) = text {
            links.insert(link.to_owned(), text.into_owned().into());
        }
    }
    links.into()
}
