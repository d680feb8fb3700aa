//! Reading query parameters, with AWS's sentences for what is wrong with them.

use larder_core::error::{Error, Invalid, Result, ValidationReason};
use larder_core::model::{PageRequest, PageToken};
use percent_encoding::percent_decode_str;

use super::operations::{Operation, Param, param};

/// The pages that may be asked for.
const LARGEST_PAGE: usize = 1000;
/// How much of a bad value is repeated in an answer, in characters.
const SHOWN_VALUE: usize = 100;

/// A request's decoded query parameters.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query as signatures are made over it: `+` is a space.
    ///
    /// # Errors
    /// [`Error::Validation`] for what is not UTF-8 once decoded, and for a parameter given twice.
    pub(crate) fn parse(raw: Option<&str>) -> Result<Self> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in raw.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if pairs.iter().any(|(known, _)| *known == name) {
                let message = format!("the query parameter '{name}' is given more than once");
                return Err(Error::validation(name, message));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// Checks that everything is there that the operation needs.
    ///
    /// # Errors
    /// [`Error::Validation`] naming the first that is missing.
    pub(crate) fn require(&self, operation: &Operation) -> Result<()> {
        operation.required.iter().try_for_each(|param| self.required(*param).map(drop))
    }

    /// A parameter as text, if it is there.
    pub(crate) fn find(&self, param: Param) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == param.name).map(|(_, value)| value.as_str())
    }

    fn required(&self, param: Param) -> Result<&str> {
        self.find(param).ok_or_else(|| missing(param.member))
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// [`Error::Validation`] if it is missing or breaks its rule.
    pub(crate) fn get<T>(&self, param: Param, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Result<T> {
        checked(param.member, self.required(param)?, parse)
    }

    /// A parameter that may be there.
    ///
    /// # Errors
    /// [`Error::Validation`] if it breaks its rule.
    pub(crate) fn get_optional<T>(
        &self,
        param: Param,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>> {
        self.find(param).map(|text| checked(param.member, text, parse)).transpose()
    }

    /// `max-results` and `next-token`. A token is good for the operation that gave it.
    ///
    /// # Errors
    /// [`Error::Validation`] for a page size out of bounds or a malformed token.
    pub(crate) fn page(&self, operation: &Operation, default_size: usize) -> Result<PageRequest> {
        let limit = self.get_optional(param::MAX_RESULTS, parse_page_size)?.unwrap_or(default_size);
        let after = self.get_optional(param::NEXT_TOKEN, |text| parse_next_token(operation, text))?;
        Ok(PageRequest { limit, after })
    }
}

/// Reads a page size.
///
/// # Errors
/// [`Invalid`] unless it is 1 to 1000.
pub(crate) fn parse_page_size(text: &str) -> Result<usize, Invalid> {
    text.parse()
        .ok()
        .filter(|size| (1..=LARGEST_PAGE).contains(size))
        .ok_or_else(|| Invalid::new(format!("Member must be a number between 1 and {LARGEST_PAGE}")))
}

/// Reads what [`next_token`] wrote for the same operation.
///
/// # Errors
/// [`Invalid`] for anything else.
pub(crate) fn parse_next_token(operation: &Operation, text: &str) -> Result<PageToken, Invalid> {
    let PageToken(mut keys) = PageToken::decode(text)?;
    if keys.first().map(String::as_str) != Some(operation.name()) {
        return Err(Invalid::new("the pagination token belongs to another operation; repeat the call without it"));
    }
    keys.remove(0);
    Ok(PageToken(keys))
}

/// What the client sends to get the next page.
pub(crate) fn next_token(operation: &Operation, next: Option<PageToken>) -> Option<String> {
    let PageToken(keys) = next?;
    Some(PageToken(std::iter::once(operation.name().to_owned()).chain(keys).collect()).encode())
}

/// Reads `true` or `false`.
///
/// # Errors
/// [`Invalid`] for anything else.
pub(crate) fn parse_boolean(text: &str) -> Result<bool, Invalid> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Invalid::new("Member must be true or false")),
    }
}

/// Reads one of the values of an enumeration.
///
/// # Errors
/// [`Invalid`] listing the values.
pub(crate) fn parse_enum<T: Copy>(values: &[(&str, T)], text: &str) -> Result<T, Invalid> {
    values.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
        Invalid::new(format!("Member must satisfy enum value set: [{}]", names.join(", ")))
    })
}

/// The failure for a member that is not there.
pub(crate) fn missing(member: &'static str) -> Error {
    violated(member, "null", "Member must not be null")
}

