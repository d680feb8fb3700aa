//! Managed policies and their versions.

use larder_core::access::IamTarget;
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{Page, PageRequest, PageToken, TagHolder};
use larder_core::services::NewManagedPolicy;
use larder_http::Response;

use super::call::Call;
use super::shapes;

/// Which list a marker of ListPolicies is in.
const BUILT_IN: &str = "AWS";
const OWN: &str = "Local";

/// Reads `VersionId`: `v` and a number.
fn version_number(call: &Call<'_>) -> Result<u32> {
    let text = call.form.require("VersionId")?;
    let number = text.strip_prefix('v').filter(|digits| !digits.starts_with(['0', '+']));
    number.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        Error::validation("versionId", format!("VersionId '{text}' is not v and the number of a version"))
    })
}

pub(super) async fn create(call: &Call<'_>) -> Result<Response> {
    let new = NewManagedPolicy {
        account: call.account().clone(),
        path: call.path()?,
        name: call.form.require("PolicyName")?.to_owned(),
        description: call.form.find("Description").unwrap_or_default().to_owned(),
        document: call.form.require("PolicyDocument")?.to_owned(),
        tags: call.tags()?,
    };
    let tags = new.tags.clone();
    let allowed = call.allow_tagged(IamTarget::Policy(new.arn()), &tags).await?;
    let policy = call.identities().create_policy(&allowed, new).await?;
    call.answer(|xml| {
        xml.nested("Policy", |xml| {
            shapes::policy(xml, &policy);
            shapes::tags(xml, &tags);
        });
    })
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response> {
    let arn = call.policy_arn()?;
    let allowed = call.allow(IamTarget::Policy(arn.clone())).await?;
    let policy = call.identities().get_policy(&allowed, call.account(), &arn).await?;
    let tags = call.identities().list_tags(&allowed, &TagHolder::Policy(arn)).await?;
    call.answer(|xml| {
        xml.nested("Policy", |xml| {
            shapes::policy(xml, &policy);
            xml.optional("Description", Some(&*policy.description).filter(|text| !text.is_empty()));
            shapes::tags(xml, &tags);
        });
    })
}

/// Those that are built in come first. A marker is which of the two the last one was of, and its name.
pub(super) async fn list(call: &Call<'_>) -> Result<Response> {
    let (prefix, page, attached) = (call.path_prefix()?, call.page()?, call.flag("OnlyAttached")?);
    let (own, built_in) = match call.form.find("Scope").unwrap_or("All") {
        "All" => (true, true),
        "AWS" => (false, true),
        "Local" => (true, false),
        _ => return Err(Error::validation("scope", "Scope is All, AWS or Local")),
    };
    let boundary = call.form.find("PolicyUsageFilter") == Some("PermissionsBoundary");
    let allowed = call.allow(IamTarget::Any).await?;
    let position = |which: &str, name: &str| Some(PageToken(vec![which.to_owned(), name.to_owned()]));
    let mut found = Page { items: Vec::new(), next: None };
    if built_in && page.key(0) != OWN {
        let mut all = call.identities().list_built_in(&allowed, call.account()).await?;
        all.retain(|policy| *policy.name > *page.key(1));
        found = Page::cut(all, page.limit, |policy| vec![BUILT_IN.to_owned(), policy.name.clone()]);
    }
    if own && found.next.is_none() {
        let after = if page.key(0) == OWN { page.key(1) } else { "" };
        let limit = page.limit.saturating_sub(found.items.len());
        if limit == 0 {
            found.next = position(OWN, "");
        } else {
            let rest = PageRequest { limit, after: Some(PageToken(vec![after.to_owned()])) };
            let more = call.identities().list_policies(&allowed, call.account(), prefix, &rest).await?;
            found.items.extend(more.items);
            found.next = more.next.as_ref().and_then(|token| token.0.first()).and_then(|name| position(OWN, name));
        }
    }
    found.items.retain(|policy| !boundary && policy.path.starts_with(prefix) && (!attached || policy.attachments > 0));
    call.answer_page("Policies", found, |xml, policy| xml.nested("member", |xml| shapes::policy(xml, policy)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response> {
    let arn = call.policy_arn()?;
    let allowed = call.allow(IamTarget::Policy(arn.clone())).await?;
    call.identities().delete_policy(&allowed, arn).await?;
    call.done()
}

pub(super) async fn create_version(call: &Call<'_>) -> Result<Response> {
    let (arn, default) = (call.policy_arn()?, call.flag("SetAsDefault")?);
    let document = call.form.require("PolicyDocument")?.to_owned();
    let allowed = call.allow(IamTarget::Policy(arn.clone())).await?;
    let version = call.identities().create_policy_version(&allowed, arn, document, default).await?;
    let current = if default { version.number } else { 0 };
    call.answer(|xml| xml.nested("PolicyVersion", |xml| shapes::policy_version(xml, &version, current, false)))
}

pub(super) async fn get_version(call: &Call<'_>) -> Result<Response> {
    let (arn, number) = (call.policy_arn()?, version_number(call)?);
    let allowed = call.allow(IamTarget::Policy(arn.clone())).await?;
    let (policy, versions) = call.identities().list_policy_versions(&allowed, call.account(), &arn).await?;
    let version = versions.iter().find(|version| version.number == number).ok_or_else(|| {
        let message = format!("Policy {arn} version v{number} does not exist or is not attachable.");
        Error::not_found(ResourceType::Other, &arn, message)
    })?;
    call.answer(|xml| {
        xml.nested("PolicyVersion", |xml| shapes::policy_version(xml, version, policy.default_version, true));
    })
}

pub(super) async fn list_versions(call: &Call<'_>) -> Result<Response> {
    let arn = call.policy_arn()?;
    let allowed = call.allow(IamTarget::Policy(arn.clone())).await?;
    let (policy, versions) = call.identities().list_policy_versions(&allowed, call.account(), &arn).await?;
    // Newest first: keys that rise as the numbers fall.
    let page = call.window(versions, |version| format!("{:010}", u32::MAX - version.number))?;
    call.answer_page("Versions", page, |xml, version| {
        xml.nested("member", |xml| shapes::policy_version(xml, version, policy.default_version, false));
    })
}

pub(super) async fn set_default_version(call: &Call<'_>) -> Result<Response> {
    let (arn, number) = (call.policy_arn()?, version_number(call)?);
    let allowed = call.allow(IamTarget::Policy(arn.clone())).await?;
    call.identities().set_default_policy_version(&allowed, arn, number).await?;
    call.done()
}

pub(super) async fn delete_version(call: &Call<'_>) -> Result<Response> {
    let (arn, number) = (call.policy_arn()?, version_number(call)?);
    let allowed = call.allow(IamTarget::Policy(arn.clone())).await?;
    call.identities().delete_policy_version(&allowed, arn, number).await?;
    call.done()
}
