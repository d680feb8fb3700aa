//! The table of condition operators and how their names are read: `ForAnyValue:StringLikeIfExists`.

use std::cmp::Ordering;

/// What an operator compares and how. Negation stands in [`Operator::negated`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    /// `ArnEquals` and `ArnLike` are the same.
    Arn,
    Null,
}

/// Which way a request's value must stand to the document's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    /// Whether it holds.
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// How the values of a key with several are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// No qualifier.
    Single,
    ForAllValues,
    ForAnyValue,
}

/// A condition operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) test: Test,
    pub(super) negated: bool,
    pub(super) if_exists: bool,
    pub(super) set: Set,
}

/// Name, test, negated.
const OPERATORS: &[(&str, Test, bool)] = &[
    ("StringEquals", Test::StringEquals, false),
    ("StringNotEquals", Test::StringEquals, true),
    ("StringEqualsIgnoreCase", Test::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Test::StringEqualsIgnoreCase, true),
    ("StringLike", Test::StringLike, false),
    ("StringNotLike", Test::StringLike, true),
    ("NumericEquals", Test::Numeric(Order::Equal), false),
    ("NumericNotEquals", Test::Numeric(Order::Equal), true),
    ("NumericLessThan", Test::Numeric(Order::Less), false),
    ("NumericLessThanEquals", Test::Numeric(Order::LessOrEqual), false),
    ("NumericGreaterThan", Test::Numeric(Order::Greater), false),
    ("NumericGreaterThanEquals", Test::Numeric(Order::GreaterOrEqual), false),
    ("DateEquals", Test::Date(Order::Equal), false),
    ("DateNotEquals", Test::Date(Order::Equal), true),
    ("DateLessThan", Test::Date(Order::Less), false),
    ("DateLessThanEquals", Test::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Test::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Test::Date(Order::GreaterOrEqual), false),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::Binary, false),
    ("IpAddress", Test::Ip, false),
    ("NotIpAddress", Test::Ip, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Null", Test::Null, false),
];

impl Operator {
    /// Reads an operator's name with its qualifier and suffix; `None` if there is none such.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (set, name) = if let Some(name) = text.strip_prefix("ForAllValues:") {
            (Set::ForAllValues, name)
        } else if let Some(name) = text.strip_prefix("ForAnyValue:") {
            (Set::ForAnyValue, name)
        } else {
            (Set::Single, text)
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let (_, test, negated) = *OPERATORS.iter().find(|(known, ..)| *known == name)?;
        if test == Test::Null && (if_exists || set != Set::Single) {
            return None;
        }
        Some(Self { test, negated, if_exists, set })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualifier_and_suffix_are_read() {
        let operator = Operator::parse("ForAnyValue:StringNotLikeIfExists").unwrap();
        let expected = Operator { test: Test::StringLike, negated: true, if_exists: true, set: Set::ForAnyValue };
        assert_eq!(operator, expected);
    }

    #[test]
    fn other_names_are_no_operators() {
        for name in [
            "",
            "Equals",
            "stringequals",
            "StringEqualsIfexists",
            "NullIfExists",
            "ForAllValues:Null",
            "IfExists",
            "ForSome:Bool",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}
