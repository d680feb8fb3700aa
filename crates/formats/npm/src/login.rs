//! Who am I, and tokens (protocols 1.5). Users and their keys belong to IAM; npm's login exchanges an access key, or an
//! authorization token, for a token of its own.

use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use larder_core::access::{AccountTarget, Action, Caller, DomainTarget, RepositoryTarget, Via};
use larder_core::model::{AuthorizationToken, PageRequest, PageToken, TokenId};
use larder_core::services::{Client, DEFAULT_LIFETIME, SHORTEST_LIFETIME, TokenOptions};
use larder_http::{AnonymousRequest, RepositoryRequest, RequestBody, RequestPath, Response, response};
use serde_json::{Value, json};

use crate::error::NpmError;
use crate::routes::{Answer, Routes};
use crate::wire::{Login, NewToken};

/// A login or token request.
const BODY_LIMIT_BYTES: u64 = 64 << 10;
/// Tokens per page of the list.
const PAGE_SIZE: usize = 100;

/// Whether this is a login, which brings its own proof of who is there.
pub(crate) fn is_login(method: &Method, path: &RequestPath) -> bool {
    matches!(&path.as_strs()[..], ["-", "user", user] if method == Method::PUT && user.starts_with("org.couchdb.user:"))
}

impl Routes {
    /// `GET /-/whoami`
    pub(crate) fn whoami(&self, request: &RepositoryRequest) -> Response {
        response::json(StatusCode::OK, &json!({"username": request.caller.principal.name()}))
    }

    /// `GET /-/npm/v1/user`
    pub(crate) fn profile(&self, request: &RepositoryRequest) -> Response {
        let profile = json!({
            "tfa": false, "name": request.caller.principal.name(), "email": "", "email_verified": false,
            "created": Value::Null, "updated": Value::Null, "fullname": "", "homepage": "", "freenode": "",
            "twitter": "", "github": "",
        });
        response::json(StatusCode::OK, &profile)
    }

    /// `PUT /-/user/org.couchdb.user:{name}`
    pub(crate) async fn log_in(&self, request: AnonymousRequest) -> Answer {
        let AnonymousRequest { headers, body, target, address, secure_transport, request_id, .. } = request;
        let body = body.collect_decoded(&headers, BODY_LIMIT_BYTES).await?;
        let Login { name, password } = serde_json::from_slice(&body)
            .map_err(|_| NpmError::bad_request("the body must have the name and the password of the user"))?;
        let client = Client { address, secure_transport, request_id: &request_id };
        let tokens = &self.services.tokens;
        let caller = tokens.authenticate_password(&target.domain.owner, &name, &password, &client).await?;
        let Some(caller) = caller else {
            let message = "the password must be a secret access key of that user, or an authorization token";
            return Err(NpmError::new(StatusCode::UNAUTHORIZED, message));
        };
        let options = TokenOptions { label: "npm login".to_owned(), read_only: false };
        let (text, token) = self.issue(&caller, &target, options).await?;
        let id = format!("org.couchdb.user:{}", caller.principal.name());
        let body = json!({"ok": true, "id": id, "rev": "1-0", "token": text});
        Ok(noticed(response::json(StatusCode::CREATED, &body), &token))
    }

    /// `DELETE /-/user/token/{token}`
    pub(crate) async fn logout(&self, request: &RepositoryRequest, token: &str) -> Answer {
        self.services.tokens.revoke_text(&request.caller, token).await?;
        Ok(response::json(StatusCode::OK, &json!({"ok": true})))
    }

    /// `GET /-/npm/v1/tokens`
    pub(crate) async fn list_tokens(&self, request: &RepositoryRequest) -> Answer {
        let query = request.query.as_deref().unwrap_or_default();
        let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
        let after =
            after.map(PageToken::decode).transpose().map_err(|error| NpmError::bad_request(error.to_string()))?;
        let page = PageRequest { limit: PAGE_SIZE, after };
        let page = self.services.tokens.list(&request.caller, &page).await?;
        let next = page.next.map(|next| format!("{}/-/npm/v1/tokens?after={}", request.base, next.encode()));
        let objects: Vec<Value> = page.items.iter().map(shown).collect();
        let urls = next.map_or_else(|| json!({}), |next| json!({"next": next}));
        Ok(response::json(StatusCode::OK, &json!({"objects": objects, "urls": urls})))
    }

