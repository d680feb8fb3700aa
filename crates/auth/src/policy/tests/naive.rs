//! A second evaluator, written from IAM's rules and not from the first: it walks the JSON, substitutes as it goes and
//! matches by recursion. It expects valid documents.

use larder_core::ports::Effect;
use serde_json::Value;

use super::Ask;

/// A character of a pattern and whether it may be a wildcard.
type Pattern = Vec<(char, bool)>;

/// What the documents of one side say.
pub(super) fn side(documents: &[String], ask: &Ask) -> Effect {
    let mut effects = Vec::new();
    for text in documents {
        let document: Value = serde_json::from_str(text).unwrap();
        let modern = document["Version"] == "2012-10-17";
        for statement in items(&document["Statement"]) {
            if applies(statement, modern, ask) {
                effects.push(statement["Effect"].as_str().unwrap().to_owned());
            }
        }
    }
    if effects.iter().any(|effect| effect == "Deny") {
        Effect::Deny
    } else if effects.is_empty() {
        Effect::Silent
    } else {
        Effect::Allow
    }
}

fn items(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn applies(statement: &Value, modern: bool, ask: &Ask) -> bool {
    // An element is absent, or must fit, or its opposite must not.
    let element = |name: &str, fits: &dyn Fn(&Value) -> bool| {
        let wanted = statement.get(name).is_none_or(fits);
        let unwanted = statement.get(format!("Not{name}")).is_some_and(fits);
        wanted && !unwanted
    };
    let action = |value: &Value| {
        items(value).into_iter().any(|it| {
            let pattern = text(it).to_lowercase().chars().map(|c| (c, true)).collect::<Vec<_>>();
            fits(&pattern, &ask.action.to_lowercase())
        })
    };
    let resource = |value: &Value| {
        items(value)
            .into_iter()
            .any(|it| substitute(&text(it), modern, true, ask).is_some_and(|pattern| fits(&pattern, &ask.resource)))
    };
    element("Principal", &|value| principal(value, ask))
        && element("Action", &action)
        && element("Resource", &resource)
        && statement.get("Condition").is_none_or(|conditions| {
            conditions.as_object().unwrap().iter().all(|(operator, keys)| {
                keys.as_object().unwrap().iter().all(|(key, values)| condition(operator, key, values, modern, ask))
            })
        })
}

fn principal(value: &Value, ask: &Ask) -> bool {
    if value == "*" {
        return true;
    }
    let Some(named) = value.get("AWS") else { return false };
    let account = ask.principal.account.as_str();
    let mine =
        ["*".to_owned(), account.to_owned(), format!("arn:aws:iam::{account}:root"), ask.principal.arn().to_string()];
    items(named).into_iter().any(|it| mine.contains(&text(it)))
}

fn lookup<'a>(key: &str, ask: &'a Ask) -> Vec<&'a String> {
    ask.context.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)).flat_map(|(_, values)| values).collect()
}

fn substitute(source: &str, modern: bool, wildcards: bool, ask: &Ask) -> Option<Pattern> {
    let literal = |text: &str| text.chars().map(|c| (c, false)).collect::<Pattern>();
    let open = |text: &str| text.chars().map(|c| (c, wildcards)).collect::<Pattern>();
    if !modern {
        return Some(open(source));
    }
    let mut pieces = source.split("${");
    let mut pattern = open(pieces.next().unwrap());
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap();
        let (name, default) =
            name.split_once(", ").map_or((name, None), |(name, quoted)| (name, Some(quoted.trim_matches('\''))));
        if ["*", "?", "$"].contains(&name) {
            pattern.extend(literal(name));
        } else {
            let values = lookup(name, ask);
            let value = if values.len() == 1 { Some(values[0].as_str()) } else { default };
            pattern.extend(literal(value?));
        }
        pattern.extend(open(rest));
    }
    Some(pattern)
}

fn fits(pattern: &[(char, bool)], text: &str) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((('*', true), rest)) => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| fits(rest, &text[at..]))
        }
        Some(((wanted, wild), rest)) => {
            let mut chars = text.chars();
            chars.next().is_some_and(|c| (*wild && *wanted == '?') || c == *wanted) && fits(rest, chars.as_str())
        }
    }
}

