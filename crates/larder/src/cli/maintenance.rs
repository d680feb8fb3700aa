//! `larder verify` and `larder gc`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::{DataOptions, Outcome, block_on};
use crate::wiring::Machine;

/// Options of `verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    #[command(flatten)]
    data: DataOptions,
}

/// Options of `gc`.
#[derive(Debug, Args)]
pub(super) struct GcOptions {
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// Leave alone what was stored, or put again by a publish, less than this many hours ago.
    #[arg(long, default_value_t = 24)]
    grace_hours: u64,
    #[command(flatten)]
    data: DataOptions,
}

/// Hashes every referenced blob again.
pub(super) fn verify(options: &VerifyOptions) -> Outcome {
    block_on(async {
        let machine = Machine::open(&options.data).await?;
        let report = machine
            .services
            .maintenance
            .verify(|progress| {
                if progress.checked % 1000 == 0 {
                    eprintln!("{} assets, {} MiB checked", progress.checked, progress.bytes >> 20);
                }
            })
            .await?;
        for problem in &report.problems {
            println!("{problem}");
        }
        println!("{} stored assets checked, {} problems", report.checked, report.problems.len());
        let log = machine
            .journal
            .verify(|leaves| {
                if leaves % 100_096 == 0 {
                    eprintln!("{leaves} journal records checked");
                }
            })
            .await?;
        for problem in &log.problems {
            println!("{problem}");
        }
        let problems = log.problems.len() as u64 + log.more_problems;
        println!("{} sealed journal records checked, {problems} problems", log.leaves);
        if log.leaves > 0 && !log.witnessed {
            println!("no checkpoint is kept outside of the database: an older database would not be noticed");
        }
        let is_whole = report.problems.is_empty() && problems == 0;
        Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Removes what nothing refers to.
pub(super) fn gc(options: &GcOptions) -> Outcome {
    block_on(async {
        let machine = Machine::open(&options.data).await?;
        let grace = Duration::from_secs(options.grace_hours * 3600);
        let report = machine.services.maintenance.collect_garbage(grace, options.dry_run).await?;
        let verb = if options.dry_run { "would be removed" } else { "removed" };
        println!("{} of {} stored blobs {verb}, {} bytes", report.removed, report.seen, report.removed_bytes);
        Ok(ExitCode::SUCCESS)
    })
}
