//! The rules, one file per aggregate.

mod control;
mod document;

pub use control::Control;
pub use document::{Document, Rendered};
