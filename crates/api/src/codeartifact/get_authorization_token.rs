//! `POST /v1/authorization-token`: GetAuthorizationToken (reference 5.1).

use std::time::Duration;

use larder_core::access::{AccountTarget, Action};
use larder_core::error::{Invalid, Result};
use larder_core::services::{DEFAULT_LIFETIME, SHORTEST_LIFETIME, TokenOptions};
use larder_http::Response;
use serde::Serialize;

use super::address::DomainAddress;
use super::call::{Call, answer};
use super::operations::param;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    authorization_token: String,
    expiration: f64,
}

/// Reads a lifetime. Zero stands for the rest of the caller's session; access keys have none and get the default.
pub(super) fn parse_duration(text: &str) -> Result<Duration, Invalid> {
    let allowed = |lifetime: &Duration| lifetime.is_zero() || (SHORTEST_LIFETIME..=DEFAULT_LIFETIME).contains(lifetime);
    text.parse().ok().map(Duration::from_secs).filter(allowed).ok_or_else(|| {
        let (shortest, longest) = (SHORTEST_LIFETIME.as_secs(), DEFAULT_LIFETIME.as_secs());
        Invalid::new(format!("Member must be 0 or a number of seconds between {shortest} and {longest}"))
    })
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = DomainAddress::parse(&call.query)?;
    let duration = call.query.get_optional(param::DURATION, parse_duration)?.unwrap_or(DEFAULT_LIFETIME);
    let allowed = call.authorize_domain(&address).await?;
    let context = [("sts:DurationSeconds".to_owned(), vec![duration.as_secs().to_string()])];
    let access = &call.services.access;
    access.authorize_with(call.caller, Action::GetServiceBearerToken, AccountTarget, &context).await?;
    let (text, token) = call.services.tokens.issue(&allowed, call.caller, duration, TokenOptions::default()).await?;
    Ok(answer(&Output { authorization_token: text, expiration: token.expires_at.as_aws() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_live_15_minutes_to_12_hours_or_as_long_as_the_session() {
        for good in ["0", "900", "901", "43200"] {
            assert!(parse_duration(good).is_ok(), "{good}");
        }
        for bad in ["", "1", "899", "43201", "-900", "12h", "900.5", "99999999999999999999999"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
