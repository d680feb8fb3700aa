//! One condition: an operator, a key and the values it is compared with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use larder_core::model::Timestamp;

use super::context::Context;
use super::operator::{Operator, Order, Set, Test};
use super::values;
use super::variables::{Template, Version, Wildcards};

/// A condition; it holds if any of its values fits, or none for negated operators.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) key: String,
    operator: Operator,
    expected: Vec<Expected>,
}

/// A value of a document, read as its operator needs it.
#[derive(Debug, Clone)]
enum Expected {
    Equals(Template),
    EqualsIgnoringCase(Template),
    Like(Template),
    Number(Order, f64),
    Instant(Order, Timestamp),
    Bool(bool),
    Bytes(Vec<u8>),
    Network(IpNet),
    Arn(Vec<Template>),
    AnyArn,
    /// Whether the key has to be missing.
    Missing(bool),
}

impl Condition {
    /// Reads the values of a condition.
    ///
    /// # Errors
    /// Which value does not fit its operator, and what would.
    pub(super) fn parse(operator: Operator, key: &str, values: &[String], version: Version) -> Result<Self, String> {
        let expected = values.iter().map(|value| Expected::parse(operator.test, value, version));
        Ok(Self { key: key.to_owned(), operator, expected: expected.collect::<Result<_, _>>()? })
    }

    /// Whether it holds for a request.
    pub(super) fn holds(&self, context: &Context<'_>) -> bool {
        let found = context.get(&self.key);
        if self.operator.test == Test::Null {
            return self
                .expected
                .iter()
                .any(|expected| matches!(expected, Expected::Missing(it) if *it == found.is_none()));
        }
        let negated = self.operator.negated;
        let Some(found) = found else {
            return self.operator.if_exists
                || match self.operator.set {
                    Set::Single => negated,
                    Set::ForAllValues => true,
                    Set::ForAnyValue => false,
                };
        };
        let fits = |value: &String| self.expected.iter().any(|expected| expected.fits(value, context));
        match self.operator.set {
            Set::Single => found.iter().any(fits) != negated,
            Set::ForAllValues => found.iter().all(|value| fits(value) != negated),
            Set::ForAnyValue => found.iter().any(|value| fits(value) != negated),
        }
    }
}

impl Expected {
    fn parse(test: Test, value: &str, version: Version) -> Result<Self, String> {
        let must_be = |what: &str| format!("'{value}' must be {what}");
        Ok(match test {
            Test::StringEquals => Self::Equals(Template::parse(value, version, Wildcards::No)?),
            Test::StringEqualsIgnoreCase => Self::EqualsIgnoringCase(Template::parse(value, version, Wildcards::No)?),
            Test::StringLike => Self::Like(Template::parse(value, version, Wildcards::Yes)?),
            Test::Numeric(order) => Self::Number(order, values::number(value).ok_or_else(|| must_be("a number"))?),
            Test::Date(order) => Self::Instant(
                order,
                values::instant(value)
                    .ok_or_else(|| must_be("a date such as 2026-03-04T05:06:07Z or seconds since 1970"))?,
            ),
            Test::Bool => Self::Bool(values::boolean(value).ok_or_else(|| must_be("true or false"))?),
            Test::Binary => Self::Bytes(STANDARD.decode(value).map_err(|_| must_be("base64"))?),
            Test::Ip => Self::Network(
                values::network(value).ok_or_else(|| must_be("an address or a network such as 10.0.0.0/8"))?,
            ),
            Test::Arn if value == "*" => Self::AnyArn,
            Test::Arn => {
                let parts = split_arn(value, version);
                if parts.len() != ARN_PARTS {
                    return Err(must_be("an ARN: arn:partition:service:region:account:resource"));
                }
                let template = |part: &&str| Template::parse(part, version, Wildcards::Yes);
                Self::Arn(parts.iter().map(template).collect::<Result<_, _>>()?)
            }
            Test::Null => Self::Missing(values::boolean(value).ok_or_else(|| must_be("true or false"))?),
        })
    }

    fn fits(&self, value: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Equals(template) | Self::Like(template) => template.matches(value, context),
            Self::EqualsIgnoringCase(template) => template.equals_ignoring_case(value, context),
            Self::Number(order, expected) => {
                values::number(value).and_then(|found| found.partial_cmp(expected)).is_some_and(|it| order.holds(it))
            }
            Self::Instant(order, expected) => {
                values::instant(value).is_some_and(|found| order.holds(found.cmp(expected)))
            }
            Self::Bool(expected) => values::boolean(value) == Some(*expected),
            Self::Bytes(expected) => STANDARD.decode(value).is_ok_and(|found| found == *expected),
            Self::Network(expected) => values::address(value).is_some_and(|found| expected.contains(&found)),
            Self::Arn(expected) => {
                let found: Vec<&str> = value.splitn(ARN_PARTS, ':').collect();
                found.len() == ARN_PARTS
                    && expected.iter().zip(found).all(|(template, part)| template.matches(part, context))
            }
            Self::AnyArn => true,
            Self::Missing(_) => false,
        }
    }
}

/// `arn`, partition, service, region, account, resource. A wildcard reaches no further than its part.
const ARN_PARTS: usize = 6;

/// Splits a pattern at its colons, but not at those within variables.
fn split_arn(text: &str, version: Version) -> Vec<&str> {
    let (mut parts, mut start, mut in_variable) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '$' if version == Version::V2012 && text[at..].starts_with("${") => in_variable = true,
            '}' => in_variable = false,
            ':' if !in_variable && parts.len() + 1 < ARN_PARTS => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
