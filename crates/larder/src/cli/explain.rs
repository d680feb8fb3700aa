//! `larder explain`: why a version is served or refused.

use std::process::ExitCode;

use clap::Args;
use larder_core::model::{PackageFormat, RepositoryName};
use larder_core::services::{Asking, Explanation, Outcome as Decided, Request};

use super::place::DomainOptions;
use super::{Failure, Outcome, block_on};

/// What to explain.
#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// The version: `NAME@VERSION`, with the name as users of the format write it.
    version: String,
    /// The repository that is asked for it.
    #[arg(long)]
    repository: RepositoryName,
    /// The package's format, if the repository does not have exactly one package of this name.
    #[arg(long)]
    format: Option<PackageFormat>,
    /// The ARN of who asks: a user, a role, a session of a role, or the root of an account; without it, the machine's
    /// owner.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    principal: Option<String>,
    /// Explain publishing the version instead of reading it.
    #[arg(long)]
    publish: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    domain: DomainOptions,
}

/// Prints the decision. 0 if it is a yes.
pub(super) fn run(options: &ExplainOptions) -> Outcome {
    block_on(async {
        let place = options.domain.open().await?;
        let target = place.repository(&options.repository).await?;
        let (package, version) = place.version(&target, options.format, &options.version).await?;
        let explain = &place.machine.services.explain;
        let asking = match &options.principal {
            Some(principal) => explain.principal(principal, &place.caller).await?,
            None => Asking::itself(&place.caller),
        };
        let request = if options.publish { Request::Publish } else { Request::Read };
        let explanation = explain.explain(&asking, &target, &package, &version, request).await?;
        if options.json {
            let text = serde_json::to_string_pretty(&explanation.to_json());
            println!("{}", text.map_err(|error| Failure::new(error.to_string()))?);
        } else {
            print!("{}", text(&explanation));
        }
        Ok(if explanation.outcome == Decided::Allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// An explanation as people read it.
fn text(explanation: &Explanation) -> String {
    let code = explanation.refusal.as_ref().map(|refusal| format!(" [{}]", refusal.code())).unwrap_or_default();
    let mut lines = vec![format!("{}{code}: {}", explanation.outcome.as_str(), explanation.sentence), String::new()];
    lines.push("looked at, in this order:".to_owned());
    for (number, step) in explanation.steps.iter().enumerate() {
        let refuses = step.refuses.map(|code| format!(" [{code}]")).unwrap_or_default();
        lines.push(format!("  {}. {} {}: {}{refuses}", number + 1, step.looked_at, step.name, step.found));
    }
    if !explanation.changes.is_empty() {
        lines.extend([String::new(), "what would change it:".to_owned()]);
        lines.extend(explanation.changes.iter().map(|change| format!("  - {change}")));
    }
    if !explanation.assumptions.is_empty() {
        lines.extend([String::new(), "taken for granted:".to_owned()]);
        lines.extend(explanation.assumptions.iter().map(|assumption| format!("  - {assumption}")));
    }
    lines.join("\n") + "\n"
}
