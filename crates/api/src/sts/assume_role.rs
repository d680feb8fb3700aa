//! `Action=AssumeRole`.

use larder_core::access::Caller;
use larder_core::error::Error;
use larder_core::services::{AssumeRole, StsError};
use larder_http::Response;

use super::{Call, DIALECT, credentials, session_request};

pub(super) async fn handle(call: &Call<'_>, caller: &Caller) -> Result<Response, StsError> {
    let form = call.form;
    if form.find("SerialNumber").is_some() || form.find("TokenCode").is_some() {
        return Err(Error::validation("serialNumber", "there are no MFA devices here").into());
    }
    let asked = AssumeRole {
        role: session_request::role(form)?,
        session: session_request::full(form)?,
        external_id: external_id(form.find("ExternalId"))?,
    };
    let assumed = call.api.services.sts.assume_role(caller, &asked).await?;
    Ok(DIALECT.answer("AssumeRole", call.request_id, |xml| credentials::write_assumed(xml, &assumed)))
}

/// 2 to 1224 letters, digits and any of `_+=,.@:/-`.
fn external_id(text: Option<&str>) -> Result<Option<String>, Error> {
    let body = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
    match text {
        Some(text) if !(2..=1224).contains(&text.len()) || !text.bytes().all(body) => {
            Err(Error::validation("externalId", "externalId has 2 to 1224 letters, digits and any of _+=,.@:/-"))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_ids_follow_the_pattern() {
        assert_eq!(external_id(None).unwrap(), None);
        assert_eq!(external_id(Some("a/b:c")).unwrap().as_deref(), Some("a/b:c"));
        for bad in ["", "a", "a b", "a*", &"a".repeat(1225)] {
            assert!(external_id(Some(bad)).is_err(), "{bad}");
        }
    }
}
