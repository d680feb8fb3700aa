//! `PUT /v1/repository`: UpdateRepository.

use larder_core::error::Result;
use larder_core::model::RepositoryName;
use larder_core::services::RepositoryUpdate;
use larder_http::Response;
use serde::Deserialize;

use super::address::RepositoryAddress;
use super::body;
use super::call::{Call, answer};
use super::shapes::{RepositoryOutput, RepositoryShape};
use super::upstreams::{self, BodyUpstream};

#[derive(Debug)]
pub(super) struct Input {
    description: Option<String>,
    /// `None` leaves the list as it is, an empty one removes all.
    upstreams: Option<Vec<RepositoryName>>,
}

#[derive(Deserialize)]
struct Body {
    description: Option<String>,
    upstreams: Option<Vec<BodyUpstream>>,
}

impl Input {
    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let Body { description, upstreams } = body::parse(body)?;
        Ok(Self {
            description: body::get_optional("description", description.as_deref(), body::parse_description)?,
            upstreams: upstreams.map(upstreams::parse).transpose()?,
        })
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = RepositoryAddress::parse(&call.query)?;
    let Input { description, upstreams } = Input::parse(&call.body)?;
    let allowed = call.authorize_repository(&address).await?;
    let upstreams = match upstreams {
        Some(names) => Some(upstreams::authorize(call, &allowed.target().domain, &address.name, &names).await?),
        None => None,
    };
    let update = RepositoryUpdate { description, upstreams };
    let updated = call.services.repositories.update(&allowed, update).await?;
    Ok(answer(&RepositoryOutput { repository: RepositoryShape::new(call.services.access.region(), &updated) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_upstreams_stay_and_an_empty_list_removes_all() {
        assert!(Input::parse(br#"{"description":"x"}"#).unwrap().upstreams.is_none());
        assert_eq!(Input::parse(br#"{"upstreams":[]}"#).unwrap().upstreams.unwrap(), []);
        let some = Input::parse(br#"{"upstreams":[{"repositoryName":"npm-store"}]}"#).unwrap();
        assert_eq!(some.upstreams.unwrap()[0].as_str(), "npm-store");
        assert!(some.description.is_none());
    }
}
