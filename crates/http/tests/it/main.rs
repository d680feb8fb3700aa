//! The real server on a port of its own, spoken to in raw bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod client;
mod encryption;
mod endpoint;
mod fakes;
mod log;
mod protocol;
mod shutdown;
mod uploads;
