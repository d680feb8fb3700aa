//! `larder audit log`: audit records, filtered.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use larder_core::model::Timestamp;
use larder_core::services::audit;
use serde_json::Value;

use super::{DataOptions, Failure, Outcome, ServeOptions};
use crate::audit::list;
use crate::config::Settings;
use crate::wiring::Machine;

/// Journal records read at once.
const PAGE: usize = 256;
/// How often `--follow` looks for more.
const FOLLOW: Duration = Duration::from_millis(500);

/// Options of `log`.
#[derive(Debug, Args)]
pub(super) struct LogOptions {
    /// Only of this principal: its ARN, or the end of it such as user/alice.
    #[arg(long)]
    principal: Option<String>,
    /// Only about ARNs that contain this text.
    #[arg(long, value_name = "TEXT")]
    resource: Option<String>,
    /// Only this operation, such as PublishPackageVersion.
    #[arg(long)]
    operation: Option<String>,
    /// Not before: 2026-01-31T12:00:00Z, or so long ago: 90s, 30m, 12h, 7d.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    since: Option<Timestamp>,
    /// Before: as --since.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    until: Option<Timestamp>,
    /// Print whole records, as JSON lines.
    #[arg(long)]
    json: bool,
    /// Go on with what comes.
    #[arg(long, conflicts_with = "files")]
    follow: bool,
    /// Read the files of the audit log, which have reads and refusals, too, instead of the journal in the database.
    #[arg(long)]
    files: bool,
    #[command(flatten)]
    data: DataOptions,
}

/// An instant, or a span before now.
fn parse_instant(text: &str) -> Result<Timestamp, String> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    let wrong = || format!("'{text}' is neither an instant such as 2026-01-31T12:00:00Z nor a span such as 30m");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(i64::try_from(now.as_millis()).unwrap_or(0));
    Ok(now.minus(Duration::from_secs(number.saturating_mul(seconds))))
}

impl LogOptions {
    fn passes(&self, record: &Value) -> bool {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let arn = text(&record["userIdentity"]["arn"]);
        let at = Timestamp::parse_rfc3339(record["eventTime"].as_str().unwrap_or_default()).unwrap_or_default();
        let of_principal = |wanted: &String| arn == *wanted || arn.ends_with(&format!(":{wanted}"));
        let resource = text(&record["resources"][0]["ARN"]);
        // Instants of records are whole seconds.
        let second = |at: Timestamp| at.0.div_euclid(1000);
        self.principal.as_ref().is_none_or(of_principal)
            && self.resource.as_ref().is_none_or(|wanted| resource.contains(wanted.as_str()))
            && self.operation.as_ref().is_none_or(|wanted| record["eventName"] == *wanted)
            && self.since.is_none_or(|since| second(at) >= second(since))
            && self.until.is_none_or(|until| second(at) < second(until))
    }

    fn print(&self, record: &Value) -> Outcome<()> {
        if !self.passes(record) {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{record}")?;
            return Ok(());
        }
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let resource = text(&record["resources"][0]["ARN"]);
        let version = record["requestParameters"]["packageVersion"].as_str();
        writeln!(
            out,
            "{}\t{}\t{}\t{resource}{}\t{}\t{}",
            text(&record["eventTime"]),
            text(&record["eventName"]),
            text(&record["userIdentity"]["arn"]),
            version.map(|version| format!("#{version}")).unwrap_or_default(),
            text(&record["sourceIPAddress"]),
            text(&record["errorCode"]),
        )?;
        Ok(())
    }
}

/// Prints the records.
pub(super) async fn run(options: &LogOptions) -> Outcome<()> {
    if options.files {
        let settings = Settings::load(&ServeOptions::from(options.data.clone()))?;
        let folder = settings.audit.map_or_else(|| settings.data_dir.audit(), |audit| audit.folder);
        return from_files(options, &folder);
    }
    let machine = Machine::open(&options.data).await?;
    let (store, region) = (&machine.services.store, &machine.services.region);
    let mut after = 0;
    loop {
        let page = store.list_journal(after, PAGE).await?;
        for record in &page {
            options.print(&audit::of_journal(record, region))?;
        }
        match page.last() {
            Some(last) => after = last.sequence,
            None if options.follow => tokio::time::sleep(FOLLOW).await,
            None => return Ok(()),
        }
    }
}

fn from_files(options: &LogOptions, folder: &Path) -> Outcome<()> {
    let files = list(folder).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    for path in files {
        let file = std::fs::File::open(&path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        for line in BufReader::new(file).lines() {
            // The last line may be half written.
            if let Ok(record) = serde_json::from_str(&line?) {
                options.print(&record)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_spans_are_read() {
        assert_eq!(parse_instant("1970-01-01T00:00:01Z"), Ok(Timestamp(1000)));
        let (hour, minute) = (parse_instant("1h").expect("a span"), parse_instant("60m").expect("a span"));
        assert!((hour.0 - minute.0).abs() < 1000);
        for wrong in ["", "h", "1w", "-1h", "yesterday", "1é"] {
            assert!(parse_instant(wrong).is_err(), "{wrong}");
        }
    }
}
