//! `POST login` and `GET availability`.

use http::StatusCode;
use larder_http::{RepositoryRequest, response};

use crate::error::{CONTENT_VERSION, VERSION_1};
use crate::routes::{Answer, Routes};

impl Routes {
    /// Whoever gets here has shown a good token, and the repository is there; rights are asked for when they are needed.
    /// The body is not looked at.
    pub(crate) fn log_in(&self) -> Answer {
        ok()
    }

    /// Whether packages can be had.
    pub(crate) async fn get_availability(&self, request: &RepositoryRequest) -> Answer {
        request.may_read(&self.services.access).await?;
        self.services.store.ping().await?;
        ok()
    }
}

fn ok() -> Answer {
    let mut answer = response::content(StatusCode::OK, "application/json", "{}");
    answer.headers_mut().insert(CONTENT_VERSION, VERSION_1);
    Ok(answer)
}
