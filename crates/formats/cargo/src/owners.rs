//! `api/v1/crates/{crate}/owners` (protocols 7.3), answered honestly: who may publish is decided by IAM and resource
//! policies, which cargo can neither list nor change.

use http::StatusCode;
use larder_core::access::Action;
use larder_http::{RepositoryRequest, response};

use crate::error::CargoError;
use crate::routes::{Answer, Routes, known};
use crate::wire::{Done, Owner, OwnerChange, Owners};

/// A list of logins is shorter.
const BODY_LIMIT_BYTES: u64 = 64 << 10;

impl Routes {
    /// The caller, if it may publish the crate. Who else may is not for it to know.
    pub(crate) async fn get_owners(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let key = known(name)?;
        self.services.index.view(&allowed, &key).await?;
        let mut users = Vec::new();
        if request.may(&self.services.access, Action::PublishPackageVersion, key).await.is_ok() {
            let login = request.caller.principal.name().to_owned();
            users.push(Owner { id: 1, login, name: Some("you, by policy; others may publish, too".to_owned()) });
        }
        Ok(response::json(StatusCode::OK, &Owners { users }))
    }

    /// Says yes to what is so already, and else no.
    pub(crate) async fn change_owners(&self, mut request: RepositoryRequest, name: &str, adds: bool) -> Answer {
        let body = request.take_body();
        let key = known(name)?;
        request.may(&self.services.access, Action::PublishPackageVersion, key.clone()).await?;
        let change: OwnerChange = serde_json::from_slice(&body.collect(BODY_LIMIT_BYTES).await?)
            .map_err(|error| CargoError::bad_request(format!("the body is not {{\"users\": […]}}: {error}")))?;
        let allowed = request.may_read(&self.services.access).await?;
        self.services.index.view(&allowed, &key).await?;
        let caller = request.caller.principal.name();
        if adds && change.users.iter().all(|user| user == caller) {
            let msg = format!("user {caller} may publish crate '{name}' already, by policy");
            return Ok(response::json(StatusCode::OK, &Done { ok: true, msg: Some(msg) }));
        }
        Err(CargoError::new(
            StatusCode::FORBIDDEN,
            format!(
                "crate '{name}' has no list of owners: who may publish it is decided by the policies of users, of the \
                 domain and of repository '{}'; change those instead",
                request.target.repository.name
            ),
        ))
    }
}
