//! OpenID Connect providers.

use larder_core::access::IamTarget;
use larder_core::error::Result;
use larder_core::model::TagHolder;
use larder_http::Response;

use super::call::Call;
use super::shapes;

pub(super) async fn create(call: &Call<'_>) -> Result<Response> {
    let (url, tags) = (call.form.require("Url")?, call.tags()?);
    let owned = |list: &str| call.form.list(list).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let (clients, thumbprints) = (owned("ClientIDList"), owned("ThumbprintList"));
    let name = url.split_once("://").map_or(url, |(_, name)| name).trim_end_matches('/');
    let arn = format!("arn:aws:iam::{}:oidc-provider/{name}", call.account());
    let allowed = call.allow_tagged(IamTarget::Provider(arn), &tags).await?;
    let account = call.account().clone();
    let identities = call.identities();
    let provider =
        identities.create_identity_provider(&allowed, account, url, clients, thumbprints, tags.clone()).await?;
    call.answer(|xml| {
        xml.text("OpenIDConnectProviderArn", &provider.arn);
        shapes::tags(xml, &tags);
    })
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response> {
    let arn = call.provider_arn()?;
    let allowed = call.allow(IamTarget::Provider(arn.clone())).await?;
    let provider = call.identities().get_provider(&allowed, &arn).await?;
    let tags = call.identities().list_tags(&allowed, &TagHolder::Provider(arn)).await?;
    call.answer(|xml| {
        xml.text("Url", provider.url.split_once("://").map_or(&*provider.url, |(_, name)| name));
        xml.nested("ClientIDList", |xml| provider.client_ids.iter().for_each(|id| xml.text("member", id)));
        xml.nested("ThumbprintList", |xml| provider.thumbprints.iter().for_each(|text| xml.text("member", text)));
        xml.text("CreateDate", &provider.created_at.rfc3339());
        shapes::tags(xml, &tags);
    })
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response> {
    let allowed = call.allow(IamTarget::Any).await?;
    let arns = call.identities().list_providers(&allowed, call.account()).await?;
    call.answer(|xml| {
        xml.nested("OpenIDConnectProviderList", |xml| {
            arns.iter().for_each(|arn| xml.nested("member", |xml| xml.text("Arn", arn)));
        });
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response> {
    let arn = call.provider_arn()?;
    let allowed = call.allow(IamTarget::Provider(arn.clone())).await?;
    call.identities().delete_identity_provider(&allowed, arn).await?;
    call.done()
}

pub(super) async fn add_client(call: &Call<'_>) -> Result<Response> {
    set_client(call, true).await
}

pub(super) async fn remove_client(call: &Call<'_>) -> Result<Response> {
    set_client(call, false).await
}

async fn set_client(call: &Call<'_>, accepted: bool) -> Result<Response> {
    let arn = call.provider_arn()?;
    let client_id = call.form.require("ClientID")?.to_owned();
    let allowed = call.allow(IamTarget::Provider(arn.clone())).await?;
    call.identities().set_client(&allowed, arn, client_id, accepted).await?;
    call.done()
}

pub(super) async fn update_thumbprints(call: &Call<'_>) -> Result<Response> {
    let arn = call.provider_arn()?;
    let thumbprints = call.form.list("ThumbprintList").into_iter().map(str::to_owned).collect();
    let allowed = call.allow(IamTarget::Provider(arn.clone())).await?;
    call.identities().put_thumbprints(&allowed, arn, thumbprints).await?;
    call.done()
}
