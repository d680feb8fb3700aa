//! `larder user`: IAM users, access keys, policies.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use larder_core::model::{AccessKeyId, AccessKeyStatus, AccountId, SecretAccessKey, UserName};

use super::{DataOptions, Failure, Outcome, block_on};
use crate::wiring::Machine;

/// Manage IAM users, their access keys and policies.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Create a user without any right.
    Create(UserOptions),
    /// Print the users of an account with their ARNs.
    List(AccountOptions),
    /// Delete a user with its keys, policies and tokens.
    Delete(UserOptions),
    /// Manage a user's access keys.
    #[command(subcommand)]
    AccessKey(AccessKeyCommand),
    /// Manage a user's policies.
    #[command(subcommand)]
    Policy(PolicyCommand),
}

/// Manage a user's access keys.
#[derive(Debug, Subcommand)]
pub(super) enum AccessKeyCommand {
    /// Create a key and print its id and secret.
    Create {
        #[command(flatten)]
        user: UserOptions,
        /// The id, if it is not to be random; needs --secret-file.
        #[arg(long, requires = "secret_file")]
        access_key_id: Option<AccessKeyId>,
        /// A file that holds the secret (on the command line, others could see it).
        #[arg(long, requires = "access_key_id")]
        secret_file: Option<PathBuf>,
    },
    /// Print a user's keys with their states.
    List(UserOptions),
    /// Stop a key from signing and end the tokens that it obtained.
    Deactivate(KeyOptions),
    /// Let a key sign again.
    Activate(KeyOptions),
    /// Delete a key and the tokens that it obtained.
    Delete(KeyOptions),
}

/// Manage a user's policies.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Add or replace a policy.
    Put {
        #[command(flatten)]
        user: UserOptions,
        /// The policy's name.
        policy: String,
        /// A file with the IAM policy as JSON, `-` for standard input.
        file: PathBuf,
    },
    /// Print a policy.
    Get {
        #[command(flatten)]
        user: UserOptions,
        policy: String,
    },
    /// Print the names of a user's policies.
    List(UserOptions),
    /// Remove a policy.
    Delete {
        #[command(flatten)]
        user: UserOptions,
        policy: String,
    },
}

/// Which account; the only one, if there is one.
#[derive(Debug, Args)]
pub(super) struct AccountOptions {
    /// The account, if there is more than one.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    #[command(flatten)]
    data: DataOptions,
}

/// Which user.
#[derive(Debug, Args)]
pub(super) struct UserOptions {
    /// The user's name.
    user: UserName,
    #[command(flatten)]
    account: AccountOptions,
}

/// Which access key.
#[derive(Debug, Args)]
pub(super) struct KeyOptions {
    #[command(flatten)]
    user: UserOptions,
    /// The key's id.
    access_key_id: AccessKeyId,
}

