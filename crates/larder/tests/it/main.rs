//! The rules of the data plane on a real database and real blobs, with a public registry that the test holds.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

mod faults;
mod garbage;
mod origin_controls;
mod upstream_model;
mod world;
