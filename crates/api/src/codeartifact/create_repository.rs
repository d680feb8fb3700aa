//! `POST /v1/repository`: CreateRepository.

use larder_core::access::{Action, DomainTarget, NewRepositoryTarget};
use larder_core::error::Result;
use larder_core::model::{RepositoryName, Tag};
use larder_core::services::RepositorySettings;
use larder_http::Response;
use serde::Deserialize;

use super::address::RepositoryAddress;
use super::body::{self, BodyTag};
use super::call::{Call, answer};
use super::shapes::{RepositoryOutput, RepositoryShape};
use super::tagged::authorize_with_tags;
use super::upstreams::{self, BodyUpstream};

#[derive(Debug)]
pub(super) struct Input {
    description: Option<String>,
    upstreams: Vec<RepositoryName>,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Body {
    description: Option<String>,
    upstreams: Option<Vec<BodyUpstream>>,
    tags: Option<Vec<BodyTag>>,
}

impl Input {
    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let Body { description, upstreams, tags } = body::parse(body)?;
        Ok(Self {
            description: body::get_optional("description", description.as_deref(), body::parse_description)?,
            upstreams: upstreams::parse(upstreams.unwrap_or_default())?,
            tags: body::tags(tags)?,
        })
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = RepositoryAddress::parse(&call.query)?;
    let Input { description, upstreams, tags } = Input::parse(&call.body)?;
    let domain = call.domain(&address.domain).await?;
    if *call.account() != domain.owner {
        // Another account also needs the domain's consent (reference 5.4).
        call.authorize_also(Action::CreateRepository, DomainTarget { domain: domain.clone() }).await?;
    }
    let target = NewRepositoryTarget { domain: domain.clone(), name: address.name };
    let allowed = authorize_with_tags(call, Action::CreateRepository, target, &tags).await?;
    let upstreams = upstreams::authorize(call, &domain, &allowed.target().name, &upstreams).await?;
    let settings = RepositorySettings { description, upstreams, tags };
    let created = call.services.repositories.create(&allowed, settings).await?;
    Ok(answer(&RepositoryOutput { repository: RepositoryShape::new(call.services.access.region(), &created) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_upstreams_and_tags_come_in_the_body() {
        let input = Input::parse(
            br#"{"description":"team repo","upstreams":[{"repositoryName":"b1"},{"repositoryName":"a1"}],
                 "tags":[{"key":"k","value":"v"}]}"#,
        )
        .unwrap();
        assert_eq!(input.description.as_deref(), Some("team repo"));
        assert_eq!(input.upstreams.iter().map(RepositoryName::as_str).collect::<Vec<_>>(), ["b1", "a1"]);
        assert_eq!(input.tags.len(), 1);
        assert!(Input::parse(b"").unwrap().upstreams.is_empty());
    }

    #[test]
    fn bad_members_are_refused() {
        for body in [
            r#"{"upstreams":[{}]}"#,
            r#"{"upstreams":[{"repositoryName":"/"}]}"#,
            r#"{"upstreams":["a1"]}"#,
            r#"{"description":"\u0000"}"#,
        ] {
            assert!(Input::parse(body.as_bytes()).is_err(), "{body}");
        }
    }
}
