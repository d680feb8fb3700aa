//! The rules, one file per aggregate.

mod control;

pub use control::Control;
