//! IAM policy documents: parsing, checking and evaluating (reference 2.12, 5.4-5.6).
//!
//! The grammar is IAM's. Where IAM's documentation leaves room, this is what happens here:
//!
//! * A pattern whose variable has neither a value nor a default matches nothing. A variable's value stands for itself:
//!   a `*` in it is no wildcard.
//! * Operators without a set qualifier look for any value of a key with several; negated ones hold if none fits.
//! * `NotPrincipal` applies to callers that match none of its entries; an account's entry covers all its users.
//! * An account's `root` in a resource policy stands for every principal of that account (reference 5.6).
//! * `aws:Referer` and `aws:UserAgent` have no value: the service does not support them (reference 5.5). New documents
//!   that use them are refused.
//!
//! Unknown actions and unsupported keys are refused when a document is stored, not when it is evaluated, so that a
//! document that was accepted once keeps its meaning.

mod condition;
mod context;
mod document;
mod evaluate;
mod json;
mod known;
mod operator;
mod parse;
mod pattern;
mod principal;
mod values;
mod variables;

#[cfg(test)]
mod tests;

pub use evaluate::Evaluator;

/// The longest document (reference 1.2).
const MAX_CHARACTERS: usize = 7168;
/// The most statements in a document. No real one comes near; it bounds the work of a decision.
const MAX_STATEMENTS: usize = 100;
