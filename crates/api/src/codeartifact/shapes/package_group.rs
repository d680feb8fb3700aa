//! How package groups look in answers.

use larder_core::model::{
    Arn, AssociationType, Domain, EffectiveRestriction, Lineage, PackageGroupPattern, PackageKey, RestrictionMode,
    RestrictionType,
};
use serde::Serialize;

use super::PackageCoordinate;

/// The API's spellings.
pub(in crate::codeartifact) const RESTRICTION_TYPES: &[(&str, RestrictionType)] = &[
    ("EXTERNAL_UPSTREAM", RestrictionType::ExternalUpstream),
    ("INTERNAL_UPSTREAM", RestrictionType::InternalUpstream),
    ("PUBLISH", RestrictionType::Publish),
];

/// The API's spellings.
pub(in crate::codeartifact) const RESTRICTION_MODES: &[(&str, RestrictionMode)] = &[
    ("ALLOW", RestrictionMode::Allow),
    ("ALLOW_SPECIFIC_REPOSITORIES", RestrictionMode::AllowSpecificRepositories),
    ("BLOCK", RestrictionMode::Block),
    ("INHERIT", RestrictionMode::Inherit),
];

/// `PackageGroupDescription` and `PackageGroupSummary`, which have the same members.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct PackageGroupShape {
    arn: String,
    pattern: String,
    domain_name: String,
    domain_owner: String,
    created_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    origin_configuration: OriginConfiguration,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Reference>,
}

#[derive(Debug, Serialize)]
struct OriginConfiguration {
    restrictions: Restrictions,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Restrictions {
    external_upstream: Restriction,
    internal_upstream: Restriction,
    publish: Restriction,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Restriction {
    mode: &'static str,
    effective_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    inherited_from: Option<Reference>,
    repositories_count: u64,
}

/// `PackageGroupReference`.
#[derive(Debug, Serialize)]
struct Reference {
    arn: String,
    pattern: String,
}

impl Reference {
    fn new(region: &str, domain: &Domain, pattern: &PackageGroupPattern) -> Self {
        let arn = Arn::package_group(region, &domain.owner, &domain.name, pattern).to_string();
        Self { arn, pattern: pattern.to_string() }
    }
}

impl PackageGroupShape {
    pub(in crate::codeartifact) fn new(region: &str, domain: &Domain, lineage: &Lineage) -> Self {
        let group = lineage.group();
        let reference = |pattern: &PackageGroupPattern| Reference::new(region, domain, pattern);
        let restriction = |restriction: RestrictionType| {
            let effective: EffectiveRestriction<'_> = lineage.effective(restriction);
            Restriction {
                mode: effective.mode.as_aws(),
                effective_mode: effective.effective_mode.as_aws(),
                inherited_from: effective.inherited_from().map(reference),
                repositories_count: effective.repositories_count,
            }
        };
        let Reference { arn, pattern } = reference(&group.pattern);
        Self {
            arn,
            pattern,
            domain_name: domain.name.to_string(),
            domain_owner: domain.owner.to_string(),
            created_time: group.created_at.as_aws(),
            contact_info: group.contact_info.clone(),
            description: group.description.clone(),
            origin_configuration: OriginConfiguration {
                restrictions: Restrictions {
                    external_upstream: restriction(RestrictionType::ExternalUpstream),
                    internal_upstream: restriction(RestrictionType::InternalUpstream),
                    publish: restriction(RestrictionType::Publish),
                },
            },
            parent: lineage.parent().map(|parent| reference(&parent.pattern)),
        }
    }
}

/// What most operations on one package group answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct PackageGroupOutput {
    pub(in crate::codeartifact) package_group: PackageGroupShape,
}

/// What lists of package groups answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct PackageGroupsOutput {
    pub(in crate::codeartifact) package_groups: Vec<PackageGroupShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::codeartifact) next_token: Option<String>,
}

/// `AssociatedPackage`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct AssociatedPackageShape {
    #[serde(flatten)]
    coordinate: PackageCoordinate,
    association_type: &'static str,
}

impl AssociatedPackageShape {
    pub(in crate::codeartifact) fn new(key: &PackageKey, association: AssociationType) -> Self {
        Self { coordinate: PackageCoordinate::new(key), association_type: association.as_aws() }
    }
}
