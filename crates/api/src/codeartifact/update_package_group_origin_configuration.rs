//! `PUT /v1/package-group-origin-configuration`: UpdatePackageGroupOriginConfiguration.

use std::collections::BTreeMap;

use larder_core::error::{Error, Result};
use larder_core::model::{RepositoryName, RestrictionType};
use larder_core::ports::AllowedRepositoryUpdate;
use larder_core::services::OriginUpdate;
use larder_http::Response;
use serde::{Deserialize, Serialize};

use super::address::PackageGroupAddress;
use super::body;
use super::call::{Call, answer};
use super::query::parse_enum;
use super::shapes::{PackageGroupShape, RESTRICTION_MODES, RESTRICTION_TYPES};

/// Repositories that one call may add, and remove. What AWS's own tools send at most.
const LARGEST_LIST: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    restrictions: Option<BTreeMap<String, String>>,
    add_allowed_repositories: Option<Vec<BodyRepository>>,
    remove_allowed_repositories: Option<Vec<BodyRepository>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BodyRepository {
    repository_name: Option<String>,
    origin_restriction_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    package_group: PackageGroupShape,
    allowed_repository_updates: BTreeMap<&'static str, BTreeMap<&'static str, Vec<String>>>,
}

pub(super) fn parse(body: &[u8]) -> Result<OriginUpdate> {
    let Body { restrictions, add_allowed_repositories, remove_allowed_repositories } = body::parse(body)?;
    let mut modes = Vec::new();
    for (restriction, mode) in restrictions.unwrap_or_default() {
        modes.push((
            body::get("restrictions.key", Some(&restriction), |text| parse_enum(RESTRICTION_TYPES, text))?,
            body::get("restrictions.value", Some(&mode), |text| parse_enum(RESTRICTION_MODES, text))?,
        ));
    }
    Ok(OriginUpdate {
        modes,
        add: parse_list("addAllowedRepositories", add_allowed_repositories)?,
        remove: parse_list("removeAllowedRepositories", remove_allowed_repositories)?,
    })
}

fn parse_list(
    member: &'static str,
    list: Option<Vec<BodyRepository>>,
) -> Result<Vec<(RestrictionType, RepositoryName)>> {
    let list = list.unwrap_or_default();
    if list.len() > LARGEST_LIST {
        return Err(Error::validation(member, format!("{member} may name {LARGEST_LIST} repositories at a time")));
    }
    let parse = |one: BodyRepository| {
        let restriction = one.origin_restriction_type;
        Ok((
            body::get("originRestrictionType", restriction.as_deref(), |text| parse_enum(RESTRICTION_TYPES, text))?,
            body::get("repositoryName", one.repository_name.as_deref(), str::parse::<RepositoryName>)?,
        ))
    };
    list.into_iter().map(parse).collect()
}

/// `{TYPE: {ADDED: [..], REMOVED: [..]}}`, with what changed only.
fn told(updates: Vec<AllowedRepositoryUpdate>) -> BTreeMap<&'static str, BTreeMap<&'static str, Vec<String>>> {
    let names = |names: Vec<RepositoryName>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let one = |update: AllowedRepositoryUpdate| {
        let lists = [("ADDED", names(update.added)), ("REMOVED", names(update.removed))];
        (update.restriction.as_aws(), lists.into_iter().filter(|(_, names)| !names.is_empty()).collect())
    };
    updates.into_iter().map(one).collect()
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageGroupAddress::parse(&call.query)?;
    let update = parse(&call.body)?;
    let allowed = call.authorize_package_group(address).await?;
    let (updated, lists) = call.services.package_groups.update_origin(&allowed, update).await?;
    let (region, domain) = (call.services.access.region(), &allowed.target().domain);
    Ok(answer(&Output {
        package_group: PackageGroupShape::new(region, domain, &updated),
        allowed_repository_updates: told(lists),
    }))
}

#[cfg(test)]
mod tests {
    use larder_core::model::RestrictionMode;

    use super::*;

    #[test]
    fn modes_and_lists_come_in_the_body() {
        let update = parse(
            br#"{"restrictions":{"PUBLISH":"BLOCK","INTERNAL_UPSTREAM":"INHERIT"},
                 "addAllowedRepositories":[{"repositoryName":"a1","originRestrictionType":"EXTERNAL_UPSTREAM"}],
                 "removeAllowedRepositories":[]}"#,
        )
        .unwrap();
        let modes = [
            (RestrictionType::InternalUpstream, RestrictionMode::Inherit),
            (RestrictionType::Publish, RestrictionMode::Block),
        ];
        assert_eq!(update.modes, modes);
        assert_eq!(update.add, [(RestrictionType::ExternalUpstream, "a1".parse().unwrap())]);
        assert!(update.remove.is_empty());
        assert!(parse(b"{}").unwrap().modes.is_empty());
        for bad in [
            r#"{"restrictions":{"PUBLISH":"allow"}}"#,
            r#"{"restrictions":{"publish":"ALLOW"}}"#,
            r#"{"restrictions":["PUBLISH"]}"#,
            r#"{"addAllowedRepositories":[{"repositoryName":"a1"}]}"#,
            r#"{"addAllowedRepositories":[{"originRestrictionType":"PUBLISH"}]}"#,
            r#"{"removeAllowedRepositories":[{"repositoryName":"/","originRestrictionType":"PUBLISH"}]}"#,
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_lists_that_changed_are_told() {
        let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<RepositoryName>>();
        let updates = vec![
            AllowedRepositoryUpdate {
                restriction: RestrictionType::Publish,
                added: names(&["a1", "b1"]),
                removed: names(&[]),
            },
            AllowedRepositoryUpdate {
                restriction: RestrictionType::ExternalUpstream,
                added: names(&[]),
                removed: names(&["c1"]),
            },
        ];
        assert_eq!(
            serde_json::to_value(told(updates)).unwrap(),
            serde_json::json!({"PUBLISH": {"ADDED": ["a1", "b1"]}, "EXTERNAL_UPSTREAM": {"REMOVED": ["c1"]}})
        );
    }
}
