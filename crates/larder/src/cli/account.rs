//! `larder account`.

use std::process::ExitCode;

use clap::Subcommand;
use larder_core::model::AccountId;

use super::{DataOptions, Outcome, block_on};
use crate::wiring::Machine;

/// Manage accounts.
#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Create an account and print its id.
    Create {
        /// 12 digits [default: random].
        account: Option<AccountId>,
        #[command(flatten)]
        data: DataOptions,
    },
    /// Print all account ids.
    List {
        #[command(flatten)]
        data: DataOptions,
    },
}

pub(super) fn run(command: AccountCommand) -> Outcome {
    block_on(async {
        match command {
            AccountCommand::Create { account, data } => {
                let machine = Machine::open(&data).await?;
                let account = match account {
                    Some(account) => account,
                    None => crate::bootstrap::random_account()?,
                };
                machine.services.identities.create_account(&machine.allowed("CreateAccount")?, account.clone()).await?;
                println!("{account}");
            }
            AccountCommand::List { data } => {
                let machine = Machine::open(&data).await?;
                for account in machine.services.identities.list_accounts(&machine.allowed("ListAccounts")?).await? {
                    println!("{account}");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