    /// `POST /-/npm/v1/tokens`. npm asks for the password again.
    pub(crate) async fn create_token(&self, request: &RepositoryRequest, body: RequestBody) -> Answer {
        let body = body.collect_decoded(&request.headers, BODY_LIMIT_BYTES).await?;
        let wanted: NewToken = serde_json::from_slice(&body)
            .map_err(|error| NpmError::bad_request(format!("the body is not a request for a token: {error}")))?;
        if wanted.cidr_whitelist.is_some_and(|ranges| !ranges.is_empty()) {
            let message = "limit addresses with the condition aws:SourceIp in an IAM policy instead of --cidr";
            return Err(NpmError::bad_request(message));
        }
        let client = Client {
            address: request.caller.address,
            secure_transport: request.caller.secure_transport,
            request_id: &request.caller.request_id,
        };
        let name = request.caller.principal.name();
        let account = &request.caller.principal.account;
        let proven = self.services.tokens.authenticate_password(account, name, &wanted.password, &client).await?;
        let Some(proven) = proven.filter(|proven| proven.principal == request.caller.principal) else {
            let message = "the password must be a secret access key of yours, or an authorization token";
            return Err(NpmError::new(StatusCode::UNAUTHORIZED, message));
        };
        let options = TokenOptions { label: wanted.name.unwrap_or_default(), read_only: wanted.readonly };
        let (text, token) = self.issue(&proven, &request.target, options).await?;
        let mut body = shown(&token);
        body["token"] = Value::from(text);
        Ok(noticed(response::json(StatusCode::OK, &body), &token))
    }

    /// `DELETE /-/npm/v1/tokens/token/{key}`
    pub(crate) async fn revoke_token(&self, request: &RepositoryRequest, key: &str) -> Answer {
        self.services.tokens.revoke(&request.caller, TokenId(key.to_owned())).await?;
        Ok(response::empty(StatusCode::NO_CONTENT))
    }

    /// Issues a token for the domain, with the rights that `GetAuthorizationToken` needs. One that was obtained with
    /// another token does not outlive it.
    async fn issue(
        &self,
        caller: &Caller,
        target: &RepositoryTarget,
        options: TokenOptions,
    ) -> Result<(String, AuthorizationToken), NpmError> {
        let lifetime = match &caller.via {
            Via::Token { expires_at, .. } => {
                let left = expires_at.since(self.services.clock.now());
                left.saturating_sub(Duration::from_secs(1)).min(DEFAULT_LIFETIME)
            }
            _ => DEFAULT_LIFETIME,
        };
        if lifetime < SHORTEST_LIFETIME {
            let message = "the token that you log in with ends too soon; use a secret access key";
            return Err(NpmError::new(StatusCode::FORBIDDEN, message));
        }
        let access = &self.services.access;
        let domain = DomainTarget { domain: std::sync::Arc::clone(&target.domain) };
        let allowed = access.authorize(caller, Action::GetAuthorizationToken, domain).await?;
        let context = [("sts:DurationSeconds".to_owned(), vec![lifetime.as_secs().to_string()])];
        access.authorize_with(caller, Action::GetServiceBearerToken, AccountTarget, &context).await?;
        Ok(self.services.tokens.issue(&allowed, caller, lifetime, options).await?)
    }
}

/// A token in a list: its key stands for its text, of which nothing is kept.
fn shown(token: &AuthorizationToken) -> Value {
    let created = token.created_at.rfc3339();
    json!({
        "key": token.id.0, "token": token.id.0.get(..6).unwrap_or(&token.id.0), "name": token.label,
        "cidr_whitelist": Value::Null, "readonly": token.read_only, "created": created, "updated": created,
        "expires": token.expires_at.rfc3339(),
    })
}

/// npm prints `npm-notice`: tokens of other registries do not end by themselves.
fn noticed(mut response: Response, token: &AuthorizationToken) -> Response {
    if let Ok(notice) = HeaderValue::from_str(&format!("this token is valid until {}", token.expires_at)) {
        response.headers_mut().insert(HeaderName::from_static("npm-notice"), notice);
    }
    response
}
