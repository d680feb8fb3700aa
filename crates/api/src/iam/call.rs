//! One call of an operation: its parameters, who calls, and the answer's frame.

use larder_core::access::{Allowed, Caller, IamTarget, ServerTarget};
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{
    AccountId, AwsManagedPolicy, IdentityKind, IdentityName, Page, PageRequest, PageToken, PrincipalKind, Tag,
    UserName, check_identity_name, check_identity_path,
};
use larder_core::services::IdentityService;
use larder_http::Response;

use super::DIALECT;
use crate::api::Api;
use crate::query_protocol::{Form, Xml};

/// Items of a page unless the call says otherwise.
const PAGE: usize = 100;
/// The most items of a page.
const LARGEST_PAGE: usize = 1000;

/// A call.
pub(super) struct Call<'a> {
    pub(super) api: &'a Api,
    pub(super) caller: &'a Caller,
    pub(super) form: &'a Form,
    pub(super) operation: &'static str,
    pub(super) request_id: &'a str,
}

impl Call<'_> {
    pub(super) fn identities(&self) -> &IdentityService {
        &self.api.services.identities
    }

    /// The account that is administered: the caller's.
    pub(super) fn account(&self) -> &AccountId {
        &self.caller.principal.account
    }

    /// Whether the caller may do this to the target.
    pub(super) async fn allow(&self, target: IamTarget) -> Result<Allowed<ServerTarget>> {
        self.allow_with(target, &[]).await
    }

    /// As [`Call::allow`], with condition keys of the request.
    pub(super) async fn allow_with(
        &self,
        target: IamTarget,
        context: &[(String, Vec<String>)],
    ) -> Result<Allowed<ServerTarget>> {
        self.api.services.access.authorize_identity(self.caller, self.operation, &target, context).await
    }

    /// As [`Call::allow_with`], with the keys of the tags that the request brings.
    pub(super) async fn allow_tagged(&self, target: IamTarget, tags: &[Tag]) -> Result<Allowed<ServerTarget>> {
        let mut context: Vec<_> =
            tags.iter().map(|tag| (format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()])).collect();
        if !tags.is_empty() {
            context.push(("aws:TagKeys".to_owned(), tags.iter().map(|tag| tag.key.clone()).collect()));
        }
        self.allow_with(target, &context).await
    }

    /// The identity that a parameter such as `UserName` names.
    pub(super) fn name(&self, kind: IdentityKind) -> Result<IdentityName> {
        let parameter = match kind {
            IdentityKind::User => "UserName",
            IdentityKind::Group => "GroupName",
            IdentityKind::Role => "RoleName",
        };
        let name = self.form.require(parameter)?;
        check_identity_name(name, kind.longest_name())
            .map_err(|rule| Error::validation(parameter, format!("{parameter}: {rule}")))?;
        Ok(IdentityName { kind, account: self.account().clone(), name: name.to_owned() })
    }

    /// The user that `UserName` names, or the calling user without it.
    pub(super) fn user_or_caller(&self) -> Result<IdentityName> {
        if self.form.find("UserName").is_some() {
            return self.name(IdentityKind::User);
        }
        match &self.caller.principal.kind {
            PrincipalKind::User(user) => Ok(IdentityName {
                kind: IdentityKind::User,
                account: user.account.clone(),
                name: user.name.to_string(),
            }),
            _ => Err(Error::validation("userName", "Must specify userName when calling with non-User credentials")),
        }
    }

    /// Gives a user or group the name that this parameter holds, and `NewPath`. It takes the right to what it becomes, too.
    pub(super) async fn rename(
        &self,
        allowed: &Allowed<ServerTarget>,
        identity: IdentityName,
        parameter: &str,
    ) -> Result<Response> {
        let [name, path] = [parameter, "NewPath"].map(|parameter| self.form.find(parameter).map(str::to_owned));
        if name.is_some() || path.is_some() {
            let renamed =
                IdentityName { name: name.clone().unwrap_or_else(|| identity.name.clone()), ..identity.clone() };
            let path = match &path {
                Some(path) => path.clone(),
                None => self.identities().get_identity(allowed, &identity).await?.path,
            };
            self.allow(IamTarget::NewIdentity(renamed, path)).await?;
        }
        self.identities().rename(allowed, identity, name, path).await?;
        self.done()
    }

    /// `Path`, `/` without it.
    pub(super) fn path(&self) -> Result<String> {
        let path = self.form.find("Path").unwrap_or("/");
        check_identity_path(path).map_err(|rule| rule.in_field("path"))?;
        Ok(path.to_owned())
    }

    /// `PathPrefix`, `/` without it.
    pub(super) fn path_prefix(&self) -> Result<&str> {
        let prefix = self.form.find("PathPrefix").unwrap_or("/");
        if prefix.starts_with('/') && prefix.len() <= 512 && prefix.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(prefix);
        }
        Err(Error::validation("pathPrefix", "PathPrefix begins with '/' and has at most 512 visible ASCII characters"))
    }

    /// `PolicyArn`: a policy of the account or one that is built in. Others are not seen.
    pub(super) fn policy_arn(&self) -> Result<String> {
        let arn = self.form.require("PolicyArn")?;
        if !(20..=2048).contains(&arn.len()) || !arn.starts_with("arn:") {
            return Err(Error::validation("policyArn", format!("ARN {arn} is not valid.")));
        }
        let own = arn.starts_with(&format!("arn:aws:iam::{}:policy/", self.account()));
        if own || AwsManagedPolicy::find(arn).is_some() {
            return Ok(arn.to_owned());
        }
        Err(Error::not_found(ResourceType::Other, arn, format!("Policy {arn} was not found.")))
    }

    /// `OpenIDConnectProviderArn`: one of the account. Others are not seen.
    pub(super) fn provider_arn(&self) -> Result<String> {
        let arn = self.form.require("OpenIDConnectProviderArn")?;
        if !(20..=2048).contains(&arn.len()) || !arn.starts_with("arn:") {
            return Err(Error::validation("openIDConnectProviderArn", format!("ARN {arn} is not valid.")));
        }
        if arn.starts_with(&format!("arn:aws:iam::{}:oidc-provider/", self.account())) {
            return Ok(arn.to_owned());
        }
        Err(Error::not_found(ResourceType::Other, arn, format!("OpenIDConnect Provider not found for arn {arn}")))
    }

    /// `Tags`. No key may come twice.
    pub(super) fn tags(&self) -> Result<Vec<Tag>> {
        let mut tags: Vec<Tag> = Vec::new();
        for [key, value] in self.form.structures("Tags", ["Key", "Value"]) {
            let (Some(key), Some(value)) = (key, value) else {
                return Err(Error::validation("tags", "each tag has a Key and a Value"));
            };
            if tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key)) {
                return Err(Error::validation(
                    "tags",
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            tags.push(Tag::new(key, value).map_err(|rule| rule.in_field("tags"))?);
        }
        if tags.len() > 50 {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                resource_id: String::new(),
                message: "The number of tags has reached the maximum limit: 50".to_owned(),
            });
        }
        Ok(tags)
    }

    /// A parameter that is `true` or `false`.
    pub(super) fn flag(&self, parameter: &'static str) -> Result<bool> {
        match self.form.find(parameter) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Error::validation(parameter, format!("{parameter} is true or false"))),
        }
    }

    /// Refuses what would be ignored: a boundary that is not kept is worse than none.
    pub(super) fn refuse_boundary(&self) -> Result<()> {
        if self.form.find("PermissionsBoundary").is_some() {
            let message = "permissions boundaries are not supported; leave PermissionsBoundary out";
            return Err(Error::validation("permissionsBoundary", message));
        }
        Ok(())
    }

    /// `MaxItems` and `Marker`.
    pub(super) fn page(&self) -> Result<PageRequest> {
        let limit = match self.form.find("MaxItems") {
            Some(text) => text.parse().ok().filter(|size| (1..=LARGEST_PAGE).contains(size)).ok_or_else(|| {
                Error::validation("maxItems", format!("MaxItems is a number between 1 and {LARGEST_PAGE}"))
            })?,
            None => PAGE,
        };
        let after = self.form.find("Marker").map(|text| self.position(text)).transpose()?;
        Ok(PageRequest { limit, after })
    }

    fn position(&self, marker: &str) -> Result<PageToken> {
        let invalid = || Error::validation("marker", "Invalid Marker; repeat the call without it");
        let PageToken(mut keys) = PageToken::decode(marker).map_err(|_| invalid())?;
        if keys.first().map(String::as_str) != Some(self.operation) {
            return Err(invalid());
        }
        keys.remove(0);
        Ok(PageToken(keys))
    }

    /// A page of a short list that is there whole, in the order of its keys.
    pub(super) fn window<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String) -> Result<Page<T>> {
        let page = self.page()?;
        let rest = items.into_iter().filter(|item| page.after.is_none() || *key(item) > *page.key(0)).collect();
        Ok(Page::cut(rest, page.limit, |item| vec![key(item)]))
    }

    /// The answer: what `content` writes.
    pub(super) fn answer(&self, content: impl FnOnce(&mut Xml)) -> Result<Response> {
        Ok(DIALECT.answer(self.operation, self.request_id, content))
    }

    /// The answer of operations that answer nothing.
    pub(super) fn done(&self) -> Result<Response> {
        self.answer(|_| {})
    }

    /// The answer of a list: its members, and where it goes on.
    pub(super) fn answer_page<T>(&self, list: &str, page: Page<T>, write: impl Fn(&mut Xml, &T)) -> Result<Response> {
        self.answer(|xml| {
            xml.nested(list, |xml| page.items.iter().for_each(|item| write(xml, item)));
            self.write_next(xml, page.next);
        })
    }

    /// `IsTruncated` and `Marker`.
    pub(super) fn write_next(&self, xml: &mut Xml, next: Option<PageToken>) {
        xml.text("IsTruncated", if next.is_some() { "true" } else { "false" });
        if let Some(PageToken(keys)) = next {
            let keys = std::iter::once(self.operation.to_owned()).chain(keys).collect();
            xml.text("Marker", &PageToken(keys).encode());
        }
    }
}

/// The type that keys and users' own services take.
pub(super) fn user_name(name: &IdentityName) -> Result<UserName> {
    UserName::new(name.name.as_str()).map_err(|rule| rule.in_field("userName"))
}
