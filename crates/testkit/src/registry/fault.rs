//! What can be wrong with an answer.

use std::time::Duration;

/// A way to break an answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The answer starts this much later.
    Slow(Duration),
    /// Another status with a short text.
    Status(u16),
    /// The promised length is right; the connection ends after half of it.
    Truncated,
    /// Half of the body, and a length that agrees with it.
    Shortened,
    /// One byte is another one.
    WrongBytes,
    /// More bytes are promised than there are.
    WrongLength,
    /// Somewhere else.
    Redirect(String),
    /// A login page with status 200.
    Html,
    /// The connection ends without an answer.
    Hangup,
}

/// A fault, and what it applies to.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Part of the target of the requests it applies to.
    pub(crate) target: String,
    /// The target ends with the text; else it holds it.
    pub(crate) at_end: bool,
    pub(crate) fault: Fault,
    /// How many more times it applies; always if `None`.
    pub(crate) left: Option<u32>,
}

impl Rule {
    fn applies(&self, target: &str) -> bool {
        if self.at_end { target.ends_with(&self.target) } else { target.contains(&self.target) }
    }
}

/// The fault that applies to a request, if any.
pub(crate) fn take(rules: &mut Vec<Rule>, target: &str) -> Option<Fault> {
    let position = rules.iter().position(|rule| rule.applies(target))?;
    let rule = &mut rules[position];
    let fault = rule.fault.clone();
    if let Some(left) = &mut rule.left {
        *left = left.saturating_sub(1);
        if *left == 0 {
            rules.remove(position);
        }
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_fault_wears_off() {
        let mut rules = vec![Rule { target: "/a".into(), at_end: false, fault: Fault::Html, left: Some(2) }];
        assert!(take(&mut rules, "/b").is_none());
        assert!(take(&mut rules, "/x/a").is_some());
        assert!(take(&mut rules, "/a").is_some());
        assert!(take(&mut rules, "/a").is_none());
    }
}
