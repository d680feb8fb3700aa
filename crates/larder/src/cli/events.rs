//! `larder events`: what became of the events for webhooks.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use larder_core::ports::{Delivery, DeliveryState};
use larder_core::services::render_event;

use super::{DataOptions, Failure, Outcome, block_on};
use crate::wiring::Machine;

/// Deliveries read at once.
const PAGE: usize = 200;

/// Look after the delivery of events to webhooks.
#[derive(Debug, Subcommand)]
pub(super) enum EventsCommand {
    /// Print each webhook with how many journal records it is behind and how many deliveries wait or are dead.
    List(ListOptions),
    /// Print the events that were given up, with what went wrong.
    Dead(WebhookOptions),
    /// Let dead events be delivered again.
    Retry(RetryOptions),
}

/// Options of `list`.
#[derive(Debug, Args)]
pub(super) struct ListOptions {
    #[command(flatten)]
    data: DataOptions,
}

/// Options of `dead`.
#[derive(Debug, Args)]
pub(super) struct WebhookOptions {
    /// The webhook's name in larder.toml.
    webhook: String,
    /// The whole events, as JSON lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataOptions,
}

/// Options of `retry`.
#[derive(Debug, Args)]
pub(super) struct RetryOptions {
    /// The webhook's name in larder.toml.
    webhook: String,
    /// The event's number, as `dead` prints it; all dead events without it.
    event: Option<u64>,
    #[command(flatten)]
    data: DataOptions,
}

/// Runs a command.
pub(super) fn run(command: EventsCommand) -> Outcome {
    block_on(async {
        match command {
            EventsCommand::List(options) => list(&Machine::open(&options.data).await?).await?,
            EventsCommand::Dead(options) => dead(&options).await?,
            EventsCommand::Retry(options) => {
                let machine = Machine::open(&options.data).await?;
                let now = machine.services.clock.now();
                match machine.services.store.revive(&options.webhook, options.event, now).await? {
                    0 => return Err(Failure::new(format!("webhook '{}' has no such dead event", options.webhook))),
                    revived => println!("{revived} events are delivered again"),
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(machine: &Machine) -> Outcome<()> {
    let store = &machine.services.store;
    let size = store.log_state().await?.size;
    for cursor in store.list_cursors().await? {
        let mut counts = [0, 0];
        for (count, state) in counts.iter_mut().zip([DeliveryState::Waiting, DeliveryState::Dead]) {
            let mut after = None;
            loop {
                let page = store.list_deliveries(&cursor.reader, state, after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.leaf);
                *count += page.len();
            }
        }
        let [waiting, dead] = counts;
        let behind = size.saturating_sub(cursor.leaf);
        println!("{}\tbehind {behind}\twaiting {waiting}\tdead {dead}", cursor.reader);
    }
    Ok(())
}

async fn dead(options: &WebhookOptions) -> Outcome<()> {
    let machine = Machine::open(&options.data).await?;
    let store = &machine.services.store;
    let mut after = None;
    loop {
        let page = store.list_deliveries(&options.webhook, DeliveryState::Dead, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.leaf);
        for Delivery { leaf, package, attempts, error, .. } in page {
            if options.json {
                let record = store.list_leaves(leaf, leaf + 1).await?.pop();
                if let Some((_, message)) = record.and_then(|record| render_event(&record, record.at)) {
                    println!("{}", message.body);
                }
            } else {
                println!("{leaf}\t{package}\t{attempts} attempts\t{error}");
            }
        }
    }
}
