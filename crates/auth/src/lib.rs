//! Who a caller is and what its policies allow; pure but for caches and randomness, no HTTP server, no SQL.
//!
//! * [`policy`] parses and evaluates IAM policy documents: [`policy::Evaluator`] implements
//!   [`larder_core::ports::PolicyEvaluator`]. Combining accounts is `larder_core::access`'s work.
//! * [`sigv4`] verifies (and, for tests and the command line, makes) AWS signatures, version 4.
//! * [`token`] makes authorization tokens, access keys and user ids.
//! * [`web_identity`] reads and proves the tokens of identity providers (JSON Web Tokens).
//!
//! To add a condition operator, add it to the table in `policy/operator.rs`; to add a context key that stays the same
//! between requests of one principal to one resource, add it to `policy/known.rs`.

pub mod policy;
pub mod sigv4;
pub mod token;
pub mod web_identity;

#[doc(hidden)]
pub mod fuzzing;
