//! `larder audit`: audit records, the journal's checkpoint and proofs.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::audit_log::{self, LogOptions};
use super::{DataOptions, Failure, Outcome, block_on};
use crate::wiring::Machine;

/// Look at the journal and prove what is in it.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Print audit records in the form of CloudTrail: who changed what, when and from where.
    Log(Box<LogOptions>),
    /// Print the newest checkpoint as a signed note, and the key that verifies it.
    Checkpoint(CheckpointOptions),
    /// Print, as JSON, a proof that a journal record is in the log of the newest checkpoint.
    Prove(ProveOptions),
    /// Print, as JSON, a proof that the newest log begins with the log of an earlier checkpoint.
    Consistency(ConsistencyOptions),
    /// Accept that the database was restored from an older backup: the checkpoint that it contradicts is put aside.
    AcceptRestore(CheckpointOptions),
}

/// Options of `checkpoint`.
#[derive(Debug, Args)]
pub(super) struct CheckpointOptions {
    #[command(flatten)]
    data: DataOptions,
}

/// Options of `prove`.
#[derive(Debug, Args)]
pub(super) struct ProveOptions {
    /// The record's sequence.
    sequence: i64,
    #[command(flatten)]
    data: DataOptions,
}

/// Options of `consistency`.
#[derive(Debug, Args)]
pub(super) struct ConsistencyOptions {
    /// How many records the earlier checkpoint had.
    from: u64,
    #[command(flatten)]
    data: DataOptions,
}

/// Runs a command.
pub(super) fn run(command: AuditCommand) -> Outcome {
    block_on(async {
        match command {
            AuditCommand::Log(options) => audit_log::run(&options).await?,
            AuditCommand::Checkpoint(options) => {
                let (note, verifier) = Machine::open(&options.data).await?.journal.checkpoint().await?;
                print!("{note}");
                if let Some(verifier) = verifier {
                    eprintln!("verifier key: {verifier}");
                }
            }
            AuditCommand::Prove(options) => {
                print_json(&Machine::open(&options.data).await?.journal.prove(options.sequence).await?)?;
            }
            AuditCommand::Consistency(options) => {
                print_json(&Machine::open(&options.data).await?.journal.prove_consistency(options.from).await?)?;
            }
            AuditCommand::AcceptRestore(options) => accept_restore(&options)?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn print_json(value: &impl Serialize) -> Outcome<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))?;
    println!("{text}");
    Ok(())
}

/// Keeps the outside checkpoint under another name. The next checkpoint begins a new comparison.
fn accept_restore(options: &CheckpointOptions) -> Outcome<()> {
    let path = options.data.data_dir().journal_checkpoint();
    let aside = (1..1000)
        .map(|number| path.with_extension(format!("superseded-{number}")))
        .find(|aside| !aside.exists())
        .ok_or_else(|| Failure::new("too many checkpoints were put aside already; archive them"))?;
    std::fs::rename(&path, &aside).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    println!("the checkpoint is kept as {}", aside.display());
    Ok(())
}