/// Parses a member's text, naming the member if it breaks its rule.
pub(crate) fn checked<T>(
    member: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<T> {
    parse(text).map_err(|rule| {
        let mut shown: String = text.chars().take(SHOWN_VALUE).flat_map(char::escape_debug).collect();
        if text.chars().nth(SHOWN_VALUE).is_some() {
            shown.push('…');
        }
        violated(member, &format!("'{shown}'"), &rule.0)
    })
}

fn violated(member: &'static str, value: &str, rule: &str) -> Error {
    Error::Validation {
        field: member.into(),
        reason: ValidationReason::FieldValidationFailed,
        message: format!(
            "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {rule}"
        ),
    }
}

fn decode(text: &str) -> Result<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| Error::Validation {
        field: "query".into(),
        reason: ValidationReason::CannotParse,
        message: "the query is not UTF-8 once it is decoded".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use http::Method;
    use larder_core::model::DomainName;

    use super::super::operations::find;
    use super::*;

    fn query(raw: &str) -> Query {
        Query::parse(Some(raw)).unwrap()
    }

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        match result.unwrap_err() {
            Error::Validation { message, .. } => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_decoded_once() {
        let query = query("domain=my%2Ddomain&version=1.0%2Bbuild&asset=a+b%20c&format&package=%2561");
        assert_eq!(query.find(param::DOMAIN), Some("my-domain"));
        assert_eq!(query.find(param::VERSION), Some("1.0+build"));
        assert_eq!(query.find(param::ASSET), Some("a b c"));
        assert_eq!(query.find(param::FORMAT), Some(""));
        assert_eq!(query.find(param::PACKAGE), Some("%61"));
        assert_eq!(query.find(param::NAMESPACE), None);
    }

    #[test]
    fn a_parameter_given_twice_and_one_that_is_not_utf8_are_refused() {
        assert!(Query::parse(Some("domain=a&domain=b")).is_err());
        assert!(Query::parse(Some("domain=%ff")).is_err());
    }

    #[test]
    fn what_is_missing_is_named_as_sdks_name_it() {
        let operation = find(&Method::POST, "/v1/repository/external-connection").unwrap();
        assert_eq!(
            message(query("domain=my-domain&repository=repo").require(operation)),
            "1 validation error detected: Value null at 'externalConnection' failed to satisfy constraint: \
             Member must not be null"
        );
        assert!(query("domain=d1&repository=r1&external-connection=x").require(operation).is_ok());
    }

    #[test]
    fn a_bad_value_is_shown_cut_and_escaped() {
        let bad = |value: &str| message(query(&format!("domain={value}")).get(param::DOMAIN, str::parse::<DomainName>));
        assert!(bad("My_Domain").contains("Value 'My_Domain' at 'domain' failed to satisfy constraint: a domain name"));
        assert!(bad("a%0ab").contains("'a\\nb'"));
        let long = bad(&"x".repeat(5000));
        assert!(long.contains(&format!("'{}…'", "x".repeat(100))) && long.len() < 500);
    }

    #[test]
    fn pages_have_1_to_1000_rows() {
        let operation = find(&Method::POST, "/v1/packages").unwrap();
        let limit = |raw: &str| query(raw).page(operation, 100).map(|page| page.limit);
        assert_eq!(limit("").unwrap(), 100);
        assert_eq!(limit("max-results=1").unwrap(), 1);
        assert_eq!(limit("max-results=1000").unwrap(), 1000);
        for bad in ["0", "1001", "-1", "ten", "", "1.5"] {
            assert!(limit(&format!("max-results={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_good_for_its_own_operation_only() {
        let packages = find(&Method::POST, "/v1/packages").unwrap();
        let versions = find(&Method::POST, "/v1/package/versions").unwrap();
        let keys = PageToken(vec!["npm".into(), String::new(), "left-pad".into()]);
        let token = next_token(packages, Some(keys.clone())).unwrap();
        assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let page = query(&format!("next-token={token}")).page(packages, 100).unwrap();
        assert_eq!(page.after, Some(keys));
        assert!(query(&format!("next-token={token}")).page(versions, 100).is_err());
        assert!(query("next-token=garbage!").page(packages, 100).is_err());
        assert_eq!(next_token(packages, None), None);
    }

    #[test]
    fn booleans_are_literal() {
        assert_eq!(parse_boolean("true"), Ok(true));
        assert_eq!(parse_boolean("false"), Ok(false));
        for bad in ["", "True", "1", "yes"] {
            assert!(parse_boolean(bad).is_err(), "{bad}");
        }
    }
}
