//! The index (protocols 7.1) and the page for people who have no token yet (7.2).

use http::StatusCode;
use larder_core::services::Rendered;
use larder_http::{AnonymousRequest, RepositoryRequest, Response, answer_document, answer_text, response};

use crate::index;
use crate::routes::{Answer, Routes, known};
use crate::wire::Config;

impl Routes {
    /// `GET config.json`: asked for by every cargo command, first without a token.
    pub(crate) async fn get_config(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let base = &request.base;
        // Nothing is read without a token here, so cargo is to send it with index and downloads, too.
        let config = Config { dl: format!("{base}/api/v1/crates"), api: Some(base.clone()), auth_required: true };
        let body = serde_json::to_vec(&config).map_err(larder_core::Error::internal)?.into();
        let config = Rendered { content_type: "application/json", body, last_modified: None, headers: Vec::new() };
        Ok(answer_text(&allowed, &request.method, &request.headers, config, None))
    }

    /// `GET {prefix}/{crate}`
    pub(crate) async fn get_index_file(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let document = self.services.index.document(&allowed, &known(name)?, "index", index::render).await?;
        Ok(answer_document(&allowed, &request.method, &request.headers, &document))
    }
}

/// `GET me`: where `cargo login` sends people.
pub(crate) fn how_to_log_in(request: &AnonymousRequest) -> Response {
    let (domain, repository) = (&request.target.domain, &request.target.repository);
    let text = format!(
        "Crates of repository '{repository}' in domain '{domain}' are read and published with an authorization token:\n\
         \n\
         \x20 aws codeartifact get-authorization-token --domain {domain} --domain-owner {owner} \\\n\
         \x20   --query authorizationToken --output text\n\
         \n\
         Give it to 'cargo login --registry NAME', or let cargo ask for it each time: put into .cargo/config.toml\n\
         \n\
         \x20 [registries.NAME]\n\
         \x20 index = \"sparse+{base}/\"\n\
         \x20 credential-provider = \"cargo:token-from-stdout aws codeartifact get-authorization-token \
         --domain {domain} --domain-owner {owner} --query authorizationToken --output text\"",
        repository = repository.name,
        domain = domain.name,
        owner = domain.owner,
        base = request.base,
    );
    response::text(StatusCode::OK, &text)
}
