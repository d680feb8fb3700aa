//! Where the bucket is and how to sign for it.

use larder_core::error::Invalid;
use rusty_s3::{Bucket, Credentials, UrlStyle};
use url::Url;

/// A bucket and the credentials for it. No `Debug`: it holds secrets.
#[derive(Clone)]
pub struct S3Settings {
    pub bucket: String,
    /// What all keys start with, without slashes at its ends; may be empty.
    pub prefix: String,
    /// Of a store other than AWS: it is asked as `{endpoint}/{bucket}/{key}`.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<String>,
    pub session_token: Option<String>,
}

impl S3Settings {
    /// Reads `s3://bucket/prefix`, and the rest from variables as AWS's own tools name them: `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` and `AWS_ENDPOINT_URL_S3`. The general
    /// `AWS_ENDPOINT_URL` is left alone: where Larder runs, it points to Larder.
    ///
    /// # Errors
    /// [`Invalid`] for a URL that names no bucket.
    pub fn read(url: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        let rest = url.strip_prefix("s3://").ok_or_else(|| Invalid::new("it does not start with s3://"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if !(3..=63).contains(&bucket.len()) || !plain(bucket) {
            return Err(Invalid::new("a bucket has 3 to 63 letters, digits, dots, dashes and underscores"));
        }
        let prefix = prefix.trim_end_matches('/');
        let segment = |text: &str| plain(text) && !matches!(text, "" | "." | "..");
        if !prefix.is_empty() && !prefix.split('/').all(segment) {
            return Err(Invalid::new("a prefix has segments of letters, digits, dots, dashes and underscores"));
        }
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: variable("AWS_ENDPOINT_URL_S3"),
            region: variable("AWS_REGION"),
            access_key_id: variable("AWS_ACCESS_KEY_ID"),
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY"),
            session_token: variable("AWS_SESSION_TOKEN"),
        })
    }

    /// The address of the bucket.
    pub(super) fn bucket(&self) -> Result<Bucket, Invalid> {
        let region = match (&self.region, &self.endpoint) {
            (Some(region), _) => region.clone(),
            // Other stores take any; this is what most expect.
            (None, Some(_)) => "us-east-1".to_owned(),
            (None, None) => return Err(Invalid::new("set AWS_REGION to the bucket's region")),
        };
        let (endpoint, style) = match &self.endpoint {
            Some(endpoint) => (endpoint.clone(), UrlStyle::Path),
            // A certificate covers one label before the service's name.
            None if self.bucket.contains('.') => (aws_endpoint(&region), UrlStyle::Path),
            None => (aws_endpoint(&region), UrlStyle::VirtualHost),
        };
        let url = Url::parse(&endpoint).map_err(|error| Invalid::new(format!("endpoint '{endpoint}': {error}")))?;
        Bucket::new(url, style, self.bucket.clone(), region)
            .map_err(|error| Invalid::new(format!("endpoint '{endpoint}' and bucket '{}': {error}", self.bucket)))
    }

    pub(super) fn credentials(&self) -> Result<Credentials, Invalid> {
        match (&self.access_key_id, &self.secret_access_key, &self.session_token) {
            (Some(id), Some(secret), Some(token)) => Ok(Credentials::new_with_token(id, secret, token)),
            (Some(id), Some(secret), None) => Ok(Credentials::new(id, secret)),
            _ => Err(Invalid::new("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")),
        }
    }
}

fn aws_endpoint(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://s3.{region}.amazonaws.com{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, variables: &[(&str, &str)]) -> Result<S3Settings, Invalid> {
        S3Settings::read(url, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn address(url: &str, variables: &[(&str, &str)]) -> Result<String, Invalid> {
        Ok(read(url, variables)?.bucket()?.base_url().to_string())
    }

    #[test]
    fn the_bucket_of_aws_has_a_host_of_its_own() {
        let region = [("AWS_REGION", "eu-west-1")];
        assert_eq!(address("s3://larder/a", &region).unwrap(), "https://larder.s3.eu-west-1.amazonaws.com/");
        assert_eq!(address("s3://lar.der", &region).unwrap(), "https://s3.eu-west-1.amazonaws.com/lar.der/");
        assert!(address("s3://larder", &[]).is_err(), "no region");
    }

    #[test]
    fn an_endpoint_is_asked_by_path() {
        let endpoint = [("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000")];
        assert_eq!(address("s3://larder", &endpoint).unwrap(), "http://127.0.0.1:9000/larder/");
        let general = [("AWS_ENDPOINT_URL", "http://127.0.0.1:5273"), ("AWS_REGION", "eu-west-1")];
        assert!(address("s3://larder", &general).unwrap().contains("amazonaws"), "that one is Larder itself");
    }

    #[test]
    fn the_prefix_is_a_plain_path() {
        assert_eq!(read("s3://larder/a/b/", &[]).unwrap().prefix, "a/b");
        assert_eq!(read("s3://larder/", &[]).unwrap().prefix, "");
        for wrong in
            ["s3://", "s3://x", "s3://lar der", "s3://larder/a//b", "s3://larder/../b", "s3://u@larder", "file:///x"]
        {
            assert!(read(wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn empty_variables_are_unset_ones() {
        let key = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_SESSION_TOKEN", "")];
        assert_eq!(read("s3://larder", &key).unwrap().credentials().unwrap().token(), None);
        assert!(read("s3://larder", &key[..1]).unwrap().credentials().is_err());
    }
}
