//! A registry's document without the versions that are held back for being young (protocols 1.11).

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use larder_core::error::Invalid;
use larder_core::model::{ReleaseTime, Timestamp};
use larder_core::ports::Gate;
use semver::Version;

use crate::json::{self, ObjectWriter};
use crate::names;
use crate::packument::Packument;

/// What is left of a packument.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    All,
    Some(Bytes),
    Nothing,
}

/// Takes out the versions that do not pass, with their times. A dist-tag that points to one of them points to the newest
/// version that passes and is not newer; one that has none goes. `latest` stays for as long as any version does.
///
/// # Errors
/// [`Invalid`] if it is no packument.
pub(crate) fn without(body: &[u8], gate: &mut Gate<'_>) -> Result<Rest, Invalid> {
    let packument = Packument::parse(body)?;
    let times: HashMap<&str, _> = packument.time.iter().collect();
    let mut passes = |number: &str| {
        let published_at = times.get(number).and_then(|time| Timestamp::parse_rfc3339(&json::text(time)?));
        gate(names::without_build(number), ReleaseTime::of(published_at))
    };
    let held: HashSet<&str> = packument.versions.iter().map(|(number, _)| number).filter(|n| !passes(n)).collect();
    if held.is_empty() {
        return Ok(Rest::All);
    }
    let passing: Vec<&str> =
        packument.versions.iter().map(|(number, _)| number).filter(|number| !held.contains(number)).collect();
    if passing.is_empty() {
        return Ok(Rest::Nothing);
    }
    let mut out = Vec::with_capacity(body.len());
    let mut object = ObjectWriter::new(&mut out);
    packument.root.iter().for_each(|(name, value)| object.raw(name, value.get()));

    let mut tags = ObjectWriter::new(object.value("dist-tags"));
    for (tag, version) in packument.tags() {
        let target = if held.contains(&*version) { instead(tag, &version, &passing) } else { Some(&*version) };
        if let Some(target) = target {
            tags.string(tag, target);
        }
    }
    tags.end();
    let mut versions = ObjectWriter::new(object.value("versions"));
    for (number, manifest) in packument.versions.iter().filter(|(number, _)| !held.contains(number)) {
        versions.raw(number, manifest.get());
    }
    versions.end();
    let mut time = ObjectWriter::new(object.value("time"));
    for (number, at) in packument.time.iter().filter(|(number, _)| !held.contains(number)) {
        // It would tell that there is something newer.
        if number != "modified" {
            time.raw(number, at.get());
        }
    }
    time.end();
    object.end();
    Ok(Rest::Some(out.into()))
}

/// What a tag points to instead of a version that is held back.
fn instead<'v>(tag: &str, held: &str, passing: &[&'v str]) -> Option<&'v str> {
    let version = Version::parse(held).ok();
    let is_candidate = |candidate: &Version| {
        version.as_ref().is_some_and(|held| candidate < held && (!held.pre.is_empty() || candidate.pre.is_empty()))
    };
    let candidates = passing.iter().filter_map(|text| Some((Version::parse(text).ok()?, *text)));
    let newest = candidates.filter(|(candidate, _)| is_candidate(candidate)).max_by(|(a, _), (b, _)| a.cmp(b));
    match newest {
        Some((_, text)) => Some(text),
        None if tag == "latest" => names::highest(passing.iter().copied()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const DAY: i64 = 86_400_000;

    fn packument() -> Value {
        let versions = ["1.0.0", "1.1.0-rc.1", "1.1.0", "2.0.0-beta.1", "2.0.0-beta.2", "0.9.9"];
        let time = |day: usize| Timestamp(i64::try_from(day).unwrap() * DAY).rfc3339();
        let mut times: serde_json::Map<String, Value> =
            versions.iter().enumerate().map(|(day, version)| ((*version).to_owned(), time(day).into())).collect();
        times.insert("modified".to_owned(), time(9).into());
        let manifest = |version: &&str| ((*version).to_owned(), json!({"version": version}));
        json!({
            "name": "n",
            "dist-tags": {"latest": "1.1.0", "next": "2.0.0-beta.2", "old": "0.9.9", "kept": "1.0.0"},
            "versions": versions.iter().map(manifest).collect::<serde_json::Map<_, _>>(),
            "time": times,
            "x": [1.50]
        })
    }

    fn until(day: i64) -> Value {
        let body = serde_json::to_vec(&packument()).unwrap();
        let mut gate = |_: &str, released: ReleaseTime| released.instant().is_some_and(|at| at.0 <= day * DAY);
        match without(&body, &mut gate).unwrap() {
            Rest::Some(body) => serde_json::from_slice(&body).unwrap(),
            Rest::All => packument(),
            Rest::Nothing => Value::Null,
        }
    }

    #[test]
    fn what_does_not_pass_is_neither_listed_nor_dated_nor_tagged() {
        let rest = until(3);
        assert_eq!(rest["dist-tags"], json!({"latest": "1.1.0", "next": "2.0.0-beta.1", "kept": "1.0.0"}));
        assert_eq!(rest["versions"].as_object().unwrap().len(), 4);
        assert_eq!(rest["time"].as_object().unwrap().len(), 4);
        assert_eq!((&rest["name"], &rest["x"]), (&json!("n"), &json!([1.50])));
    }

    #[test]
    fn latest_points_to_the_newest_that_passes() {
        assert_eq!(until(1)["dist-tags"]["latest"], "1.0.0");
        assert_eq!(until(0)["dist-tags"], json!({"latest": "1.0.0", "next": "1.0.0", "kept": "1.0.0"}));
        assert_eq!(until(100), packument());
        assert_eq!(until(-1), Value::Null);
    }

    #[test]
    fn latest_stays_even_if_only_newer_versions_pass() {
        let body = serde_json::to_vec(&packument()).unwrap();
        let mut gate = |version: &str, _: ReleaseTime| version.starts_with('2');
        let Rest::Some(rest) = without(&body, &mut gate).unwrap() else { panic!("some pass") };
        let rest: Value = serde_json::from_slice(&rest).unwrap();
        assert_eq!(rest["dist-tags"], json!({"latest": "2.0.0-beta.2", "next": "2.0.0-beta.2"}));
    }
}
