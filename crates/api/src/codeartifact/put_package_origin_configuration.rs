//! `POST /v1/package`: PutPackageOriginConfiguration.

use larder_core::error::Result;
use larder_core::model::OriginRestrictions;
use larder_http::Response;
use serde::{Deserialize, Serialize};

use super::address::PackageAddress;
use super::body;
use super::call::{Call, answer};
use super::query::{missing, parse_enum};
use super::shapes::{ALLOW_PUBLISH, ALLOW_UPSTREAM, OriginConfigurationShape};

#[derive(Deserialize)]
struct Body {
    restrictions: Option<Restrictions>,
}

#[derive(Deserialize)]
struct Restrictions {
    publish: Option<String>,
    upstream: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    origin_configuration: OriginConfigurationShape,
}

pub(super) fn parse(body: &[u8]) -> Result<OriginRestrictions> {
    let Body { restrictions } = body::parse(body)?;
    let Restrictions { publish, upstream } = restrictions.ok_or_else(|| missing("restrictions"))?;
    Ok(OriginRestrictions {
        publish: body::get("restrictions.publish", publish.as_deref(), |text| parse_enum(ALLOW_PUBLISH, text))?,
        upstream: body::get("restrictions.upstream", upstream.as_deref(), |text| parse_enum(ALLOW_UPSTREAM, text))?,
    })
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageAddress::parse(&call.query)?;
    let restrictions = parse(&call.body)?;
    let allowed = call.authorize_package(&address).await?;
    let stored = call.services.packages.put_origin_configuration(&allowed, restrictions).await?;
    Ok(answer(&Output { origin_configuration: OriginConfigurationShape::new(stored) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_settings_must_be_given() {
        assert_eq!(
            parse(br#"{"restrictions":{"publish":"ALLOW","upstream":"BLOCK"}}"#).unwrap(),
            OriginRestrictions::PUBLISHED
        );
        for bad in [
            "{}",
            r#"{"restrictions":{}}"#,
            r#"{"restrictions":{"publish":"ALLOW"}}"#,
            r#"{"restrictions":{"publish":"ALLOW","upstream":"INHERIT"}}"#,
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
