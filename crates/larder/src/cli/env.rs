//! `larder env`: variables for AWS tools.

use std::process::ExitCode;

use super::{DataOptions, Failure, Outcome};
use crate::aws_files::AwsFiles;

/// Prints `export` lines for the server of a data directory, running or stopped.
pub(super) fn run(options: &DataOptions) -> Outcome {
    let data_dir = options.data_dir();
    let files = AwsFiles::read(&data_dir).map_err(|error| {
        Failure::new(format!(
            "{} holds no credentials ({error}); start `larder serve` there once, or name another folder with --data-dir",
            data_dir.path().display()
        ))
    })?;
    let ca_bundle = files.ca_bundle.iter().map(|file| ("AWS_CA_BUNDLE", file));
    for (name, value) in [
        ("AWS_ENDPOINT_URL", &files.endpoint_url),
        ("AWS_REGION", &files.region),
        // AWS CLI 1 and boto3 read this one.
        ("AWS_DEFAULT_REGION", &files.region),
        ("AWS_ACCESS_KEY_ID", &files.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &files.secret_access_key),
    ]
    .into_iter()
    .chain(ca_bundle)
    {
        println!("export {name}={}", quoted(value));
    }
    Ok(ExitCode::SUCCESS)
}

/// As one word of a POSIX shell.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_cannot_break_out_of_their_quotes() {
        assert_eq!(super::quoted("a'b$(c)"), r"'a'\''b$(c)'");
    }
}
