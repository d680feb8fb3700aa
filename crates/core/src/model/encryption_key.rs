//! The KMS key of a domain, as a name: Larder stores it, shows it and encrypts nothing with it.

use super::{AccountId, DomainName, Revision};
use crate::error::Invalid;

/// The longest ARN of the API (reference 1.2).
const ARN_LIMIT: usize = 1011;

/// The ARN of a KMS key or alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionKey(String);

impl EncryptionKey {
    /// What a domain has that names none: stands for the key that AWS manages. The same domain gets the same key.
    #[must_use]
    pub fn default_for(region: &str, owner: &AccountId, domain: &DomainName) -> Self {
        let parts = ["default encryption key", region, owner.as_str(), domain.as_str()];
        let digest = Revision::digest(parts.map(str::as_bytes));
        let digits = hex::encode(&digest[..16]);
        let (id, rest) = digits.split_at(8);
        let uuid = format!("{id}-{}-{}-{}-{}", &rest[..4], &rest[4..8], &rest[8..12], &rest[12..24]);
        Self(format!("arn:aws:kms:{region}:{owner}:key/{uuid}"))
    }

    /// Reads a key id, an alias name or the ARN of either, and makes an ARN of it.
    ///
    /// # Errors
    /// [`Invalid`] when it is none of these.
    pub fn parse(text: &str, region: &str, owner: &AccountId) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "encryptionKey must be a KMS key id, an alias name (alias/NAME) or the ARN of a key or alias \
                 (arn:aws:kms:REGION:ACCOUNT:key/ID)",
            )
        };
        if text.len() > ARN_LIMIT {
            return Err(invalid());
        }
        if !text.starts_with("arn:") {
            let resource = if is_key_id(text) { format!("key/{text}") } else { text.to_owned() };
            return is_resource(&resource)
                .then(|| Self(format!("arn:aws:kms:{region}:{owner}:{resource}")))
                .ok_or_else(invalid);
        }
        match text.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", "aws", "kms", region, account, resource]
                if !region.is_empty() && AccountId::new(*account).is_ok() && is_resource(resource) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(invalid()),
        }
    }

    /// The ARN.
    #[must_use]
    pub fn into_arn(self) -> String {
        self.0
    }
}

fn is_resource(text: &str) -> bool {
    match text.split_once('/') {
        Some(("key", id)) => is_key_id(id),
        Some(("alias", name)) => {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b))
        }
        _ => false,
    }
}

/// A UUID, or `mrk-` and 32 hexadecimal digits for a key of several regions.
fn is_key_id(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(digits) = text.strip_prefix("mrk-") {
        return digits.len() == 32 && hex(digits);
    }
    let parts: Vec<_> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.into_iter().all(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> AccountId {
        AccountId::new("111122223333").unwrap()
    }

    #[test]
    fn ids_aliases_and_arns_become_arns() {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{id}");
        let parse = |text: &str| EncryptionKey::parse(text, "us-east-1", &owner()).map(EncryptionKey::into_arn);
        assert_eq!(parse(id), Ok(arn.clone()));
        assert_eq!(parse(&arn), Ok(arn));
        assert_eq!(parse("alias/mine"), Ok("arn:aws:kms:us-east-1:111122223333:alias/mine".to_owned()));
        let elsewhere = "arn:aws:kms:eu-west-1:444455556666:key/mrk-1234abcd12ab34cd56ef1234567890ab";
        assert_eq!(parse(elsewhere), Ok(elsewhere.to_owned()));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "key",
            "1234",
            "alias/",
            "alias/a b",
            "arn:aws:kms:us-east-1:1111:key/x",
            "arn:aws:s3:::bucket",
            &"a".repeat(2000),
        ] {
            assert!(EncryptionKey::parse(bad, "us-east-1", &owner()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_is_a_valid_key_and_differs_between_domains() {
        let key = |name: &str| EncryptionKey::default_for("us-east-1", &owner(), &DomainName::new(name).unwrap());
        let first = key("one");
        assert_eq!(EncryptionKey::parse(&first.0, "us-east-1", &owner()), Ok(first.clone()));
        assert_ne!(first, key("two"));
    }
}
