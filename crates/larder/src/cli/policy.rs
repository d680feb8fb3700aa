//! `larder policy`: the minimum age of public versions, as tags of repositories and package groups hold it.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use larder_core::access::{Action, PackageGroupTarget, Target};
use larder_core::model::{Cooldown, PackageFormat, PackageGroupPattern, RepositoryName, Tag};
use larder_core::services::{Asking, Outcome as Decided, Request};

use super::place::{DomainOptions, Place};
use super::{Failure, Outcome, block_on};

/// Manage which versions of public registries are too young.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Print the rule of a repository or package group.
    Show(SubjectOptions),
    /// Set parts of the rule; what is not named stays.
    Set(SetOptions),
    /// Remove parts of the rule, or all of it.
    Unset(UnsetOptions),
    /// Say whether the rules let a version pass, and which one does not.
    Test(TestOptions),
}

/// Whose rule.
#[derive(Debug, Args)]
pub(super) struct SubjectOptions {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    domain: DomainOptions,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Subject {
    /// A repository.
    #[arg(long)]
    repository: Option<RepositoryName>,
    /// A package group, by its pattern.
    #[arg(long, value_name = "PATTERN")]
    package_group: Option<PackageGroupPattern>,
}

/// What to set.
#[derive(Debug, Args)]
pub(super) struct SetOptions {
    /// How old versions have to be: `7d`, `72h`, `0`.
    #[arg(long, value_name = "AGE", required_unless_present_any = ["exempt", "newest"])]
    minimum_age: Option<String>,
    /// Packages that the rule is not for, such as `/npm//react`; may be repeated. Replaces those that are set.
    #[arg(long, value_name = "PATTERN")]
    exempt: Vec<String>,
    /// The emergency line: nothing that was published later passes. A date or an RFC 3339 instant.
    #[arg(long, value_name = "INSTANT")]
    newest: Option<String>,
    #[command(flatten)]
    of: SubjectOptions,
}

/// What to remove.
#[derive(Debug, Args)]
pub(super) struct UnsetOptions {
    /// How old versions have to be.
    #[arg(long)]
    minimum_age: bool,
    /// Packages that the rule is not for.
    #[arg(long)]
    exempt: bool,
    /// The emergency line.
    #[arg(long)]
    newest: bool,
    #[command(flatten)]
    of: SubjectOptions,
}

/// What to test.
#[derive(Debug, Args)]
pub(super) struct TestOptions {
    /// The version: `NAME@VERSION`.
    version: String,
    /// The repository that is asked for it.
    #[arg(long)]
    repository: RepositoryName,
    /// The package's format, if the repository does not have exactly one package of this name.
    #[arg(long)]
    format: Option<PackageFormat>,
    #[command(flatten)]
    domain: DomainOptions,
}

pub(super) fn run(command: PolicyCommand) -> Outcome {
    block_on(async {
        match command {
            PolicyCommand::Show(options) => options.change(Change::None).await?,
            PolicyCommand::Set(SetOptions { minimum_age, exempt, newest, of }) => {
                let exempt = (!exempt.is_empty()).then(|| exempt.join(" "));
                let values =
                    [(Cooldown::MINIMUM_AGE, minimum_age), (Cooldown::EXEMPT, exempt), (Cooldown::NEWEST, newest)];
                let tags = values.into_iter().filter_map(|(key, value)| Some(Tag::new(key, value?)));
                of.change(Change::Set(tags.collect::<Result<_, _>>()?)).await?;
            }
            PolicyCommand::Unset(UnsetOptions { minimum_age, exempt, newest, of }) => {
                let all = !minimum_age && !exempt && !newest;
                let named =
                    [(Cooldown::MINIMUM_AGE, minimum_age), (Cooldown::EXEMPT, exempt), (Cooldown::NEWEST, newest)];
                let keys = named.into_iter().filter(|(_, named)| all || *named).map(|(key, _)| key.to_owned());
                of.change(Change::Unset(keys.collect())).await?;
            }
            PolicyCommand::Test(options) => return test(&options).await,
        }
        Ok(ExitCode::SUCCESS)
    })
}

enum Change {
    None,
    Set(Vec<Tag>),
    Unset(Vec<String>),
}

impl SubjectOptions {
    /// Changes the rule and prints what it is then.
    async fn change(&self, change: Change) -> Outcome<()> {
        let place = self.domain.open().await?;
        match (&self.subject.repository, &self.subject.package_group) {
            (Some(repository), _) => apply(&place, place.repository(repository).await?, change).await,
            (None, Some(pattern)) => {
                let target = PackageGroupTarget { domain: place.domain.clone(), pattern: pattern.clone() };
                apply(&place, target, change).await
            }
            (None, None) => Err(Failure::new("say whose rule: --repository NAME or --package-group PATTERN")),
        }
    }
}

async fn apply<T: Target>(place: &Place, target: T, change: Change) -> Outcome<()> {
    let services = &place.machine.services;
    let authorize = |action| services.access.authorize(&place.caller, action, target.clone());
    match change {
        Change::None => {}
        Change::Set(tags) => services.tags.tag(&authorize(Action::TagResource).await?, tags).await?,
        Change::Unset(keys) => services.tags.untag(&authorize(Action::UntagResource).await?, keys).await?,
    }
    let tags = services.tags.list(&authorize(Action::ListTagsForResource).await?).await?;
    let rule: Vec<_> = tags
        .iter()
        .filter(|tag| [Cooldown::MINIMUM_AGE, Cooldown::EXEMPT, Cooldown::NEWEST].contains(&tag.key.as_str()))
        .collect();
    if rule.is_empty() {
        println!("no rule");
    }
    for tag in rule {
        println!("{}={}", tag.key, tag.value);
    }
    Ok(())
}

async fn test(options: &TestOptions) -> Outcome {
    let place = options.domain.open().await?;
    let target = place.repository(&options.repository).await?;
    let (package, version) = place.version(&target, options.format, &options.version).await?;
    let explain = &place.machine.services.explain;
    let explanation =
        explain.explain(&Asking::itself(&place.caller), &target, &package, &version, Request::Read).await?;
    for step in explanation.steps.iter().filter(|step| step.looked_at == "cooldown") {
        println!("{}: {}", step.name, step.found);
    }
    let code = explanation.refusal.as_ref().map(|refusal| format!(" [{}]", refusal.code())).unwrap_or_default();
    println!("{}{code}: {}", explanation.outcome.as_str(), explanation.sentence);
    Ok(if explanation.outcome == Decided::Allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