fn condition(operator: &str, key: &str, values: &Value, modern: bool, ask: &Ask) -> bool {
    let found = lookup(key, ask);
    if operator == "Null" {
        return items(values)
            .into_iter()
            .any(|it| text(it).eq_ignore_ascii_case(if found.is_empty() { "true" } else { "false" }));
    }
    let (all, any) = (operator.starts_with("ForAllValues:"), operator.starts_with("ForAnyValue:"));
    let name = operator.rsplit(':').next().unwrap();
    let if_exists = name.ends_with("IfExists");
    let name = name.trim_end_matches("IfExists");
    let negated = name.contains("Not");
    let name = name.replace("Not", "");
    if found.is_empty() {
        return if_exists || all || (negated && !any);
    }
    let one = |value: &String| items(values).into_iter().any(|it| compare(&name, &text(it), value, modern, ask));
    if all {
        return if negated { !found.into_iter().any(one) } else { found.into_iter().all(one) };
    }
    if any {
        return if negated { !found.into_iter().all(one) } else { found.into_iter().any(one) };
    }
    found.into_iter().any(one) != negated
}

fn compare(name: &str, policy: &str, request: &str, modern: bool, ask: &Ask) -> bool {
    let string = |wildcards: bool, fold: bool| {
        let Some(pattern) = substitute(policy, modern, wildcards, ask) else { return false };
        let fold = |text: String| if fold { text.to_lowercase() } else { text };
        if wildcards {
            return fits(&pattern, request);
        }
        fold(pattern.iter().map(|(c, _)| c).collect()) == fold(request.to_owned())
    };
    let order = |policy: Option<i64>, request: Option<i64>| {
        let (Some(policy), Some(request)) = (policy, request) else { return false };
        let relation = name.trim_start_matches("Numeric").trim_start_matches("Date");
        match relation {
            "Equals" => request == policy,
            "LessThan" => request < policy,
            "LessThanEquals" => request <= policy,
            "GreaterThan" => request > policy,
            "GreaterThanEquals" => request >= policy,
            other => panic!("unknown relation {other}"),
        }
    };
    match name {
        "StringEquals" => string(false, false),
        "StringEqualsIgnoreCase" => string(false, true),
        "StringLike" => string(true, false),
        "Bool" => policy.eq_ignore_ascii_case(request) && ["true", "false"].contains(&request),
        "BinaryEquals" => policy == request,
        "IpAddress" => inside(policy, request),
        "ArnEquals" | "ArnLike" => {
            let policy = policy.split_once("${").map_or(policy.to_owned(), |(before, rest)| {
                // The one colon within a variable is not a part's end.
                format!("{before}${{{}", rest.replacen(':', "\u{1}", 1))
            });
            let patterns: Vec<String> = policy.splitn(6, ':').map(|part| part.replace('\u{1}', ":")).collect();
            let parts: Vec<&str> = request.splitn(6, ':').collect();
            patterns.len() == 6
                && parts.len() == 6
                && patterns.iter().zip(parts).all(|(pattern, part)| {
                    substitute(pattern, modern, true, ask).is_some_and(|pattern| fits(&pattern, part))
                })
        }
        numeric if numeric.starts_with("Numeric") => order(policy.parse().ok(), request.parse().ok()),
        date if date.starts_with("Date") => order(seconds(policy), seconds(request)),
        other => panic!("unknown operator {other}"),
    }
}

fn seconds(text: &str) -> Option<i64> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    text.parse().ok().or_else(|| OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp))
}

/// IPv4 only.
fn inside(network: &str, address: &str) -> bool {
    let number = |text: &str| text.split('.').fold(0_u64, |sum, byte| sum * 256 + byte.parse::<u64>().unwrap());
    if !address.contains('.') {
        return false;
    }
    let (network, bits) = network.split_once('/').unwrap_or((network, "32"));
    let size = 1_u64 << (32 - bits.parse::<u32>().unwrap());
    number(network) / size == number(address) / size
}