pub(super) fn run(command: UserCommand) -> Outcome {
    block_on(async {
        match command {
            UserCommand::Create(options) => {
                let (machine, account) = open(&options.account).await?;
                let allowed = machine.allowed("CreateUser")?;
                let user = machine.services.identities.create_user(&allowed, account, options.user).await?;
                println!("{}", user.arn());
            }
            UserCommand::List(options) => {
                let (machine, account) = open(&options).await?;
                let users = machine.services.identities.list_users(&machine.allowed("ListUsers")?, &account).await?;
                for (user, created_at) in users {
                    println!("{}\t{}\t{created_at}", user.name, user.arn());
                }
            }
            UserCommand::Delete(options) => {
                let (machine, account) = open(&options.account).await?;
                machine.services.identities.delete_user(&machine.allowed("DeleteUser")?, account, options.user).await?;
            }
            UserCommand::AccessKey(command) => access_key(command).await?,
            UserCommand::Policy(command) => policy(command).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn access_key(command: AccessKeyCommand) -> Outcome<()> {
    match command {
        AccessKeyCommand::Create { user: options, access_key_id, secret_file } => {
            let chosen = match access_key_id.zip(secret_file) {
                Some((id, file)) => Some((id, SecretAccessKey::new(read_text(&file)?.trim())?)),
                None => None,
            };
            let (machine, account) = open(&options.account).await?;
            let allowed = machine.allowed("CreateAccessKey")?;
            let key = machine.services.identities.create_access_key(&allowed, &account, &options.user, chosen).await?;
            println!("AWS_ACCESS_KEY_ID={}", key.id);
            println!("AWS_SECRET_ACCESS_KEY={}", key.secret.expose());
        }
        AccessKeyCommand::List(options) => {
            let (machine, account) = open(&options.account).await?;
            let allowed = machine.allowed("ListAccessKeys")?;
            for key in machine.services.identities.list_access_keys(&allowed, &account, &options.user).await? {
                let status = match key.status {
                    AccessKeyStatus::Active => "Active",
                    AccessKeyStatus::Inactive => "Inactive",
                };
                println!("{}\t{status}\t{}", key.id, key.created_at);
            }
        }
        AccessKeyCommand::Deactivate(options) => set_status(options, AccessKeyStatus::Inactive).await?,
        AccessKeyCommand::Activate(options) => set_status(options, AccessKeyStatus::Active).await?,
        AccessKeyCommand::Delete(KeyOptions { user, access_key_id }) => {
            let (machine, account) = open(&user.account).await?;
            let allowed = machine.allowed("DeleteAccessKey")?;
            machine.services.identities.delete_access_key(&allowed, account, user.user, access_key_id).await?;
        }
    }
    Ok(())
}

async fn set_status(options: KeyOptions, status: AccessKeyStatus) -> Outcome<()> {
    let KeyOptions { user, access_key_id } = options;
    let (machine, account) = open(&user.account).await?;
    let allowed = machine.allowed("UpdateAccessKey")?;
    Ok(machine.services.identities.set_access_key_status(&allowed, account, user.user, access_key_id, status).await?)
}

async fn policy(command: PolicyCommand) -> Outcome<()> {
    match command {
        PolicyCommand::Put { user: options, policy, file } => {
            let document = read_text(&file)?;
            let (machine, account) = open(&options.account).await?;
            let allowed = machine.allowed("PutUserPolicy")?;
            machine.services.identities.put_user_policy(&allowed, account, options.user, policy, document).await?;
        }
        PolicyCommand::Get { user: options, policy } => {
            let (machine, account) = open(&options.account).await?;
            let allowed = machine.allowed("GetUserPolicy")?;
            let identities = &machine.services.identities;
            println!("{}", identities.get_user_policy(&allowed, &account, &options.user, &policy).await?);
        }
        PolicyCommand::List(options) => {
            let (machine, account) = open(&options.account).await?;
            let allowed = machine.allowed("ListUserPolicies")?;
            for (name, _) in machine.services.identities.list_user_policies(&allowed, &account, &options.user).await? {
                println!("{name}");
            }
        }
        PolicyCommand::Delete { user: options, policy } => {
            let (machine, account) = open(&options.account).await?;
            let allowed = machine.allowed("DeleteUserPolicy")?;
            machine.services.identities.delete_user_policy(&allowed, account, options.user, policy).await?;
        }
    }
    Ok(())
}

/// Opens the data and settles the account.
pub(super) async fn open(options: &AccountOptions) -> Outcome<(Machine, AccountId)> {
    let machine = Machine::open(&options.data).await?;
    if let Some(account) = &options.account {
        return Ok((machine, account.clone()));
    }
    let accounts = machine.services.identities.list_accounts(&machine.allowed("ListAccounts")?).await?;
    match accounts.as_slice() {
        [account] => Ok((machine, account.clone())),
        [] => Err(Failure::new("there is no account yet; create one with `larder account create`")),
        _ => Err(Failure::new("there is more than one account; choose with --account ID")),
    }
}

pub(super) fn read_text(path: &Path) -> Outcome<String> {
    let read =
        if path.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    read.map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}
