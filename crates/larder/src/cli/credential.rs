//! `larder credential`: a new authorization token, in the form that a client's helper prints.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use larder_core::model::PackageFormat;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DataOptions, Failure, Outcome, block_on};
use crate::connect::{Account, Token};

/// Print an authorization token for a client that runs a helper.
#[derive(Debug, Subcommand)]
pub(super) enum CredentialCommand {
    /// The token alone.
    Token(DomainOptions),
    /// The value of an Authorization header (pnpm's tokenHelper).
    Header(DomainOptions),
    /// For the credential-provider of cargo's configuration: what cargo runs with it speaks cargo's protocol.
    Cargo(CargoOptions),
}

/// Which domain the token is for.
#[derive(Debug, Clone, Args)]
pub(super) struct DomainOptions {
    #[arg(long)]
    domain: String,
    /// The account that owns the domain, if it is not the caller's.
    #[arg(long, value_name = "ACCOUNT")]
    domain_owner: Option<String>,
    #[command(flatten)]
    data: DataOptions,
}

/// What cargo's configuration says.
#[derive(Debug, Clone, Args)]
pub(super) struct CargoOptions {
    #[command(flatten)]
    of: DomainOptions,
    /// The repository whose registry the token is for. It is given to no other.
    #[arg(long)]
    repository: String,
}

pub(super) fn run(command: &CredentialCommand) -> Outcome {
    match command {
        CredentialCommand::Token(options) => println!("{}", new_token(options)?.text),
        CredentialCommand::Header(options) => println!("Bearer {}", new_token(options)?.text),
        CredentialCommand::Cargo(options) => return serve_cargo(|_| Ok(options.clone())),
    }
    Ok(ExitCode::SUCCESS)
}

fn new_token(options: &DomainOptions) -> Outcome<Token> {
    let account = Account::find(&options.data)?;
    block_on(account.token(&options.domain, options.domain_owner.as_deref()))
}

/// A request of cargo (Cargo book, "Credential Provider Protocol"), as far as it matters here.
#[derive(Debug, Deserialize)]
struct Request {
    v: u32,
    registry: Registry,
    kind: String,
    #[serde(default)]
    args: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Registry {
    index_url: String,
}

/// Says which version it speaks, then answers one line with another until cargo has no more. `options` reads the words
/// of cargo's configuration, which come with each request.
pub(super) fn serve_cargo(options: impl Fn(&[String]) -> Result<CargoOptions, String>) -> Outcome {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", json!({ "v": [1] }))?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str::<Request>(&line?) {
            Ok(request) => match options(&request.args) {
                Ok(options) => answer(&request, || cargo_token(&options, &request.registry.index_url)),
                Err(why) => failure(&why),
            },
            Err(error) => failure(&format!("cargo's request cannot be read: {error}")),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A token, `None` for another registry.
fn cargo_token(options: &CargoOptions, index_url: &str) -> Outcome<Option<Token>> {
    let of = &options.of;
    let account = Account::find(&of.data)?;
    let owner = of.domain_owner.as_deref();
    block_on(async {
        let endpoint = account.endpoint(&of.domain, owner, &options.repository, PackageFormat::Cargo).await?;
        let own = index_url.strip_prefix("sparse+") == Some(endpoint.as_str());
        if own { account.token(&of.domain, owner).await.map(Some) } else { Ok(None) }
    })
}

fn answer(request: &Request, token: impl FnOnce() -> Outcome<Option<Token>>) -> Value {
    if request.v != 1 {
        return json!({ "Err": { "kind": "operation-not-supported" } });
    }
    match request.kind.as_str() {
        "get" => match token() {
            Ok(Some(token)) => json!({ "Ok": {
                "kind": "get",
                "token": token.text,
                "cache": "expires",
                "expiration": token.expires_at,
                "operation_independent": true,
            } }),
            Ok(None) => json!({ "Err": { "kind": "url-not-supported" } }),
            Err(Failure(message)) => failure(&message),
        },
        // There is nothing to keep or to forget.
        "login" => json!({ "Ok": { "kind": "login" } }),
        "logout" => json!({ "Ok": { "kind": "logout" } }),
        _ => json!({ "Err": { "kind": "operation-not-supported" } }),
    }
}

fn failure(message: &str) -> Value {
    json!({ "Err": { "kind": "other", "message": message, "caused-by": [] } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: &str) -> Request {
        let text = format!(
            r#"{{"v":1,"registry":{{"index-url":"sparse+http://a.test/","name":"a"}},"kind":"{kind}","operation":"read","args":[]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn cargo_is_answered_in_its_protocol() {
        let token = || Ok(Some(Token { text: "t".to_owned(), expires_at: 7 }));
        assert_eq!(
            answer(&request("get"), token),
            json!({"Ok": {"kind": "get", "token": "t", "cache": "expires", "expiration": 7, "operation_independent": true}})
        );
        assert_eq!(answer(&request("get"), || Ok(None)), json!({"Err": {"kind": "url-not-supported"}}));
        let failed = answer(&request("get"), || Err(Failure::new("no")));
        assert_eq!(failed, json!({"Err": {"kind": "other", "message": "no", "caused-by": []}}));
        assert_eq!(answer(&request("login"), token), json!({"Ok": {"kind": "login"}}));
        assert_eq!(answer(&request("dance"), token), json!({"Err": {"kind": "operation-not-supported"}}));
    }
}
