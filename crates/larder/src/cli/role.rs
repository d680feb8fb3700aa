//! `larder role` and `larder oidc-provider`: roles, and the identity providers that they may trust.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use larder_core::model::RoleArn;
use larder_core::services::RoleSettings;

use super::user::{AccountOptions, open, read_text};
use super::{Outcome, block_on};

/// Manage roles.
#[derive(Debug, Subcommand)]
pub(super) enum RoleCommand {
    /// Create a role without any right and print its ARN.
    Create {
        #[command(flatten)]
        role: RoleOptions,
        /// A file with the policy that says who may assume it, `-` for standard input.
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
        /// The longest session, in seconds: 3600 to 43200.
        #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
        max_session: u64,
    },
    /// Delete a role; its sessions and their tokens end.
    Delete(RoleOptions),
    /// Add or replace an inline policy of a role.
    PutPolicy {
        #[command(flatten)]
        role: RoleOptions,
        /// The policy's name.
        policy: String,
        /// A file with the IAM policy as JSON, `-` for standard input.
        file: PathBuf,
    },
    /// Remove an inline policy of a role.
    DeletePolicy {
        #[command(flatten)]
        role: RoleOptions,
        policy: String,
    },
}

/// Which role.
#[derive(Debug, Args)]
pub(super) struct RoleOptions {
    /// The role's name, with its path if it has one: `builder`, `ci/builder`.
    role: String,
    #[command(flatten)]
    account: AccountOptions,
}

/// Manage the OpenID Connect providers (GitHub Actions, GitLab, …) that roles may trust.
#[derive(Debug, Subcommand)]
pub(super) enum ProviderCommand {
    /// Register an issuer and print its ARN.
    Create {
        /// The issuer's URL, exactly as its tokens say it.
        url: String,
        /// An audience that its tokens may be meant for; may be repeated.
        #[arg(long = "client-id", value_name = "AUDIENCE", required = true)]
        client_ids: Vec<String>,
        #[command(flatten)]
        account: AccountOptions,
    },
    /// Remove an issuer.
    Delete {
        /// The provider's ARN.
        arn: String,
        #[command(flatten)]
        account: AccountOptions,
    },
}

pub(super) fn run(command: RoleCommand) -> Outcome {
    block_on(async {
        match command {
            RoleCommand::Create { role: options, trust, max_session } => {
                let trust_policy = read_text(&trust)?;
                let (machine, account) = open(&options.account).await?;
                let allowed = machine.allowed("CreateRole")?;
                let arn = RoleArn::parse(&format!("arn:aws:iam::{account}:role/{}", options.role))?;
                let settings = RoleSettings {
                    trust_policy,
                    description: String::new(),
                    max_session: Duration::from_secs(max_session),
                    tags: Vec::new(),
                };
                println!("{}", machine.services.identities.create_role(&allowed, &arn, settings).await?.arn());
            }
            RoleCommand::Delete(options) => {
                let (machine, account) = open(&options.account).await?;
                let allowed = machine.allowed("DeleteRole")?;
                machine.services.identities.delete_role(&allowed, account, options.name()).await?;
            }
            RoleCommand::PutPolicy { role: options, policy, file } => {
                let document = Some(read_text(&file)?);
                let (machine, account) = open(&options.account).await?;
                let allowed = machine.allowed("PutRolePolicy")?;
                let identities = &machine.services.identities;
                identities.put_role_policy(&allowed, account, options.name(), policy, document).await?;
            }
            RoleCommand::DeletePolicy { role: options, policy } => {
                let (machine, account) = open(&options.account).await?;
                let allowed = machine.allowed("DeleteRolePolicy")?;
                let identities = &machine.services.identities;
                identities.put_role_policy(&allowed, account, options.name(), policy, None).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

pub(super) fn run_provider(command: ProviderCommand) -> Outcome {
    block_on(async {
        match command {
            ProviderCommand::Create { url, client_ids, account: options } => {
                let (machine, account) = open(&options).await?;
                let allowed = machine.allowed("CreateOpenIDConnectProvider")?;
                let identities = &machine.services.identities;
                let (thumbprints, tags) = (Vec::new(), Vec::new());
                let created =
                    identities.create_identity_provider(&allowed, account, &url, client_ids, thumbprints, tags).await?;
                println!("{}", created.arn);
            }
            ProviderCommand::Delete { arn, account: options } => {
                let (machine, _) = open(&options).await?;
                let allowed = machine.allowed("DeleteOpenIDConnectProvider")?;
                machine.services.identities.delete_identity_provider(&allowed, arn).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

impl RoleOptions {
    /// Without its path.
    fn name(&self) -> String {
        self.role.rsplit('/').next().unwrap_or(&self.role).to_owned()
    }
}
