//! The administrator's credentials and the endpoint, in AWS's own file formats: `DIR/aws/credentials`, `DIR/aws/config`.

use std::io;
use std::path::Path;

use crate::data_dir::{DataDir, write_private};

/// What the two files say.
#[derive(Debug)]
pub(crate) struct AwsFiles {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) region: String,
    pub(crate) endpoint_url: String,
    /// The authority of the endpoint's certificate, if it is a local one.
    pub(crate) ca_bundle: Option<String>,
}

impl AwsFiles {
    /// Reads both files.
    pub(crate) fn read(data_dir: &DataDir) -> io::Result<Self> {
        let credentials = data_dir.aws_credentials();
        let config = data_dir.aws_config();
        Ok(Self {
            access_key_id: value(&credentials, "aws_access_key_id")?,
            secret_access_key: value(&credentials, "aws_secret_access_key")?,
            region: value(&config, "region")?,
            endpoint_url: value(&config, "endpoint_url")?,
            ca_bundle: value(&config, "ca_bundle").ok(),
        })
    }

    /// Writes the administrator's key, once, at bootstrap.
    pub(crate) fn write_credentials(data_dir: &DataDir, id: &str, secret: &str) -> io::Result<()> {
        let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        write_private(&data_dir.aws_credentials(), &text)
    }

    /// Writes region, endpoint and whom to trust for it, at every start, since the port may be another one.
    pub(crate) fn write_config(
        data_dir: &DataDir,
        region: &str,
        endpoint_url: &str,
        ca_bundle: Option<&Path>,
    ) -> io::Result<()> {
        let mut text = format!("[default]\nregion = {region}\nendpoint_url = {endpoint_url}\n");
        if let Some(file) = ca_bundle {
            text.push_str(&format!("ca_bundle = {}\n", file.display()));
        }
        write_private(&data_dir.aws_config(), &text)
    }
}

fn value(path: &Path, key: &str) -> io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim().to_owned())
        .ok_or_else(|| io::Error::other(format!("{} has no {key}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("temporary folder");
        let data_dir = DataDir::new(folder.path().to_owned());
        AwsFiles::write_credentials(&data_dir, "AKIAEXAMPLE", "s=ecret").expect("written");
        AwsFiles::write_config(&data_dir, "us-east-1", "https://127.0.0.1:1", Some(Path::new("/ca.pem")))
            .expect("written");
        assert_eq!(AwsFiles::read(&data_dir).expect("read").ca_bundle.as_deref(), Some("/ca.pem"));
        AwsFiles::write_config(&data_dir, "us-east-1", "http://127.0.0.1:1", None).expect("written");
        let files = AwsFiles::read(&data_dir).expect("read");
        assert_eq!(files.ca_bundle, None);
        assert_eq!((files.access_key_id.as_str(), files.secret_access_key.as_str()), ("AKIAEXAMPLE", "s=ecret"));
        assert_eq!((files.region.as_str(), files.endpoint_url.as_str()), ("us-east-1", "http://127.0.0.1:1"));
        let mode = std::fs::metadata(data_dir.aws_credentials()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
