//! The parameters that say what a session is given.

use std::time::Duration;

use larder_core::error::{Error, Result};
use larder_core::model::{RoleArn, SessionName};
use larder_core::services::{RequestedTag, SessionRequest};

use crate::query_protocol::Form;

/// `RoleArn`.
pub(super) fn role(form: &Form) -> Result<RoleArn> {
    RoleArn::parse(form.require("RoleArn")?).map_err(|invalid| invalid.in_field("roleArn"))
}

/// `DurationSeconds`.
pub(super) fn duration(form: &Form) -> Result<Option<Duration>> {
    let Some(text) = form.find("DurationSeconds") else { return Ok(None) };
    let seconds = text.parse().map_err(|_| {
        Error::validation("durationSeconds", format!("durationSeconds must be a number of seconds, not '{text}'"))
    })?;
    Ok(Some(Duration::from_secs(seconds)))
}

/// The parameters that AssumeRole and AssumeRoleWithWebIdentity share.
pub(super) fn common(form: &Form) -> Result<SessionRequest> {
    let policy_arns = form.structures("PolicyArns", ["arn"]);
    Ok(SessionRequest {
        duration: duration(form)?,
        policy: form.find("Policy").map(str::to_owned),
        policy_arns: policy_arns.into_iter().filter_map(|[arn]| arn.map(str::to_owned)).collect(),
        ..SessionRequest::new(name("RoleSessionName", form.require("RoleSessionName")?)?)
    })
}

/// The parameters of AssumeRole.
pub(super) fn full(form: &Form) -> Result<SessionRequest> {
    let tags = form.structures("Tags", ["Key", "Value"]).into_iter().map(|[key, value]| match (key, value) {
        (Some(key), Some(value)) => Ok(RequestedTag { key: key.to_owned(), value: value.to_owned() }),
        _ => Err(Error::validation("tags", "each tag has a Key and a Value")),
    });
    let source_identity = form.find("SourceIdentity").map(|text| name("SourceIdentity", text)).transpose()?;
    Ok(SessionRequest {
        tags: tags.collect::<Result<_>>()?,
        transitive_tag_keys: form.list("TransitiveTagKeys").into_iter().map(str::to_owned).collect(),
        source_identity,
        ..common(form)?
    })
}

fn name(parameter: &'static str, text: &str) -> Result<SessionName> {
    SessionName::new(text).map_err(|rule| Error::validation(parameter, format!("{parameter} {rule}")))
}
