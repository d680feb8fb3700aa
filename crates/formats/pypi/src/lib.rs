//! TBD
mod names;
